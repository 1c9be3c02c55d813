"""Mails, from an event on the wire to the folder that postfix delivers to."""

import os
import signal
from collections.abc import Sequence

import pytest

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.postfix import Postfix
from namespaces.waiting import wait_until

VIP = "192.0.2.100/24"
ADDRESS = "192.0.2.1"
MASTER, BACKUP = "[lb1] VRRP Instance site - Entering MASTER state", "[lb1] VRRP Instance site - Entering BACKUP state"
FAULT, STOP = "[lb1] VRRP Instance site - Entering FAULT state", "[lb1] VRRP Instance site - Stopping"


def mailing(lab: Lab, host: Host, *, relays: Sequence[str] = (f"{ADDRESS}:25",), more: str = "") -> Daemon:
    common = f"""
[global]
router_id = "lb1"
state_dir = "{lab.folder}/state"
notification_email = ["Noc <noc@example.org>", "two@example.org"]
notification_email_from = "lb1@example.org"
smtp_server = {list(relays)!r}
smtp_connect_timeout = 2
{more}
"""
    return Daemon(host, {"00-global.toml": common, "10-vrrp.toml": vrrp_instance(VIP, more="smtp_alert = true")})


@pytest.fixture
def tic(lab: Lab) -> Host:
    return lab.host("tic", "192.0.2.1/24")


@pytest.fixture
def postfix(tic: Host) -> Postfix:
    return Postfix(tic, ADDRESS)


def spooled(lab: Lab) -> int:
    return len(list((lab.folder / "state/notify/mail").glob("*.letter")))


def test_each_recipient_gets_keepalived_s_mail_of_each_state(lab: Lab, tic: Host, postfix: Postfix) -> None:
    postfix.start()
    daemon = mailing(lab, tic)

    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    postfix.wait_for(BACKUP, BACKUP, MASTER, MASTER)
    assert daemon.stop() == 0
    postfix.wait_for(STOP, STOP)

    mail = next(mail for mail in postfix.mails() if mail["Subject"] == MASTER)
    assert mail.get_payload().startswith("=> VRRP Instance is now owning VRRP VIPs <=")
    assert (mail["From"], mail["To"]) == ("lb1@example.org", "Noc <noc@example.org>, two@example.org")
    assert mail["X-Mailer"] == "stayalived"
    assert len(postfix.mails()) == 6
    assert spooled(lab) == 0


def test_no_mail_is_lost_while_the_relay_the_child_and_the_daemon_are_away(
    lab: Lab, tic: Host, postfix: Postfix
) -> None:
    daemon = mailing(lab, tic)
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    wait_until(lambda: spooled(lab) == 4, within=5.0, what="four mails in the spool")
    daemon.process.wait_for_log("mails wait and are tried again", within=5.0)

    notify = daemon.child("notify")
    os.kill(notify, signal.SIGKILL)
    daemon.wait_for_child("notify", notify, within=5.0)
    assert spooled(lab) == 4
    assert daemon.stop() == 0
    wait_until(lambda: spooled(lab) == 6, within=5.0, what="the mail of the end in the spool")
    assert postfix.mails() == []

    postfix.start()
    daemon.start()
    postfix.wait_for(*[BACKUP, MASTER, STOP] * 2, within=30.0)
    wait_until(lambda: spooled(lab) == 0, within=60.0, what="an empty spool")
    assert daemon.stop() == 0


def test_a_mail_that_was_taken_before_the_child_could_note_it_is_repeated_with_its_message_id(
    lab: Lab, tic: Host, postfix: Postfix
) -> None:
    daemon = mailing(lab, tic)
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    wait_until(lambda: spooled(lab) == 4, within=5.0, what="four mails in the spool")
    kept = {path.name: path.read_bytes() for path in (lab.folder / "state/notify/mail").glob("*.letter")}
    notify = daemon.child("notify")
    postfix.start()
    wait_until(lambda: spooled(lab) == 0, within=30.0, what="all mails taken")
    for name, content in kept.items():  # as if its death had come between the relay's answer and this
        (lab.folder / "state/notify/mail" / name).write_bytes(content)
        os.chown(lab.folder / "state/notify/mail" / name, *_owner(lab))

    os.kill(notify, signal.SIGKILL)
    postfix.wait_for(*[BACKUP, MASTER] * 4, within=30.0)

    names = sorted(str(mail["Message-ID"]) for mail in postfix.mails())
    assert len(names) == 8
    assert len(set(names)) == 2
    assert all("@" in name for name in names)


def test_faults_are_left_out_where_nobody_wants_them_and_the_next_relay_is_asked(
    lab: Lab, tic: Host, postfix: Postfix
) -> None:
    postfix.start()
    daemon = mailing(lab, tic, relays=("192.0.2.1:26", "192.0.2.1:25"), more="no_email_faults = true")
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)

    tic.plug(into=False)
    daemon.wait_for_state("FAULT", within=5.0)
    tic.plug(into=True)
    daemon.wait_for_state("MASTER", within=10.0)
    postfix.wait_for(*[BACKUP, MASTER] * 4, within=10.0)

    assert FAULT not in postfix.subjects()


def _owner(lab: Lab) -> tuple[int, int]:
    found = (lab.folder / "state/notify").stat()
    return found.st_uid, found.st_gid
