"""TLS for a conversation, between two buffers. I/O: of files of certificates only; sockets are the session's."""

import os
import ssl
from functools import lru_cache

from stayalived.config.secret import Secret
from stayalived.plugin.checks import LocalFailure, StartTls

MOST_CONTEXTS = 64
"""A context takes 27 ms to make, so each kind is made once."""


FileStamp = tuple[int, int, int]
"""Number, size and time of change of a file."""


def stamp(path: str) -> FileStamp:
    """Return what changes when a file is renewed, without reading it; a link is followed."""
    try:
        found = os.stat(path)  # noqa: PTH116  (for each handshake: a Path costs three times as much)
    except OSError:
        return 0, 0, 0  # whoever loads it says what is wrong
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=MOST_CONTEXTS)
def context_for(
    verify: bool,
    named: bool,
    ca: str,
    certificate: str = "",
    key: Secret | None = None,
    alpn: tuple[str, ...] = (),
    seen: "tuple[FileStamp, ...]" = (),  # noqa: ARG001  (part of what the context is remembered by)
) -> ssl.SSLContext:
    """Return the context for a kind of connection.

    Args:
        verify: whether the certificate must be valid.
        named: whether it must be valid for the name that is asked for.
        ca: path of the authorities' certificates; empty: those of the system.
        certificate: path of our own certificate; empty: none.
        key: its private key as PEM text; None: it stands in the certificate's file.
        alpn: protocols to offer.
        seen: how the files look; another look is another context.

    Raises:
        OSError: the authorities' file cannot be read.
        LocalFailure: certificate and key cannot be used.
    """
    context = ssl.create_default_context(cafile=ca or None)
    context.check_hostname = verify and named
    if not verify:
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        _load(context, certificate, key)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def _load(context: ssl.SSLContext, certificate: str, key: Secret | None) -> None:
    """Give a context our own certificate. OpenSSL takes files alone: the key is one that exists in memory only."""
    hidden = os.memfd_create("key", os.MFD_CLOEXEC) if key is not None else None
    try:
        if hidden is None or key is None:
            context.load_cert_chain(certificate, password=_nothing)
        else:
            os.write(hidden, key.reveal().encode())
            context.load_cert_chain(certificate, f"/proc/self/fd/{hidden}", password=_nothing)
    except OSError as error:  # ssl.SSLError is one of them
        why = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        text = f"tls certificate {certificate}: {str(why or error).lower().replace('_', ' ')}"
        raise LocalFailure(f"{text}; give a readable certificate and its key, not encrypted, both as PEM") from error
    finally:
        if hidden is not None:
            os.close(hidden)


def _nothing() -> str:
    """Return no password: without this OpenSSL would ask for one on the terminal."""
    return ""


class TlsLayer:
    """The client's side of one TLS connection."""

    def __init__(self, step: StartTls) -> None:
        """Make the layer that a step asks for; the handshake has not begun.

        Raises:
            OSError: the authorities' file cannot be read.
            LocalFailure: our own certificate cannot be used.
        """
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        named = bool(step.server_name)
        seen = tuple(stamp(path) for path in (step.ca, step.certificate) if path)
        context = context_for(step.verify, named, step.ca, step.certificate, step.key, step.alpn, seen)
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=step.server_name or None)

    @property
    def protocol(self) -> bytes:
        """What ALPN has chosen, or nothing."""
        return (self._tls.selected_alpn_protocol() or "").encode()

    def peer_certificate(self) -> bytes:
        """Return the certificate that the server has shown, as DER; empty before the handshake."""
        return self._tls.getpeercert(binary_form=True) or b""

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
