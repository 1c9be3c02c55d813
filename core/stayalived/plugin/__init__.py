"""All that a plugin imports. What is not named here is not for plugins and may change at any time."""

from stayalived.addresses import Endpoint
from stayalived.config.model import Configuration, VirtualServer
from stayalived.config.problems import Problem
from stayalived.config.secret import Secret
from stayalived.errors import PluginFailure
from stayalived.messages.notify import Event
from stayalived.plugin.checks import (
    Check,
    CheckOptions,
    Connect,
    Connection,
    LocalFailure,
    Net,
    NetworkFailure,
    PeerCertificate,
    Receive,
    Send,
    StartTls,
    Step,
    Steps,
    Target,
    Verdict,
)
from stayalived.plugin.hookspecs import hookimpl
from stayalived.plugin.notifiers import Level, Notifier, NotifierOptions, Room, Tools
from stayalived.plugin.programs import RUN_MARGIN, Outcome, Program
from stayalived.plugin.schedulers import Scheduler, SchedulerOptions, ServerView
from stayalived.timing import Duration, Instant, elapsed, in_seconds, seconds

__all__ = [
    "RUN_MARGIN",
    "Check",
    "CheckOptions",
    "Configuration",
    "Connect",
    "Connection",
    "Duration",
    "Endpoint",
    "Event",
    "Instant",
    "Level",
    "LocalFailure",
    "Net",
    "NetworkFailure",
    "Notifier",
    "NotifierOptions",
    "Outcome",
    "PeerCertificate",
    "PluginFailure",
    "Problem",
    "Program",
    "Receive",
    "Room",
    "Scheduler",
    "SchedulerOptions",
    "Secret",
    "Send",
    "ServerView",
    "StartTls",
    "Step",
    "Steps",
    "Target",
    "Tools",
    "Verdict",
    "VirtualServer",
    "elapsed",
    "hookimpl",
    "in_seconds",
    "seconds",
]
