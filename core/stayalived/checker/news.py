"""What the checker's engine says in words: lines for the log, and the event of a failed plugin. Pure."""

import logging

from stayalived.checker.probes import LocalFault, PluginFault, ProbeIdentity
from stayalived.checker.verdict import Subscriber
from stayalived.child.events import Report, Tell
from stayalived.messages.notify import Event
from stayalived.plugin.checks import Verdict
from stayalived.timing import Instant, elapsed, for_people


def verdict_line(subscriber: Subscriber, verdict: Verdict, before: bool | None) -> Report:
    """Return the line for the log about a changed state. A first success is what everybody expects."""
    check = subscriber.check
    retry = check.timing.retry
    tries = (
        f" after {retry} {'retry' if retry == 1 else 'retries'}" if before and retry and subscriber.results > 1 else ""
    )
    ending = "succeeded" if subscriber.up else f"failed{tries}"
    return Report(
        level=logging.WARNING if not subscriber.up else logging.DEBUG if before is None else logging.INFO,
        text=f"Check {check.name} of {check.subject} at {check.target} {ending}: {verdict}",
        fields={
            "subject": check.subject,
            "check": check.name,
            "step": verdict.step,
            "seen": verdict.seen,
            "expected": verdict.expected,
            "state": "UP" if subscriber.up else "DOWN",
        },
    )


def failure_line(subscriber: Subscriber, verdict: Verdict) -> Report:
    """Return the line about a try that failed and changed nothing (C10)."""
    check = subscriber.check
    state = {True: "UP", False: "DOWN", None: "UNKNOWN"}[subscriber.up]
    return Report(
        level=logging.INFO,
        text=f"Check {check.name} of {check.subject} at {check.target} failed, which stays {state}: {verdict}",
        fields={
            "subject": check.subject,
            "check": check.name,
            "step": verdict.step,
            "seen": verdict.seen,
            "expected": verdict.expected,
            "state": state,
        },
    )


def stale_line(subscriber: Subscriber, now: Instant) -> Report:
    """Return the line about a verdict that has not been confirmed for too long."""
    check = subscriber.check
    age = for_people(elapsed(subscriber.fresh_at, now))
    return Report(
        level=logging.WARNING,
        text=f"Check {check.name} of {check.subject} is stale: no result for {age}; its verdict stays",
        fields={"subject": check.subject, "check": check.name},
    )


def fault_line(
    distribution: str, identity: ProbeIdentity, subject: str, fault: LocalFault | PluginFault, count: int
) -> Report:
    """Return the line about a fault that is not the server's, which came so often since the last line."""
    if isinstance(fault, LocalFault):
        what = f"Checks of {distribution} cannot be made on this machine: {fault.text}; no verdict changes"
    else:
        what = f"Plugin {distribution}: check {identity.type} failed: {fault.text}; no verdict changes"
    often = f" ({count} times)" if count > 1 else ""
    return Report(
        level=logging.ERROR,
        text=f"{what}; seen at {subject}, {identity.target}{often}",
        fields={"distribution": distribution, "check": identity.type, "subject": subject},
    )


class PluginEvents:
    """The events of one distribution whose checks fail."""

    def __init__(self, distribution: str) -> None:
        """Number from the first on."""
        self._distribution = distribution
        self._sequence = 0

    def failed(self, reason: str, now: Instant) -> Tell:
        """Return the event. Its number comes from the clock, so that a replaced process repeats none."""
        self._sequence = max(self._sequence + 1, now)
        event = Event(
            sequence=self._sequence,
            kind="plugin_failed",
            subject_type="plugin",
            subject=self._distribution,
            old="",
            new="failed",
            reason=reason,
            priority=0,
            monotonic=now,
        )
        return Tell(message=event, key=self._distribution, sequence=self._sequence)
