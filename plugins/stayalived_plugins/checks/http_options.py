"""What a user may say to the check `http`."""

from typing import Literal

import msgspec

from stayalived.plugin import Secret
from stayalived_plugins.checks.http_page import Page
from stayalived_plugins.checks.http_request import MOST_BODY, authorization, check_headers
from stayalived_plugins.checks.http_status import Status
from stayalived_plugins.checks.tls import TlsOptions

MOST_REDIRECTS = 10


class HttpOptions(TlsOptions, frozen=True, kw_only=True):
    """Options of the check `http`.

    Attributes:
        url: pages to ask for: tables of `path`, `status_code`, `digest`, `regex`, `virtualhost` and the like.
        path: the page to ask for when there is no `url`.
        status_code: accepted codes: `200`, `"200-299"`, or a list of these.
        virtualhost: name for the Host header and for TLS; when left out that of the server.
        http_protocol: `1.0`, `1.0C` (with Connection: close), `1.1`, or `2`: by ALPN with `tls`, else at once.
        method: what to do with the page.
        headers: further headers, by name.
        body: what to send along.
        user: user for basic authentication.
        password: password for basic authentication.
        bearer: token for bearer authentication.
        body_limit: longest body in bytes that is read for `digest` or `regex`.
        follow_redirects: how many redirects in a row are followed, on this same server.
        tls: speak TLS.
    """

    url: tuple[Page, ...] = ()
    path: str = "/"
    status_code: Status = "200-299"
    virtualhost: str = ""
    http_protocol: Literal["1.0", "1.0C", "1.1", "2"] = "1.0"
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT"] = "GET"
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: str = ""
    user: str = ""
    password: Secret | None = None
    bearer: Secret | None = None
    body_limit: int = 1048576
    follow_redirects: int = 0
    tls: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        super().__post_init__()
        Page(path=self.path, status_code=self.status_code, virtualhost=self.virtualhost)
        check_headers(self.headers)
        authorization(self.user, self.password, self.bearer)
        if not self.tls:
            self.refuse_tls("tls = true")
        if self.url and self.path != "/":
            raise ValueError("path and url exclude each other; give the path in each url")
        if self.method == "HEAD" and any(page.digest or page.regex for page in self.url):
            raise ValueError("method HEAD gets no body for digest or regex; use GET")
        if self.body and (self.method in {"GET", "HEAD"} or len(self.body.encode()) > MOST_BODY):
            raise ValueError(f"body goes with method POST, PUT or OPTIONS and has at most {MOST_BODY} bytes")
        if self.body_limit < 1:
            raise ValueError("body_limit must be at least 1")
        if not 0 <= self.follow_redirects <= MOST_REDIRECTS:
            raise ValueError("follow_redirects must be from 0 to 10")
