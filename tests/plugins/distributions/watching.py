"""An observer that cannot bear it when a server is down."""

from stayalived.plugin import Event, hookimpl


@hookimpl
def stayalived_event(event: Event) -> None:
    if event.subject_type == "real_server" and event.kind == "down":
        raise ValueError(f"{event.subject} is down, it was {event.old}")
