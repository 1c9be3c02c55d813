"""A configuration with nothing in it but what a test says: for the roles that read little of one."""

from typing import Any

import msgspec

from stayalived.config.model import BUNDLED, Action, Configuration, Globals
from stayalived.timing import Duration

_GLOBALS = Globals(
    router_id="lb1",
    host_id="tic",
    child_wait_time=Duration(5_000_000_000),
    script_user="keepalived_script",
    start_hold=Duration(0),
    start_rate=1000,
    dynamic_interfaces=False,
    realtime=False,
    flush=False,
    log="stderr",
    log_facility="daemon",
    log_level="info",
)


def configuration(*actions: Action, **globals_changed: Any) -> Configuration:
    """Return a configuration with these actions, and these keys of `[global]` changed."""
    return Configuration(
        globals=msgspec.structs.replace(_GLOBALS, **globals_changed),
        instances=(),
        virtual_servers=(),
        tracked_checks=(),
        actions=actions,
        distributions=(),
    )


def action(
    subject: str = "instance tic",
    on: tuple[str, ...] = (),
    distribution: str = BUNDLED,
    kind: str = "script",
    **options: Any,
) -> Action:
    """Return an action with these options."""
    return Action(subject=subject, type=kind, distribution=distribution, on=on, options=msgspec.msgpack.encode(options))
