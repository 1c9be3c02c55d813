"""The action `webhook`, from an event on the wire to a web server."""

import json
from pathlib import Path

from http_hook import Hook
from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Lab
from namespaces.waiting import wait_until


def kinds(file: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in file.read_text().splitlines()] if file.exists() else []


def test_each_state_is_posted_in_order_and_again_until_it_is_taken(lab: Lab) -> None:
    tic = lab.host("tic", "192.0.2.1/24")
    posted = lab.folder / "posted"
    tic.fork(Hook(address="192.0.2.1", port=8080, file=posted, statuses=[503]).serve, "hook")
    action = '{ type = "webhook", url = "http://192.0.2.1:8080/", secret = "hunter2" }'
    common = f'[global]\nstate_dir = "{lab.folder}/state"\n'
    instance = vrrp_instance("192.0.2.100/24", more=f"notify = [{action}]")
    daemon = Daemon(tic, {"00-global.toml": common, "10-vrrp.toml": instance})

    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    wait_until(lambda: kinds(posted) == ["backup", "backup", "master"], within=10.0, what="the events")
    assert daemon.stop() == 0

    wait_until(lambda: kinds(posted)[3:] == ["stop"], within=5.0, what="the event of the end")
    assert "hunter2" not in daemon.log()
