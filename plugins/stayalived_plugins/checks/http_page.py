"""What the check `http` asks for and what it makes of the answer."""

import hashlib
import re
from typing import Literal

import msgspec

from stayalived.plugin import Verdict
from stayalived_plugins.checks.http_answer import Answer
from stayalived_plugins.checks.http_status import Status, ranges
from stayalived_plugins.checks.tls import HOST

Flag = Literal["caseless", "multiline", "dotall", "extended", "anchored"]
PATH = re.compile("/[!-~]*")
_DIGESTS = {32: "md5", 64: "sha256"}  # by the number of hexadecimal digits
_FLAGS = {"caseless": re.IGNORECASE, "multiline": re.MULTILINE, "dotall": re.DOTALL, "extended": re.VERBOSE}


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One page to ask for. What is left out is the check's own.

    Attributes:
        path: what to ask for.
        status_code: accepted codes: `200`, `"200-299"`, or a list of these.
        digest: MD5 (32 hexadecimal digits) or SHA-256 (64) of the body, after any chunked coding is undone.
        regex: regular expression of Python that must be found in the body.
        regex_options: how it is compared, by keepalived's words; `anchored`: at `regex_min_offset` and nowhere else.
        regex_min_offset: where in the body the match may begin at the earliest.
        regex_max_offset: and at the latest; when left out anywhere.
        regex_no_match: it must not be found.
        virtualhost: name to ask for.
    """

    path: str = "/"
    status_code: Status | None = None
    digest: str = ""
    regex: str = ""
    regex_options: tuple[Flag, ...] = ()
    regex_min_offset: int = 0
    regex_max_offset: int | None = None
    regex_no_match: bool = False
    virtualhost: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never match or would break the request."""
        if not PATH.fullmatch(self.path):
            raise ValueError(f"path {self.path!r} must start with / and be ASCII without spaces (write %20)")
        if not HOST.fullmatch(self.virtualhost):
            raise ValueError(f"virtualhost {self.virtualhost!r} is no host name")
        if self.digest and (len(self.digest) not in _DIGESTS or not re.fullmatch("[0-9a-fA-F]+", self.digest)):
            raise ValueError(f"digest {self.digest!r} must be 32 (MD5) or 64 (SHA-256) hexadecimal digits")
        if self.status_code is not None:
            list(ranges(self.status_code))
        if self.regex_min_offset < 0:
            raise ValueError("regex_min_offset must be at least 0")
        if self.regex_max_offset is not None and self.regex_max_offset < self.regex_min_offset:
            raise ValueError("regex_max_offset must be at least regex_min_offset")
        if not self.regex and (self.regex_options or self.regex_no_match or self.regex_max_offset is not None):
            raise ValueError("regex must be given where other keys say how to look for it")
        self.pattern()

    def pattern(self) -> re.Pattern[bytes] | None:
        """Return the regular expression, ready to be looked for; None where there is none."""
        flags = re.NOFLAG
        for option in self.regex_options:
            flags |= _FLAGS.get(option, re.NOFLAG)
        try:
            return re.compile(self.regex.encode(), flags) if self.regex else None
        except re.error as error:
            raise ValueError(f"regex {self.regex!r}: {error}") from error


class Expectation:
    """One page with everything looked up, ready to judge answers."""

    def __init__(self, page: Page, status: Status, virtualhost: str) -> None:
        """Complete a page with what the check says for all of them."""
        self.path = page.path
        self.virtualhost = page.virtualhost or virtualhost
        self.wants_body = bool(page.digest or page.regex)
        accepted = status if page.status_code is None else page.status_code
        self._page = page
        self._where = "" if page.path == "/" else f" for {page.path}"
        self._ranges = tuple(ranges(accepted))
        self._expected = ", ".join(map(str, accepted)) if isinstance(accepted, list) else str(accepted)
        self._digest = page.digest.lower()
        self._regex = page.pattern()
        self._verdicts: dict[bytes, Verdict] = {}

    def judge(self, answer: Answer) -> Verdict:
        """Return the verdict on an answer that is complete as far as it is wanted: all that is expected must hold."""
        if answer.flaw:
            return Verdict.failed("answer", answer.flaw)
        verdict = self._judge_status(answer.status)
        if not verdict.up:
            return verdict
        body = bytes(answer.body)
        if self._digest:
            digest = hashlib.new(_DIGESTS[len(self._digest)], body, usedforsecurity=False).hexdigest()
            if digest != self._digest:
                return Verdict.failed("digest", f"{digest}{self._where}", self._digest)
        if self._regex is not None:
            found = self._found(self._regex, body)
            if (found is None) != self._page.regex_no_match:
                seen = f"no match in {len(body)} bytes" if found is None else f"a match at byte {found}"
                expected = f"no {self._page.regex}" if self._page.regex_no_match else self._page.regex
                return Verdict.failed("regex", f"{seen}{self._where}", expected)
        return verdict

    def judge_code(self, code: bytes) -> Verdict:
        """Return the verdict on a status where nothing else is expected; there are few, and each is made once."""
        verdict = self._verdicts.get(code)
        if verdict is None:
            verdict = self._verdicts[code] = self._judge_status(int(code))
        return verdict

    def _judge_status(self, status: int) -> Verdict:
        """Return the verdict on a status alone."""
        if not any(low <= status <= high for low, high in self._ranges):
            return Verdict.failed("status", f"{status}{self._where}", self._expected)
        return Verdict.passed("status", f"{status}{self._where}")

    def _found(self, regex: re.Pattern[bytes], body: bytes) -> int | None:
        """Return where the regular expression is found. The offsets are for the beginning of the match (C18)."""
        look = regex.match if "anchored" in self._page.regex_options else regex.search
        found = look(body, self._page.regex_min_offset)
        most = self._page.regex_max_offset
        return None if found is None or (most is not None and found.start() > most) else found.start()
