"""The bundled notify actions."""

from collections.abc import Iterable

from stayalived.plugin import Notifier, hookimpl
from stayalived_plugins.notifiers.fifo import Fifo
from stayalived_plugins.notifiers.mail import Mail
from stayalived_plugins.notifiers.script import Script
from stayalived_plugins.notifiers.webhook import Webhook
from stayalived_plugins.notifiers.weight import Weight


@hookimpl
def stayalived_notifiers() -> Iterable[type[Notifier]]:
    """Return the action types of this package."""
    return (Fifo, Mail, Script, Webhook, Weight)
