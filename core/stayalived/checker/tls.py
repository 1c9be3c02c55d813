"""TLS for a conversation, between two buffers. I/O: of the authorities' file only; sockets are the session's."""

import ssl
from functools import lru_cache

from stayalived.plugin.checks import StartTls

MOST_CONTEXTS = 64
"""A context takes 27 ms to make, so each kind is made once."""


@lru_cache(maxsize=MOST_CONTEXTS)
def context_for(verify: bool, named: bool, ca: str) -> ssl.SSLContext:
    """Return the context for a kind of connection.

    Args:
        verify: whether the certificate must be valid.
        named: whether it must be valid for the name that is asked for.
        ca: path of the authorities' certificates; empty: those of the system.

    Raises:
        OSError: the authorities' file cannot be read.
    """
    context = ssl.create_default_context(cafile=ca or None)
    context.check_hostname = verify and named
    if not verify:
        context.verify_mode = ssl.CERT_NONE
    return context


class TlsLayer:
    """The client's side of one TLS connection."""

    def __init__(self, step: StartTls) -> None:
        """Make the layer that a step asks for; the handshake has not begun.

        Raises:
            OSError: the authorities' file cannot be read.
        """
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        context = context_for(step.verify, bool(step.server_name), step.ca)
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=step.server_name or None)

    def shake_hands(self) -> bool:
        """Go on with the handshake and return whether it is done.

        Raises:
            ssl.SSLError: the other side is not trusted, or does not speak TLS.
        """
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def encrypt(self, data: bytes) -> None:
        """Take in bytes to send; they come out of `outgoing`."""
        self._tls.write(data)

    def decrypt(self, limit: int) -> bytes | None:
        """Return bytes that came, `b""` at the end of the stream, None when more must be fed first."""
        try:
            return self._tls.read(limit)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def outgoing(self) -> bytes:
        """Return and take out what must be sent."""
        return self._outgoing.read()

    def agreed(self) -> str:
        """Return for people what the two sides have agreed on: version, cipher, protocol, certificate."""
        cipher = self._tls.cipher()
        protocol = self._tls.selected_alpn_protocol()
        certificate = self._tls.getpeercert()
        parts = [self._tls.version() or "TLS", cipher[0] if cipher else "", f"ALPN {protocol}" if protocol else ""]
        if certificate:
            names = [_common_name(certificate.get(key, ())) for key in ("subject", "issuer")]
            parts.append(f"certificate of {names[0]} from {names[1]}, valid until {certificate.get('notAfter')}")
        else:
            parts.append("certificate not verified")
        return ", ".join(filter(None, parts))

    def feed(self, data: bytes) -> None:
        """Take in what came from the network; `b""` is its end."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


def _common_name(name: object) -> str:
    """Return who is meant by a distinguished name as `getpeercert` gives it: the common name, or all of it."""
    parts: dict[str, str] = dict(pair for relative in name for pair in relative)  # type: ignore[attr-defined]  # a tuple of tuples of pairs
    return parts.get("commonName") or ", ".join(parts.values()) or "nobody"
