"""What the check `http` asks for and what it makes of the answer."""

import hashlib
import re
from collections.abc import Iterator

import httptools
import msgspec

from stayalived.plugin import Verdict

MOST_HEAD = 65536
"""Bytes of an answer in which its head must be complete."""

Status = int | str | list[int | str]
_DIGESTS = {32: "md5", 64: "sha256"}  # by the number of hexadecimal digits


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One page to ask for. What is left out is the check's own.

    Attributes:
        path: what to ask for.
        status_code: accepted codes: `200`, `"200-299"`, or a list of these.
        digest: MD5 (32 hexadecimal digits) or SHA-256 (64) of the body, after any chunked coding is undone.
        regex: regular expression that must be found in the body.
        virtualhost: name to ask for.
    """

    path: str = "/"
    status_code: Status | None = None
    digest: str = ""
    regex: str = ""
    virtualhost: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never match or would break the request."""
        if not re.fullmatch("/[!-~]*", self.path):
            raise ValueError(f"path {self.path!r} must start with / and be ASCII without spaces (write %20)")
        if not re.fullmatch(r"[\w.:\[\]-]*", self.virtualhost, re.ASCII):
            raise ValueError(f"virtualhost {self.virtualhost!r} is no host name")
        if self.digest and (len(self.digest) not in _DIGESTS or not re.fullmatch("[0-9a-fA-F]+", self.digest)):
            raise ValueError(f"digest {self.digest!r} must be 32 (MD5) or 64 (SHA-256) hexadecimal digits")
        if self.status_code is not None:
            list(ranges(self.status_code))
        try:
            re.compile(self.regex.encode())
        except re.error as error:
            raise ValueError(f"regex {self.regex!r}: {error}") from error


def ranges(status: Status) -> Iterator[tuple[int, int]]:
    """Return the ranges of codes that an option names, both ends included.

    Raises:
        ValueError: it names none, or codes outside of 100 to 599.
    """
    for entry in status if isinstance(status, list) and status else [status]:
        found = re.fullmatch(r"([1-5]\d\d)(?:-([1-5]\d\d))?", str(entry))
        if found is None or (found[2] or found[1]) < found[1]:
            raise ValueError(f"status_code {entry!r} must be a code from 100 to 599 or a range such as '200-299'")
        yield int(found[1]), int(found[2] or found[1])


class Expectation:
    """One page with everything looked up, ready to judge answers."""

    def __init__(self, page: Page, status: Status, virtualhost: str) -> None:
        """Complete a page with what the check says for all of them."""
        self.path = page.path
        self.virtualhost = page.virtualhost or virtualhost
        accepted = status if page.status_code is None else page.status_code
        self._ranges = tuple(ranges(accepted))
        self._expected = ", ".join(map(str, accepted)) if isinstance(accepted, list) else str(accepted)
        self._digest = page.digest.lower()
        self._regex = re.compile(page.regex.encode()) if page.regex else None
        self.wants_body = bool(page.digest or page.regex)

    def judge(self, answer: "Answer") -> Verdict:
        """Return the verdict on an answer that is complete as far as it is wanted."""
        where = "" if self.path == "/" else f" for {self.path}"
        if not any(low <= answer.status <= high for low, high in self._ranges):
            return Verdict.failed("status", f"{answer.status}{where}", self._expected)
        body = bytes(answer.body)
        if self._digest:
            digest = hashlib.new(_DIGESTS[len(self._digest)], body, usedforsecurity=False).hexdigest()
            if digest != self._digest:
                return Verdict.failed("digest", f"{digest}{where}", self._digest)
        if self._regex is not None and not self._regex.search(body):
            return Verdict.failed("regex", f"no match in {len(body)} bytes{where}", self._regex.pattern.decode())
        return Verdict.passed("status", f"{answer.status}{where}")


class Answer:
    """Collects one answer; `httptools` calls its methods."""

    def __init__(self, *, wants_body: bool, body_limit: int) -> None:
        """Expect an answer from its first byte."""
        self.status = 0  # of the final answer; 1xx ones come before it
        self.body = bytearray()
        self.flaw = ""
        self._wants_body = wants_body
        self._body_limit = body_limit
        self._taken = 0
        self._is_delimited = False
        self._is_complete = False
        self._parser = httptools.HttpResponseParser(self)

    @property
    def is_ready(self) -> bool:
        """Whether there is enough to judge, or a flaw to name."""
        return bool(self.flaw) or self._is_complete or (self.status != 0 and not self._wants_body)

    def feed(self, data: bytes) -> None:
        """Take in what came; `b""` is the end of the stream."""
        self._taken += len(data)
        if not data:
            self._end()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._is_complete = True
        except httptools.HttpParserError as error:
            self.flaw = f"no HTTP: {error}"
        if not self.status and self._taken > MOST_HEAD:
            self.flaw = f"a head of more than {MOST_HEAD} bytes"
        if len(self.body) > self._body_limit:
            self.flaw = f"a body of more than {self._body_limit} bytes (body_limit)"

    def _end(self) -> None:
        """Take in the end of the stream: right only where nothing else says where the body ends (RFC 9112 6.3)."""
        if not self.status:
            self.flaw = f"the end after {self._taken} bytes"
        elif self._is_delimited and not self._is_complete:
            self.flaw = f"the end after {len(self.body)} bytes of the body"
        self._is_complete = True

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: ARG002  (httptools passes it)
        """Note whether the answer says where its body ends."""
        self._is_delimited = self._is_delimited or name.lower() in {b"content-length", b"transfer-encoding"}

    def on_headers_complete(self) -> None:
        """Note the status of the final answer."""
        status = self._parser.get_status_code()
        self.status = status if status >= 200 else 0

    def on_body(self, data: bytes) -> None:
        """Keep the body as far as it is wanted."""
        if self._wants_body and len(self.body) <= self._body_limit:
            self.body += data

    def on_message_complete(self) -> None:
        """Note the end of the final answer."""
        self._is_complete = self.status != 0
