"""What the check `http` sends."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from stayalived.plugin import Secret
from stayalived_plugins.checks.http_page import PATH
from stayalived_plugins.checks.tls import HOST

AGENT = "StayalivedClient"
MOST_BODY = 16384
"""Bytes of a body: one frame of HTTP/2 (RFC 9113 4.2)."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
_VALUE = re.compile(r"[!-~]([\t -~]*[!-~])?")
_OURS = {"host": "virtualhost", "authorization": "user or bearer", "content-length": "body"}
_CLOSING = {"1.0": ("1.0", False), "1.0C": ("1.0", True), "1.1": ("1.1", True)}  # and Connection: close (C20)
_HOP = {"connection", "transfer-encoding", "upgrade", "te", "keep-alive"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, whichever version of the protocol carries it. Names of headers are in lower case."""

    scheme: str
    method: str
    path: str
    host: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def redirected(self, location: str) -> "Request | None":
        """Return the request for the place that an answer names; None where this server cannot be asked for it."""
        try:
            place = urlsplit(urljoin(f"{self.scheme}://{self.host}{self.path}", location))
        except ValueError:
            return None
        path = (place.path or "/") + (f"?{place.query}" if place.query else "")
        if place.scheme != self.scheme or not PATH.fullmatch(path) or not HOST.fullmatch(place.netloc):
            return None
        return replace(self, path=path, host=place.netloc)

    def encode(self, protocol: str) -> bytes:
        """Return it as HTTP/1 has it: `1.0`, `1.0C` or `1.1`."""
        version, closing = _CLOSING[protocol]
        named = {"user-agent": AGENT, "host": self.host}
        if closing:
            named["connection"] = "close"
        if self.body:
            named["content-length"] = str(len(self.body))
        named.update(self.headers)
        lines = "".join(f"{name.title()}: {value}\r\n" for name, value in named.items())
        return f"{self.method} {self.path} HTTP/{version}\r\n{lines}\r\n".encode() + self.body

    def fields(self) -> list[tuple[str, str]]:
        """Return its head as HTTP/2 has it (RFC 9113 8.3.1)."""
        pseudo = {":method": self.method, ":scheme": self.scheme, ":authority": self.host, ":path": self.path}
        return list({**pseudo, "user-agent": AGENT, **dict(self.headers)}.items())


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that would break the request, or that another option is for.

    Raises:
        ValueError: it says which, and why.
    """
    for name, value in headers.items():
        lower = name.lower()
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"headers: {name!r} is no name of a header")
        if lower in _OURS:
            raise ValueError(f"headers: {name} is what {_OURS[lower]} is for")
        if lower in _HOP:
            raise ValueError(f"headers: {name} is for http_protocol to say")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"headers: {name} must be printable ASCII on one line")


def authorization(user: str, password: Secret | None, bearer: Secret | None) -> str:
    """Return the header's value for basic (RFC 7617) or bearer (RFC 6750) authentication; empty for none.

    Raises:
        ValueError: both are asked for, or half of one. No text holds a secret.
    """
    if bearer is not None:
        if user or password is not None:
            raise ValueError("bearer and user exclude each other")
        if not _VALUE.fullmatch(bearer.reveal()):
            raise ValueError("bearer must be printable ASCII on one line")
        return f"Bearer {bearer.reveal()}"
    if bool(user) != (password is not None) or ":" in user:
        raise ValueError("user needs a password beside it, the reverse too, and holds no colon")
    if password is None:
        return ""
    return f"Basic {base64.b64encode(f'{user}:{password.reveal()}'.encode()).decode()}"
