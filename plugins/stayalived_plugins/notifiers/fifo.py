"""The action `fifo`: lines in a named pipe, byte for byte as keepalived writes them, N10 to N15 (I/O: asyncio)."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from stayalived.plugin import Event, Notifier, NotifierOptions, Program, Room, Tools, seconds
from stayalived_plugins.notifiers.pipe import Pipe
from stayalived_plugins.notifiers.places import Places

LONGEST_RUN = seconds(86_400)  # what the runner allows; a reader that has run so long is started anew
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds until a reader that has ended is started again
_STATES = {
    "master": "MASTER",
    "backup": "BACKUP",
    "fault": "FAULT",
    "stop": "STOP",
    "deleted": "DELETED",
    "lower_priority": "MASTER_RX_LOWER_PRI",
}
_TYPES = {"instance": "INSTANCE", "group": "GROUP"}
_UPS = {"up": "UP", "down": "DOWN", "quorum_up": "UP", "quorum_down": "DOWN"}
_VRRP, _LVS = frozenset({"instance", "group"}), frozenset({"virtual_server", "real_server"})
_SUBJECTS = {"all": _VRRP | _LVS, "vrrp": _VRRP, "lvs": _LVS}


class Fifo(Notifier):
    """Writes a line for each event into a FIFO, in keepalived's format.

    `INSTANCE "tic" MASTER 200`, `GROUP "both" FAULT 0`, `VS [192.0.2.1]:tcp:80 UP`,
    `RS [192.0.2.11]:tcp:80 [192.0.2.1]:tcp:80 DOWN`. A virtual server with several addresses has a line for each, for
    each would be a virtual server of its own there. The NUL byte that keepalived writes after a line of VS or RS is
    left out.

    Readers may come and go: while there is none, the pipe keeps 64 KiB, and this action 1,000 lines more. After that
    the oldest are left out, and how many those were is logged.
    """

    name = "fifo"
    usual = frozenset([*_STATES, *_UPS])

    class Options(NotifierOptions, frozen=True, kw_only=True):
        """Options of the action `fifo`.

        Attributes:
            fifo: its path; it is made when the process that tells events starts, for the user `stayalived` to write
                and for everybody to read.
            about: what it is told: `vrrp` instances and groups, `lvs` virtual and real servers, or `all`.
            states_on_reload: whether after a reload a line says again where each instance and each group stands.
            command: a program that reads it: its whole path, and its arguments; the path of the FIFO is appended. It is
                started again when it ends.
            user: whom that runs as; when left out `script_user` of `[global]`.
            group: its primary group; when left out the user's own.
        """

        fifo: str
        about: Literal["all", "vrrp", "lvs"] = "all"
        states_on_reload: bool = False
        command: tuple[str, ...] = ()
        user: str = ""
        group: str = ""

        def __post_init__(self) -> None:
            """Refuse what could never be opened; the path becomes the last word of the command."""
            if not self.fifo.startswith("/") or "\0" in self.fifo:
                raise ValueError('fifo must be a whole path, such as "/run/stayalived/events"')
            if self.command and not self.command[0].startswith("/"):
                raise ValueError('command must begin with a whole path, such as ["/etc/stayalived/read.sh"]')
            if self.command and self.command[-1] != self.fifo:
                msgspec.structs.force_setattr(self, "command", (*self.command, self.fifo))

    options: Options

    def __init__(self, options: Options) -> None:
        """Take over the options; nothing is opened yet."""
        super().__init__(options)
        self._room: Room | None = None
        self._pipe: Pipe | None = None
        self._places = Places()
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    def implied(cls, common: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """Return the FIFOs of `[global]`: `notify_fifo`, `vrrp_notify_fifo`, `lvs_notify_fifo`, and their readers."""
        more: dict[str, Any] = {}
        if common.get("fifo_write_vrrp_states_on_reload", False):
            more["states_on_reload"] = True
        if common.get("vrrp_notify_priority_changes", False):
            more["on"] = sorted((*cls.usual, "priority"))
        for prefix, about in (("", "all"), ("vrrp_", "vrrp"), ("lvs_", "lvs")):
            key = f"{prefix}notify_fifo"
            if key in common:
                script = common.get(f"{key}_script", {})
                reader = dict(script) if isinstance(script, Mapping) else {"command": script}
                command = reader.get("command")
                if isinstance(command, str):
                    reader["command"] = command.split()
                yield key, {"fifo": common[key], "about": about, **more, **reader}

    def open(self, room: Room) -> None:
        """Start the reader, and open the FIFO: actions of one path share it."""
        self._room = room
        path = self.options.fifo
        self._pipe = room.share(path, lambda: Pipe(path, room.report))
        self._pipe.open()
        if self.options.command:
            self._reading = asyncio.get_running_loop().create_task(self._read(room))

    async def close(self) -> None:
        """Close the FIFO and end its reader."""
        if self._pipe is not None:
            self._pipe.close()
        if self._reading is not None:
            self._reading.cancel()

    async def notify(self, event: Event, tools: Tools) -> None:  # noqa: ARG002  (its program runs all the time)
        """Write the line, or the lines, of one event."""
        self._write(event)

    def restate(self, event: Event) -> None:
        """Write the line of a state that is no news, where that is wanted (N17)."""
        if self.options.states_on_reload:
            self._write(event)

    def _write(self, event: Event) -> None:
        if self._pipe is None or self._room is None or event.subject_type not in _SUBJECTS[self.options.about]:
            return
        self._places.learn(self._room.configuration)
        for line in lines(event, self._places):
            self._pipe.write(line)

    async def _read(self, room: Room) -> None:
        """Keep the reader running."""
        pause = FIRST_PAUSE
        loop = asyncio.get_running_loop()
        options = self.options
        while True:
            began = loop.time()
            program = Program(argv=options.command, user=options.user, group=options.group, limit=LONGEST_RUN)
            outcome = await room.run(program)
            if loop.time() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            room.report(f"{options.command[0]}, which reads {options.fifo}: {outcome}; it is started again")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def lines(event: Event, places: Places) -> list[bytes]:
    """Return the lines of one event as keepalived writes them; none for an event that it does not have."""
    if event.subject_type in _VRRP:
        state = f"{event.new}_PRIORITY" if event.kind == "priority" else _STATES.get(event.kind)
        priority = event.priority if event.subject_type == "instance" else 0
        return (
            [] if state is None else [f'{_TYPES[event.subject_type]} "{event.subject}" {state} {priority}\n'.encode()]
        )
    state = _UPS.get(event.kind)
    if state is None:
        return []
    if event.subject_type == "virtual_server":
        return [f"VS {address} {state}\n".encode() for address in places.services(event.subject)]
    return [f"RS {own} {service} {state}\n".encode() for own, service in places.servers(event.subject)]
