"""The check `grpc`: does a gRPC server say that it serves? grpc.health.v1 over HTTP/2; messages of a few bytes."""

from stayalived.plugin import Check, Connect, Steps, Target, Verdict
from stayalived_plugins.checks.grpc_answer import GrpcAnswer
from stayalived_plugins.checks.http_request import AGENT
from stayalived_plugins.checks.tls import TlsOptions

MOST_SERVICE = 120
"""Characters of a service's name: its length is one byte then, on both levels of the message."""


class GrpcCheck(Check):
    """Does a gRPC server say of itself, or of one of its services, that it serves?"""

    name = "grpc"

    class Options(TlsOptions, frozen=True, kw_only=True):
        """Options of the check `grpc`.

        Attributes:
            service: the service to ask for; when left out the whole server.
            tls: speak TLS.
        """

        service: str = ""
        tls: bool = False

        def __post_init__(self) -> None:
            """Refuse what contradicts itself."""
            super().__post_init__()
            if not self.service.isascii() or len(self.service) > MOST_SERVICE:
                raise ValueError(f"service must be ASCII of at most {MOST_SERVICE} characters")
            if not self.tls:
                self.refuse_tls("tls = true")

    options: Options

    def __init__(self, options: Options) -> None:
        """Compose the question, once."""
        super().__init__(options)
        from stayalived_plugins.checks.http2 import exchange  # noqa: PLC0415  (h2 is for those who want it)

        self._exchange = exchange
        service = options.service.encode()
        request = b"\x0a" + bytes((len(service),)) + service if service else b""  # HealthCheckRequest: field 1, text
        self._message = b"\0" + len(request).to_bytes(4, "big") + request

    def steps(self, target: Target) -> Steps:
        """Ask, and look at the three places in which the answer can be no."""
        yield Connect()
        if self.options.tls:
            chosen = yield self.options.start_tls(target.virtual_host, ("h2",))
            if chosen != b"h2":
                return Verdict.failed("answer", "no h2 among the protocols of TLS (ALPN)")
        answer = GrpcAnswer()
        yield from self._exchange(self._fields(target), self._message, answer)
        return Verdict.failed("answer", answer.flaw) if answer.flaw else answer.verdict()

    def _fields(self, target: Target) -> list[tuple[str, str]]:
        """Return the head of the request."""
        return [
            (":method", "POST"),
            (":scheme", "https" if self.options.tls else "http"),
            (":authority", target.virtual_host or str(target.endpoint)),
            (":path", "/grpc.health.v1.Health/Check"),
            ("content-type", "application/grpc"),
            ("user-agent", AGENT),
            ("te", "trailers"),
        ]
