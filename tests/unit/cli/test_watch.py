import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from stayalived.cli.main import main
from stayalived.cli.tables import Table
from stayalived.cli.watch import INTERVAL, Show, View, screen, watch

SERVERS = Table(heading="servers", columns=("NAME", "STATE"), rows=[("web/a\x1b[2J", "UP")])


@contextmanager
def collecting(shown: list[View]) -> Iterator[Show]:
    yield shown.append


def leaving_after(times: int, waited: list[float]) -> Callable[[float], None]:
    """A pause that a person ends with Ctrl-C."""

    def pause(length: float) -> None:
        waited.append(length)
        if len(waited) == times:
            raise KeyboardInterrupt

    return pause


def test_each_second_there_is_a_new_look_until_somebody_leaves() -> None:
    looks = iter(View(lines=(str(number),)) for number in range(9))
    shown: list[View] = []
    waited: list[float] = []

    watch(lambda: next(looks), collecting(shown), leaving_after(3, waited))

    assert [view.lines for view in shown] == [("0",), ("1",), ("2",)]
    assert waited == [INTERVAL] * 3


def test_without_a_terminal_views_follow_one_another(capsys: pytest.CaptureFixture[str]) -> None:
    with screen() as show:
        show(View(lines=("running",), tables=(SERVERS,)))
        show(View(lines=("gone",)))

    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines[1:] if not line.startswith("20")] == [
        "running",
        "servers:",
        "  NAME       STATE",
        "  web/a\ufffd[2J  UP",
        "",
        "gone",
        "",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_is_drawn_in_place_and_no_answer_of_a_server_can_drive_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")

    with screen() as show:
        show(View(lines=("running",), tables=(SERVERS,)))

    written = terminal.getvalue()
    assert "running" in written
    assert "web/a\ufffd[2J" in written
    assert written.count("\x1b[?1049h") == written.count("\x1b[?1049l") == 1  # the other screen, and back


def test_json_is_not_watched(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["status", "--json", "--watch", "--run-dir", str(tmp_path)])

    assert done.exit_code == 2
    assert "--json or --watch" in done.output


def test_that_no_daemon_answers_is_seen_and_watched_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stayalived.cli.status.watch", lambda look, _shown: sys.stdout.write(look().lines[0]))

    done = CliRunner().invoke(main, ["status", "--watch", "--run-dir", str(tmp_path)])

    assert done.exit_code == 0
    assert "no daemon answers" in done.output
