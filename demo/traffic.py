"""What the client saw: every request with its time, and the questions that the story asks about them."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from namespaces.lab import Host
from namespaces.processes import Process

INTERVAL = 0.05
"""Seconds between two requests of one client."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: when it began (wall clock, seconds), who answered, or what went wrong."""

    at: float
    took: float
    server: str
    error: str


class Client:
    """A client that asks one address all the time."""

    def __init__(self, host: Host, address: str, port: int, interval: float = INTERVAL) -> None:
        """Start it."""
        program = Path(__file__).parent / "client.py"
        words = [sys.executable, str(program), address, str(port), str(interval)]
        self.process: Process = host.popen(words, env={**os.environ, "PYTHONUNBUFFERED": "1"})

    def answers(self) -> list[Answer]:
        """Return every request that has ended, in the order in which they began."""
        rows = [
            json.loads(line) for line in self.process.log().splitlines() if line.startswith("{") and line.endswith("}")
        ]
        answers = [Answer(row["at"], row["took"], row.get("server", ""), row.get("error", "")) for row in rows]
        return sorted(answers, key=lambda answer: answer.at)

    def between(self, begin: float, end: float) -> list[Answer]:
        """Return the requests that began in a span of time."""
        return [answer for answer in self.answers() if begin <= answer.at < end]

    def first_good_after(self, moment: float) -> Answer | None:
        """Return the first request that began after a moment and was answered."""
        return next((answer for answer in self.answers() if answer.at >= moment and answer.server), None)
