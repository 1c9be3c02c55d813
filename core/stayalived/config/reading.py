"""Configurations out of their bytes, one after the other: what did not change is not made again. Pure.

A reload mostly changes a few virtual servers of thousands. Whoever compares the new configuration with the one before
it finds the very same objects for the others, which costs neither time nor memory.
"""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from stayalived.config.model import Configuration, VirtualServer

DIGEST_SIZE = 16
_SERVICES = "virtual_servers"
_FIELDS = msgspec.structs.fields(Configuration)

# A configuration whose virtual servers are bytes still.
_Sheet = msgspec.defstruct(
    "_Sheet",
    [
        (field.name, tuple[msgspec.Raw, ...] if field.name == _SERVICES else field.type, field.default)
        if not field.required
        else (field.name, tuple[msgspec.Raw, ...] if field.name == _SERVICES else field.type)
        for field in _FIELDS
    ],
    frozen=True,
    kw_only=True,
)
_sheets = msgspec.msgpack.Decoder(_Sheet)
_services = msgspec.msgpack.Decoder(VirtualServer)


class Reader:
    """Decodes configurations. It keeps the virtual servers of the last one, by a digest of their bytes."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._known: Mapping[bytes, VirtualServer] = {}

    def decode(self, data: bytes | memoryview) -> Configuration:
        """Return the configuration that `model.encode` was given.

        Raises:
            msgspec.ValidationError: the bytes are no configuration: a bug of ours.
        """
        sheet = _sheets.decode(data)
        parts = {field.name: getattr(sheet, field.name) for field in _FIELDS}
        known: dict[bytes, VirtualServer] = {}
        services = []
        for raw in parts.pop(_SERVICES):
            digest = blake2b(raw, digest_size=DIGEST_SIZE).digest()
            service = self._known.get(digest) or _services.decode(raw)
            known[digest] = service
            services.append(service)
        self._known = known
        return Configuration(virtual_servers=tuple(services), **parts)
