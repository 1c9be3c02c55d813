"""The check `http`: does a web server answer with the right status, and the right page?

keepalived's HTTP_GET and SSL_GET (C14 to C26).
"""

from stayalived.plugin import Check, Connect, Send, StartTls, Steps, Target, Verdict
from stayalived_plugins.checks.http_answer import HEAD, MORE, Http1Answer
from stayalived_plugins.checks.http_detour import Detour, request_of
from stayalived_plugins.checks.http_options import HttpOptions
from stayalived_plugins.checks.http_page import Expectation, Page
from stayalived_plugins.checks.http_request import authorization

_CONNECT = Connect()

Exchange = tuple[Expectation, StartTls | None, Send]


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
        self._ready_for: Target | None = None
        self._ready: list[Exchange] = []
        self._detour = Detour(options, self._pages, self._headers)

    def steps(self, target: Target) -> Steps:
        """Ask for each page until one fails."""
        is_plain = self.options.http_protocol != "2" and not self.options.follow_redirects
        return self._ask_plainly(target) if is_plain else self._detour.steps(target)

    def _ask_plainly(self, target: Target) -> Steps:
        """Ask by HTTP/1 for what is there. Thousands a second do: what can be is made once for each target."""
        if self._ready_for is not target:
            self._ready_for, self._ready = target, [self._prepare(page, target) for page in self._pages]
        verdict = Verdict.passed()
        for page, start_tls, request in self._ready:
            yield _CONNECT
            if start_tls is not None:
                yield start_tls
            yield request
            data = yield MORE
            head = None if page.wants_body else HEAD.match(data)
            if head is not None:
                verdict = page.judge_code(head[1])
            else:
                answer = Http1Answer(wants_body=page.wants_body, body_limit=self.options.body_limit)
                yield from answer.read(data)
                verdict = page.judge(answer)
            if not verdict.up:
                break
        return verdict

    def _prepare(self, page: Expectation, target: Target) -> Exchange:
        """Return what is sent for a page as steps."""
        options, name = self.options, page.virtualhost or target.virtual_host
        request = request_of(options, page.path, name or str(target.endpoint), self._headers)
        start_tls = options.start_tls(name) if options.tls else None
        return page, start_tls, Send(request.encode(options.http_protocol))
