"""What a configuration names of its machine and what is not there: told by `check`, not when a script should run."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath

import msgspec

from stayalived.config.findings import Findings, Path, shown
from stayalived.config.general import GlobalTable
from stayalived.config.machine import Machine

_LOG_FILE = "file:"
_USE = "make it, or name another one"


def look_at_machine(
    table: GlobalTable, commands: Sequence[tuple[bytes, Path]], machine: Machine, findings: Findings
) -> None:
    """Note users and groups that do not exist (errors), and programs and folders that cannot be used (warnings).

    Args:
        table: `[global]`.
        commands: options of actions and checks with the place of each; `command`, `user` and `group` mean a program.
        machine: is asked.
        findings: where to note it.
    """
    folder = PurePath(table.log.removeprefix(_LOG_FILE)).parent
    if table.log.startswith(_LOG_FILE) and not machine.has_folder(str(folder)):
        findings.warn(("global", "log"), f"there is no folder {folder}; make it", found=shown(table.log))
    script_user = _user(table.script_user, ("global", "script_user"), machine, findings)
    for options, path in commands:
        _look_at_command(options, path, script_user, machine, findings)


def _look_at_command(data: bytes, path: Path, script_user: int | None, machine: Machine, findings: Findings) -> None:
    options = msgspec.msgpack.decode(data)
    command = options.get("command") if isinstance(options, Mapping) else None
    if not (isinstance(command, list) and command and isinstance(command[0], str)):
        return
    user, group = options.get("user") or "", options.get("group") or ""
    owner = _user(str(user), (*path, "user"), machine, findings) if user else script_user
    if group and not machine.has_group(str(group)):
        findings.error((*path, "group"), f"there is no such group; {_USE}", found=shown(group))
    refusal = "" if owner is None else machine.refusal(command[0], owner)
    if refusal:
        findings.warn((*path, "command"), f"would not be run: {refusal}")


def _user(name: str, path: Path, machine: Machine, findings: Findings) -> int | None:
    found = machine.user(name)
    if found is None:
        findings.error(path, f"there is no such user; {_USE}", found=shown(name))
    return found
