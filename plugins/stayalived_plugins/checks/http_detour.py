"""The longer ways to a page of the check `http`: through redirects, and by HTTP/2."""

from collections.abc import Generator, Sequence

from stayalived.plugin import Connect, Send, Step, Steps, Target, Verdict
from stayalived_plugins.checks.http_answer import MORE, Answer, Http1Answer, Http2Answer
from stayalived_plugins.checks.http_options import HttpOptions
from stayalived_plugins.checks.http_page import Expectation
from stayalived_plugins.checks.http_request import Request

_REDIRECTS = {301, 302, 303, 307, 308}
Headers = tuple[tuple[str, str], ...]


def request_of(options: HttpOptions, path: str, host: str, headers: Headers) -> Request:
    """Return what is sent for a page."""
    return Request(
        scheme="https" if options.tls else "http",
        method=options.method,
        path=path,
        host=host,
        headers=headers,
        body=options.body.encode(),
    )


class Detour:
    """Asks for pages whose answers may send us elsewhere, or that come by HTTP/2."""

    def __init__(self, options: HttpOptions, pages: Sequence[Expectation], headers: Headers) -> None:
        """Remember what the check has looked up."""
        self._options = options
        self._pages = pages
        self._headers = headers
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
        options = self._options
        name = page.virtualhost or target.virtual_host
        request = request_of(options, page.path, name or str(target.endpoint), self._headers)
        for left in range(options.follow_redirects, -1, -1):
            answer = yield from self._ask(request, name, page)
            if answer.flaw or answer.status not in _REDIRECTS or not options.follow_redirects:
                return page.judge(answer)
            place = request.redirected(answer.location)
            if place is None:
                return Verdict.failed("redirect", f"to {answer.location[:200]!r}", f"a place of {request.scheme} here")
            name = "" if place.host == str(target.endpoint) else place.host
            request = place
            if not left:
                break
        return Verdict.failed("redirect", f"one more, to {request.path}", f"at most {options.follow_redirects}")

    def _ask(self, request: Request, name: str, page: Expectation) -> Generator[Step, bytes, Answer]:
        """Send one request on a connection of its own and return the answer."""
        options = self._options
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
        yield Send(request.encode(options.http_protocol))
        yield from first.read((yield MORE))
        return first
