"""What a gRPC server answers to the question whether it serves, and where in it the answer can be no."""

from collections.abc import Sequence
from urllib.parse import unquote

from stayalived.plugin import Verdict

MOST_REPLY = 4096
"""Bytes of a message."""

# https://github.com/grpc/grpc/blob/master/doc/health-checking.md: enum ServingStatus
_STATES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
# https://grpc.io/docs/guides/status-codes/, in the order of their numbers
_NAMES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS "
    "UNAUTHENTICATED"
)
_CODES = {str(number): name for number, name in enumerate(_NAMES.split())}
_PREFIX = 5  # of a message: a byte for compression, four for its length


class GrpcAnswer:
    """Takes in an answer of gRPC."""

    def __init__(self) -> None:
        self.flaw = ""
        self._fields: dict[str, str] = {}
        self._body = b""
        self._is_complete = False

    @property
    def is_ready(self) -> bool:
        """Whether it is complete, or has a flaw."""
        return self._is_complete or bool(self.flaw)

    def take_fields(self, fields: Sequence[tuple[str, str]]) -> None:
        """Take in the head, or the trailers."""
        self._fields.update(fields)

    def take_body(self, data: bytes) -> None:
        """Take in a piece of the message."""
        self._body += data
        if len(self._body) > MOST_REPLY:
            self.flaw = f"a message of more than {MOST_REPLY} bytes"

    def take_end(self) -> None:
        """Note the end."""
        self._is_complete = True

    def verdict(self) -> Verdict:
        """Return what the answer says."""
        status, code = self._fields.get(":status", "none"), self._fields.get("grpc-status", "none")
        if status != "200":
            return Verdict.failed("http", status, "200")
        if code != "0":
            named = _CODES.get(code, code)
            said = unquote(self._fields.get("grpc-message", ""))[:200]
            return Verdict.failed("grpc", f"{named}: {said}" if said else named, "OK")
        state = _state(self._body[_PREFIX:])
        if state != "SERVING":
            return Verdict.failed("status", state, "SERVING")
        return Verdict.passed("status", state)


def _state(message: bytes) -> str:
    """Return the state in a HealthCheckResponse: field 1, a number; one that is left out is 0 (proto3)."""
    if not message:
        return _STATES[0]
    if len(message) == 2 and message[0] == 0x08 and message[1] < len(_STATES):
        return _STATES[message[1]]
    return f"an unknown message {message[:20].hex()}"
