"""Where a configuration came from: what the next reading has to know to read again only what changed."""

import msgspec


class FileOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """One file.

    Attributes:
        name: as people know it.
        digest: of its content.
        services: the virtual servers that it holds, whole.
        plain: it holds nothing else, and what these mean hangs on nothing outside of the files: no host name, no
            secret, no program, no action; and there is nothing to say of them.
    """

    name: str
    digest: bytes
    services: tuple[str, ...] = ()
    plain: bool = False


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """All files, and a digest of the host and the plugins that they were read with.

    Attributes:
        surroundings: the digest.
        files: in their order.
        settled: what they mean hangs on nothing else, and there is nothing to say of it.
    """

    surroundings: bytes
    files: tuple[FileOrigin, ...]
    settled: bool = False
