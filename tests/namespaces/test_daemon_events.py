"""`stayalived events`: what happened, what happens, and where to go on after a break."""

import json
import signal

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Lab
from namespaces.waiting import wait_until

VIP = "192.0.2.100/24"


def told(daemon: Daemon, *words: str) -> list[dict[str, object]]:
    done = daemon.command("events", "--json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def moves_of(daemon: Daemon, count: int, *words: str) -> list[dict[str, object]]:
    """Wait for so many moves of the instance, and return all that are told."""

    def found() -> list[dict[str, object]]:
        return [event for event in told(daemon, *words) if event["subject"] == "site" and event["old"] != event["new"]]

    wait_until(lambda: len(found()) >= count, within=5.0, what=f"{count} moves")
    return found()


def test_events_are_shown_and_followed_and_a_break_is_made_good(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    daemon = Daemon(tic, {"10-vrrp.toml": vrrp_instance(VIP)})
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)

    moves = moves_of(daemon, 2)
    assert [(event["old"], event["new"]) for event in moves] == [("INIT", "BACKUP"), ("BACKUP", "MASTER")]
    assert {event["host"] for event in moves} == {"tic"}
    assert all(len(str(event["boot"])) == 36 and event["wall"] for event in moves)

    words = [
        *daemon.program,
        "events",
        "--follow",
        "--since",
        str(moves[-1]["sequence"]),
        "--run-dir",
        str(daemon.run_dir),
    ]
    following = tic.popen(words)
    tic.plug(into=False)
    following.wait_for_log("instance site: fault (MASTER, FAULT)", within=5.0)
    following.send(signal.SIGTERM)  # SIGINT is ignored by whatever a shell has started in the background
    following.wait(within=5.0)

    tic.plug(into=True)
    daemon.wait_for_state("MASTER", within=5.0)
    later = moves_of(daemon, 3, "--since", str(moves[-1]["sequence"]))
    assert [event["new"] for event in later] == ["FAULT", "BACKUP", "MASTER"]
    assert daemon.stop() == 0
    assert not (daemon.run_dir / "events.sock").exists()


def test_without_a_daemon_it_says_what_to_do(lab: Lab) -> None:
    daemon = Daemon(lab.host("tic", "192.0.2.1/24"), {"10-vrrp.toml": vrrp_instance(VIP)})
    done = daemon.command("events")
    assert done.returncode == 1
    assert "no daemon answers" in done.stderr
