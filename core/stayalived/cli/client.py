"""I/O: one question to a running daemon over its control socket."""

import socket
from pathlib import Path

import click

from stayalived.api.commands import Answer, BadCommand, Command, read_answer, write_command
from stayalived.api.door import SOCKET_NAME, reachable

ANSWER_LIMIT = 130.0  # seconds; api itself gives up on the supervisor after 120
MOST_BYTES = 256 << 20  # of an answer; the status of 10,000 servers has some 5 MB
_PIECE = 1 << 16


class NoDaemon(click.ClickException):
    """Nobody answers. The text names the socket and what can be done."""


class LostDaemon(click.ClickException):
    """The daemon went away before it had answered."""


def ask(run_dir: Path, command: Command, *, limit: float = ANSWER_LIMIT) -> Answer:
    """Send a command and return the answer, whether it is accepted or not.

    Raises:
        NoDaemon: there is no daemon, or we may not talk to it.
        LostDaemon: it did not answer.
    """
    path = run_dir / SOCKET_NAME
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(limit)
        try:
            with reachable(path) as name:
                connection.connect(name)
        except OSError as error:
            raise NoDaemon(explain(path, error)) from error
        return _converse(connection, path, write_command(command))


def _converse(connection: socket.socket, path: Path, question: bytes) -> Answer:
    try:
        connection.sendall(question)
        line = _read_line(connection)
    except OSError as error:
        raise LostDaemon(f"{path}: the daemon did not answer: {error}") from error
    if not line:
        text = "the daemon closed the connection without an answer: too many are connected, or it ended; see its log"
        raise LostDaemon(f"{path}: {text}")
    try:
        return read_answer(line)
    except BadCommand as error:
        raise LostDaemon(f"{path}: {error}; is the daemon of another version?") from error


def _read_line(connection: socket.socket) -> bytes:
    line = bytearray()
    while len(line) < MOST_BYTES:
        data = connection.recv(_PIECE)
        line += data
        if not data or data.endswith(b"\n"):
            break
    return bytes(line)


def explain(path: Path, error: OSError) -> str:
    """Return why nobody answers at a socket, and what can be done."""
    match error:
        case FileNotFoundError() | ConnectionRefusedError() | NotADirectoryError():
            return (
                f"no daemon answers at {path}: start one with `stayalived run` or `systemctl start stayalived`, "
                "or name the folder of another with --run-dir"
            )
        case PermissionError():
            return f"{path}: permission denied; ask as root or as a member of the group stayalived"
        case _:
            return f"{path}: {error.strerror or error}"
