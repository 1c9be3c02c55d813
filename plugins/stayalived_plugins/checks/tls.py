"""What every check that speaks TLS lets its user say about it."""

import re

from stayalived.plugin import CheckOptions, Secret, StartTls

HOST = re.compile(r"[\w.:\[\]-]*", re.ASCII)
"""A host name or an address, with or without a port."""


class TlsOptions(CheckOptions, frozen=True, kw_only=True):
    """Whom to trust, as whom to be seen.

    Attributes:
        verify: whether the certificate must be valid, and for the name that is asked for.
        ca: file of the authorities that may have signed it; when left out those of the system. Renewed, it is used from
            the next probe on.
        sni_name: name for TLS alone, sent and verified; when left out that of the server.
        certificate: file of our own certificate as PEM, for a server that asks for one. Renewed, it is used from the
            next probe on.
        key: its private key, not encrypted; when left out it stands in the same file. One that was renewed takes a
            reload.
    """

    verify: bool = True
    ca: str = ""
    sni_name: str = ""
    certificate: str = ""
    key: Secret | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be used."""
        if not HOST.fullmatch(self.sni_name):
            raise ValueError(f"sni_name {self.sni_name!r} is no host name")
        if self.key is not None and not self.certificate:
            raise ValueError("key needs a certificate beside it")
        if self.key is not None and "PRIVATE KEY" not in self.key.reveal():
            raise ValueError('key must be the key itself as PEM text; write key = { file = "…" }')

    def refuse_tls(self, unless: str) -> None:
        """Refuse options of TLS where none is spoken: `unless` says what is missing."""
        for name in ("ca", "sni_name", "certificate"):
            if getattr(self, name):
                raise ValueError(f"{name} is of no use without {unless}")

    def start_tls(self, host: str, alpn: tuple[str, ...] = ()) -> StartTls:
        """Return the step for a server that is known by a name, with or without a port."""
        return StartTls(
            server_name=self.sni_name or without_port(host),
            verify=self.verify,
            ca=self.ca,
            certificate=self.certificate,
            key=self.key,
            alpn=alpn,
        )


def without_port(host: str) -> str:
    """Return the name or the address in `example.org:443`, `[2001:db8::1]:443`, `2001:db8::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]
