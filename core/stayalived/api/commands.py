"""The language of the control socket: one line of JSON asks, one line answers.

    {"verb": "status"}                     → {"accepted": true, "text": "", "pid": 4711, "status": {…}}
    {"verb": "reload", "force": true}      → {"accepted": false, "text": "refused", "problems": ["…"], "pid": 4711}
    {"verb": "stop", "leave": true}        → {"accepted": true, "text": "stopping", "pid": 4711}
    {"verb": "in-force"}                   → {"accepted": true, "generation": 3, "configuration": "…", "told": […]}
    {"verb": "drain", "server": "web/tic", "seconds": 60}
    {"verb": "weight", "server": "web/tic", "weight": 5}      without a weight: as configured again

An answer to what changes something comes when the supervisor has one. `in-force` is for root alone, since a
configuration holds secrets.
"""

from typing import Annotated

import msgspec

from stayalived.api.document import Document
from stayalived.messages.services import BIGGEST_WEIGHT

STATUS = "status"
RELOAD = "reload"
STOP = "stop"
IN_FORCE = "in-force"
SECRET = frozenset({IN_FORCE})
DRAIN = "drain"
UNDRAIN = "undrain"
WEIGHT = "weight"
OF_A_SERVER = frozenset({DRAIN, UNDRAIN, WEIGHT})
READING = frozenset({STATUS})
CHANGING = frozenset({RELOAD, STOP}) | OF_A_SERVER
LONGEST_NAME = 1024
LONGEST_SECONDS = 365 * 86_400
LINE_LIMIT = 4096
"""Longest line in bytes that a client may send."""


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client asks.

    Attributes:
        verb: one of `READING` and `CHANGING`.
        force: do it although much would go.
        leave: of `stop`: the kernel's IPVS table stays.
        server: of `OF_A_SERVER`: which one, `service42/tic`.
        weight: of `weight`: the one it is to have, or None: as configured.
        seconds: of `drain`: how long to wait for connections; of `weight`: how long it holds; 0: for ever.
    """

    verb: str
    force: bool = False
    leave: bool = False
    server: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)] = ""
    weight: Annotated[int, msgspec.Meta(ge=0, le=BIGGEST_WEIGHT)] | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_SECONDS)] = 0


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What it gets. `problems` are lines for people; `pid` is the supervisor's, so that its end can be waited for.

    Attributes:
        configuration: the one in force, as `config.model` encodes it.
        config_dir: folder that it was read from.
        told: topic, key and body of what vrrp and ipvs would be retold if they started anew.
    """

    accepted: bool
    text: str = ""
    pid: int = 0
    generation: int = 0
    problems: tuple[str, ...] = ()
    status: Document | None = None
    configuration: bytes = b""
    config_dir: str = ""
    told: tuple[tuple[str, str, bytes], ...] = ()


class BadCommand(ValueError):
    """The line is no command."""


_commands = msgspec.json.Decoder(Command)
_answers = msgspec.json.Decoder(Answer)
_encoder = msgspec.json.Encoder()


def read_command(line: bytes) -> Command:
    """Return the command that a line holds.

    Raises:
        BadCommand: it holds none, or a verb that nobody knows.
    """
    try:
        command = _commands.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadCommand(f"not a command: {error}") from error
    known_verbs = READING | CHANGING | SECRET
    if command.verb not in known_verbs:
        known = ", ".join(sorted(known_verbs))
        raise BadCommand(f"unknown verb {command.verb!r}; known are {known}")
    return command


def write_command(command: Command) -> bytes:
    """Return the line for a command."""
    return _encoder.encode(command) + b"\n"


def read_answer(line: bytes) -> Answer:
    """Return the answer that a line holds.

    Raises:
        BadCommand: it holds none; the daemon is of another version, or it is not the daemon.
    """
    try:
        return _answers.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadCommand(f"not an answer: {error}") from error


def write_answer(answer: Answer) -> bytes:
    """Return the line for an answer."""
    return _encoder.encode(answer) + b"\n"
