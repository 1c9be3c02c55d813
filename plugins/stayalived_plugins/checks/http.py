"""The check `http`: does a web server answer with the right status, and the right page?"""

from typing import Literal

from stayalived.plugin import Check, CheckOptions, Connect, Receive, Send, StartTls, Steps, Target, Verdict
from stayalived_plugins.checks.http_page import Answer, Expectation, Page, Status

_PROTOCOLS = {"1.0": ("1.0", ""), "1.0C": ("1.0", "Connection: close\r\n"), "1.1": ("1.1", "Connection: close\r\n")}


class HttpCheck(Check):
    """Does a web server answer with the right status, and the right page?

    Each page is asked for on a connection of its own; the first that fails decides. Redirects are not followed. A body
    is read only where `digest` or `regex` ask for it.
    """

    name = "http"

    class Options(CheckOptions, frozen=True, kw_only=True):
        """Options of the check `http`.

        Attributes:
            url: pages to ask for: tables of `path`, `status_code`, `digest`, `regex`, `virtualhost`.
            path: the page to ask for when there is no `url`.
            status_code: accepted codes: `200`, `"200-299"`, or a list of these.
            virtualhost: name for the Host header and for TLS; when left out that of the server.
            http_protocol: `1.0`, `1.0C` (with Connection: close) or `1.1`.
            method: `GET` or `HEAD`.
            body_limit: longest body in bytes that is read for `digest` or `regex`.
            tls: speak TLS.
            verify: whether the certificate must be valid.
            ca: file of the authorities that may have signed it; when left out those of the system.
        """

        url: tuple[Page, ...] = ()
        path: str = "/"
        status_code: Status = "200-299"
        virtualhost: str = ""
        http_protocol: Literal["1.0", "1.0C", "1.1"] = "1.0"
        method: Literal["GET", "HEAD"] = "GET"
        body_limit: int = 1048576
        tls: bool = False
        verify: bool = True
        ca: str = ""

        def __post_init__(self) -> None:
            """Refuse what contradicts itself."""
            Page(path=self.path, status_code=self.status_code, virtualhost=self.virtualhost)
            if self.url and self.path != "/":
                raise ValueError("path and url exclude each other; give the path in each url")
            if self.method == "HEAD" and any(page.digest or page.regex for page in self.url):
                raise ValueError("method HEAD gets no body for digest or regex; use GET")
            if self.body_limit < 1:
                raise ValueError("body_limit must be at least 1")

    options: Options

    def __init__(self, options: Options) -> None:
        """Look up what the options say, once."""
        super().__init__(options)
        pages = options.url or (Page(path=options.path),)
        self._pages = [Expectation(page, options.status_code, options.virtualhost) for page in pages]

    def steps(self, target: Target) -> Steps:
        """Ask for each page until one fails."""
        verdict = Verdict.passed()
        for page in self._pages:
            host = page.virtualhost or target.virtual_host
            yield Connect()
            if self.options.tls:
                name = host.partition(":")[0]
                yield StartTls(server_name=name, verify=self.options.verify, ca=self.options.ca)
            yield Send(self._request(page.path, host or str(target.endpoint)))
            answer = Answer(wants_body=page.wants_body, body_limit=self.options.body_limit)
            while not answer.is_ready:
                answer.feed((yield Receive()))
            verdict = Verdict.failed("answer", answer.flaw) if answer.flaw else page.judge(answer)
            if not verdict.up:
                break
        return verdict

    def _request(self, path: str, host: str) -> bytes:
        """Return what is sent for a page."""
        version, closing = _PROTOCOLS[self.options.http_protocol]
        line = f"{self.options.method} {path} HTTP/{version}\r\n"
        return f"{line}User-Agent: StayalivedClient\r\nHost: {host}\r\n{closing}\r\n".encode()
