"""One script, two daemons: what keepalived and ours tell it of the same things, on two wires that are alike."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from namespaces.daemon import Daemon
from namespaces.lab import Host, Lab
from namespaces.peers import Keepalived
from namespaces.voices import advert, say
from namespaces.waiting import wait_until

PRIORITY = 100
LIMIT = 10.0
OURS, THEIRS = "ours", "theirs"
SCRIPT = """\
#!/bin/sh
# keepalived starts two scripts of one event and awaits none: their numbers say which was first
echo "$$ $*" >>{out}
"""


@dataclass(frozen=True)
class Wish:
    """What one instance, or the group of two, has for scripts: keepalived's keyword and, in ours, the event for it."""

    name: str
    number: int
    scripts: tuple[str, ...]
    group: bool = False


ON = {
    "notify_master": "master",
    "notify_backup": "backup",
    "notify_fault": "fault",
    "notify_stop": "stop",
    "notify_master_rx_lower_pri": "lower_priority",
    "notify_deleted": "deleted",
    "notify": "",
}
SPECIFIC = ("notify_master", "notify_backup", "notify_fault", "notify_stop")
GENERAL = "general"
WISHES = (
    Wish(GENERAL, 1, ("notify",)),
    Wish("specific", 2, SPECIFIC),
    Wish("both", 3, ("notify", *SPECIFIC)),
    Wish("lower", 4, ("notify", "notify_master_rx_lower_pri")),
    Wish("some", 5, ("notify_fault", "notify_master", "notify_deleted", "notify")),
    Wish("one", 6, ("notify",)),
    Wish("two", 7, ("notify_master", "notify_backup", "notify_fault")),
)
GROUP = Wish("pair", 0, ("notify", *SPECIFIC), group=True)
MEMBERS = ("one", "two")
SUBJECTS = tuple(wish.name for wish in (*WISHES, GROUP))


def vip(wish: Wish) -> str:
    """Return the address of an instance."""
    return f"192.0.2.{100 + wish.number}"


@dataclass
class Side:
    """One of the two daemons, its host, and what its script was told."""

    host: Host
    voice: Host
    folder: Path
    out: Path = field(init=False)
    script: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.out, self.script = self.folder / "out", self.folder / "notify.sh"
        self.script.write_text(SCRIPT.format(out=self.out))
        self.script.chmod(0o755)

    def told(self, subject: str) -> list[str]:
        """Return what the scripts of a subject were told, in the order in which they were started."""
        lines = self.out.read_text().splitlines() if self.out.exists() else []
        rows = [line.split(" ", 2) for line in sorted(lines, key=self.order)]
        return [words for _, name, words in rows if name == subject]

    def order(self, line: str) -> int:
        """Return the place of a line: ours stand in their order."""
        return 0

    def start(self, names: tuple[str, ...]) -> None:
        """Start the daemon with these instances."""
        raise NotImplementedError

    def reload(self, names: tuple[str, ...]) -> None:
        """Let it go on with these."""
        raise NotImplementedError

    def stop(self) -> None:
        """Let it end in order."""
        raise NotImplementedError


class OurSide(Side):
    """stayalived."""

    def start(self, names: tuple[str, ...]) -> None:
        self.daemon = Daemon(self.host, {"10-vrrp.toml": self._text(names)})
        self.daemon.start()

    def reload(self, names: tuple[str, ...]) -> None:
        self.daemon.write({"10-vrrp.toml": self._text(names)})
        done = self.daemon.reload()
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        assert self.daemon.stop() == 0

    def _text(self, names: tuple[str, ...]) -> str:
        parts = ['[global]\nscript_user = "root"\n']
        parts.extend(self._instance(wish) for wish in WISHES if wish.name in names)
        if set(MEMBERS) <= set(names):
            parts.append(f"[vrrp_sync_group.{GROUP.name}]\ngroup = {json.dumps(MEMBERS)}\n{self._notify(GROUP)}")
        return "\n".join(parts)

    def _instance(self, wish: Wish) -> str:
        return (
            f'[vrrp_instance.{wish.name}]\ninterface = "eth0"\nvirtual_router_id = {wish.number}\n'
            f"priority = {PRIORITY}\nadvert_int = 0.2\nversion = 3\n"
            f'virtual_ipaddress = ["{vip(wish)}/24"]\n{self._notify(wish)}'
        )

    def _notify(self, wish: Wish) -> str:
        return f"notify = [{', '.join(self._action(wish, script) for script in wish.scripts)}]\n"

    def _action(self, wish: Wish, script: str) -> str:
        command = json.dumps([str(self.script), wish.name, script])
        on = f', on = ["{ON[script]}"], arguments = "none"' if ON[script] else ""
        return f'{{ type = "script", command = {command}{on} }}'


