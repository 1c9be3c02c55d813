"""The checks that come with stayalived. They use `stayalived.plugin` only, as anybody's do."""

from collections.abc import Iterable

from stayalived.plugin import Check, hookimpl
from stayalived_plugins.checks.command import CommandCheck
from stayalived_plugins.checks.file import FileCheck
from stayalived_plugins.checks.http import HttpCheck
from stayalived_plugins.checks.process import ProcessCheck
from stayalived_plugins.checks.tcp import TcpCheck


@hookimpl
def stayalived_checks() -> Iterable[type[Check]]:
    """Return the bundled check types."""
    return (CommandCheck, FileCheck, HttpCheck, ProcessCheck, TcpCheck)
