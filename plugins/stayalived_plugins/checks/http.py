"""The check `http`: does a web server answer with the right status, and the right page?

keepalived's HTTP_GET and SSL_GET (C14 to C26).
"""

from collections.abc import Generator

from stayalived.plugin import Check, Connect, Receive, Send, Step, Steps, Target, Verdict
from stayalived_plugins.checks.http_answer import Answer, Http1Answer, Http2Answer
from stayalived_plugins.checks.http_options import HttpOptions
from stayalived_plugins.checks.http_page import Expectation, Page
from stayalived_plugins.checks.http_request import Request, authorization

_VERSIONS = {"1.0": ("1.0", False), "1.0C": ("1.0", True), "1.1": ("1.1", True)}  # and Connection: close (C20)
PIECE = 16384
"""Bytes read at a time: a hostile server can make each of them a chunk, and others have the loop in between."""

_REDIRECTS = {301, 302, 303, 307, 308}


class HttpCheck(Check):
    """Does a web server answer with the right status, and the right page?

    Each page is asked for on a connection of its own; the first that fails decides. A body is read only where `digest`
    or `regex` ask for it.
    """

    name = "http"
    Options = HttpOptions
    options: HttpOptions

    def __init__(self, options: HttpOptions) -> None:
        """Look up what the options say, once."""
        super().__init__(options)
        pages = options.url or (Page(path=options.path),)
        self._pages = [Expectation(page, options.status_code, options.virtualhost) for page in pages]
        headers = {name.lower(): value for name, value in options.headers.items()}
        secret = authorization(options.user, options.password, options.bearer)
        if secret:
            headers["authorization"] = secret
        self._headers = tuple(headers.items())
        if options.http_protocol == "2":
            from stayalived_plugins.checks.http2 import exchange  # noqa: PLC0415  (h2 is for those who want it)

            self._exchange = exchange

    def steps(self, target: Target) -> Steps:
        """Ask for each page until one fails."""
        verdict = Verdict.passed()
        for page in self._pages:
            verdict = yield from self._look_at(page, target)
            if not verdict.up:
                break
        return verdict

    def _look_at(self, page: Expectation, target: Target) -> Steps:
        """Ask for one page, through as many redirects as are wanted."""
        options = self.options
        name = page.virtualhost or target.virtual_host
        request = self._request(page.path, name or str(target.endpoint))
        for left in range(options.follow_redirects, -1, -1):
            answer = yield from self._ask(request, name, page)
            if answer.flaw:
                return Verdict.failed("answer", answer.flaw)
            if answer.status not in _REDIRECTS or not options.follow_redirects:
                return page.judge(answer)
            place = request.redirected(answer.location)
            if place is None:
                return Verdict.failed("redirect", f"to {answer.location[:200]!r}", f"a place of {request.scheme} here")
            name = "" if place.host == str(target.endpoint) else place.host
            request = place
            if not left:
                break
        return Verdict.failed("redirect", f"one more, to {request.path}", f"at most {options.follow_redirects}")

    def _request(self, path: str, host: str) -> Request:
        """Return what is sent for a page."""
        options = self.options
        return Request(
            scheme="https" if options.tls else "http",
            method=options.method,
            path=path,
            host=host,
            headers=self._headers,
            body=options.body.encode(),
        )

    def _ask(self, request: Request, name: str, page: Expectation) -> Generator[Step, bytes, Answer]:
        """Send one request on a connection of its own and return the answer."""
        options = self.options
        yield Connect()
        if options.tls:
            chosen = yield options.start_tls(name, ("h2",) if options.http_protocol == "2" else ())
            if options.http_protocol == "2" and chosen != b"h2":
                answer = Answer(wants_body=False, body_limit=0)
                answer.flaw = "no h2 among the protocols of TLS (ALPN)"
                return answer
        if options.http_protocol == "2":
            second = Http2Answer(wants_body=page.wants_body, body_limit=options.body_limit)
            yield from self._exchange(request.fields(), request.body, second)
            return second
        first = Http1Answer(wants_body=page.wants_body, body_limit=options.body_limit)
        yield Send(request.encode(*_VERSIONS[options.http_protocol]))
        while not first.is_ready:
            first.feed((yield Receive(PIECE)))
        return first