class TheirSide(Side):
    """keepalived."""

    def order(self, line: str) -> int:
        return int(line.split(maxsplit=1)[0])

    def start(self, names: tuple[str, ...]) -> None:
        self.daemon = Keepalived(self.host, self._text(names))
        self.daemon.start()

    def reload(self, names: tuple[str, ...]) -> None:
        self.daemon.config.write_text(self._text(names))
        self.daemon.process.send(signal.SIGHUP)

    def stop(self) -> None:
        assert self.daemon.stop() == 0

    def _text(self, names: tuple[str, ...]) -> str:
        parts = ["global_defs {\n  script_user root\n  vrrp_version 3\n}"]
        parts.extend(self._instance(wish) for wish in WISHES if wish.name in names)
        if set(MEMBERS) <= set(names):
            members = "\n    ".join(MEMBERS)
            parts.append(f"vrrp_sync_group {GROUP.name} {{\n  group {{\n    {members}\n  }}\n{self._notify(GROUP)}}}")
        return "\n".join(parts) + "\n"

    def _instance(self, wish: Wish) -> str:
        return (
            f"vrrp_instance {wish.name} {{\n  state BACKUP\n  interface eth0\n"
            f"  virtual_router_id {wish.number}\n  priority {PRIORITY}\n  advert_int 0.2\n"
            f"  virtual_ipaddress {{\n    {vip(wish)}/24\n  }}\n{self._notify(wish)}}}"
        )

    def _notify(self, wish: Wish) -> str:
        return "".join(f'  {script} "{self.script} {wish.name} {script}"\n' for script in wish.scripts)


class Pair:
    """Both of them, each alone with somebody who says adverts."""

    def __init__(self, lab: Lab) -> None:
        lab.folder.chmod(0o755)
        self.names = tuple(wish.name for wish in WISHES)
        self.sides = {
            name: kind(
                lab.host(name, "192.0.2.1/24", segment=segment),
                lab.host(f"voice-{name}", "192.0.2.9/24", segment=segment),
                lab.folder / f"script-{name}",
            )
            for name, kind in ((OURS, OurSide), (THEIRS, TheirSide))
            for segment in (lab.segment(f"wire-{name}"),)
        }
        self._states: list[str] = []

    def each(self, act: Callable[[Side], None]) -> None:
        """Do the same to both."""
        for side in self.sides.values():
            act(side)

    def wait_for(self, *states: str) -> None:
        """Wait until both have told these states next: to the general script alone, then to all others too."""
        self._states += states
        for name, side in self.sides.items():
            what = f"{name} to tell {states}: {side.told(GENERAL)}"
            wait_until(lambda side=side: len(side.told(GENERAL)) >= len(self._states), within=LIMIT, what=what)
            found = [line.split()[3] for line in side.told(GENERAL)[len(self._states) - len(states) :]]
            assert list(states) == found, f"{name}: {side.told(GENERAL)}"
            for wish in (*WISHES, GROUP):
                what = f"{name} to tell {self._states} to the scripts of {wish.name}: {side.told(wish.name)}"
                wait_until(lambda side=side, wish=wish: self._is_told(side, wish), within=LIMIT, what=what)

    def _is_told(self, side: Side, wish: Wish) -> bool:
        """Return whether each script of a subject was called for each state so far that it is there for."""
        lines = side.told(wish.name)
        for state in set(self._states):
            called = {f"notify_{state.lower()}": 0, "notify": 0}
            for line in lines:
                script, *words = line.split()
                if script in called and (not words or words[2] == state):
                    called[script] += 1
            if any(times < self._states.count(state) for script, times in called.items() if script in wish.scripts):
                return False
        return True

    def wait_for_word(self, subject: str, word: str) -> None:
        """Wait until a script of a subject was called by both for what keepalived calls so."""
        for name, side in self.sides.items():
            what = f"{name} to call {word}: {side.told(subject)}"
            wait_until(lambda side=side: word in side.told(subject), within=LIMIT, what=what)

    def say(self, priority: int) -> None:
        """Let somebody advertise all instances once with this priority."""
        for side in self.sides.values():
            for wish in WISHES:
                message = advert([vip(wish)], priority=priority, source="192.0.2.9", number=wish.number)
                say(side.voice, message)

    def settle(self) -> None:
        """Wait until no script of either is told anything more: each has been told as much as the other."""
        wait_until(
            lambda: all(len(self.sides[OURS].told(name)) == len(self.sides[THEIRS].told(name)) for name in SUBJECTS),
            within=LIMIT,
            what=f"both to tell the same number of things: {self.differences()}",
        )

    def differences(self) -> dict[str, tuple[list[str], list[str]]]:
        """Return what each has told of the subjects of which they told different things, ours first."""
        told = {name: (self.sides[OURS].told(name), self.sides[THEIRS].told(name)) for name in SUBJECTS}
        return {name: pair for name, pair in told.items() if pair[0] != pair[1]}
