"""The hooks that a plugin may implement: three that register, two that observe.

Implementations are marked with `stayalived.plugin.hookimpl` and found through the entry-point group `stayalived`.
A misspelt hook is an error at start. An observer is called alone, with a time limit: what it raises is its own loss.
"""

from collections.abc import Iterable, Sequence

import pluggy

from stayalived.config.model import Configuration
from stayalived.config.problems import Problem
from stayalived.messages.notify import Event
from stayalived.plugin.checks import Check
from stayalived.plugin.notifiers import Notifier
from stayalived.plugin.schedulers import Scheduler

PROJECT = "stayalived"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def stayalived_checks() -> Iterable[type[Check]]:  # type: ignore[empty-body]  # a specification has no body
    """Return the check types that this plugin brings. Called once, before any configuration is read."""


@hookspec
def stayalived_notifiers() -> Iterable[type[Notifier]]:  # type: ignore[empty-body]  # a specification has no body
    """Return the notify action types that this plugin brings. Called once, before any configuration is read."""


@hookspec
def stayalived_schedulers() -> Iterable[type[Scheduler]]:  # type: ignore[empty-body]  # a specification has no body
    """Return the scheduler policies that this plugin brings. Called once, before any configuration is read."""


@hookspec
def stayalived_event(event: Event) -> None:
    """Take note of an event, after it happened. Runs in the notify process of this plugin's distribution."""


@hookspec
def stayalived_config_loaded(config: Configuration) -> Sequence[Problem]:  # type: ignore[empty-body]  # as above
    """Look at a complete configuration and return problems with it, never a change of it. Runs in the config child."""
