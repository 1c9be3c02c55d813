"""Mails, from an event on the wire to the folder that postfix delivers to."""

import os
import signal
import subprocess
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


def mailing_master(lab: Lab, host: Host, postfix: Postfix) -> Daemon:
    """Return a daemon that is MASTER and has told so."""
    postfix.start()
    daemon = mailing(lab, host)
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    postfix.wait_for(BACKUP, MASTER)
    return daemon


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


def certificate(lab: Lab) -> tuple[str, str]:
    """Make a certificate that is its own authority, for the relay's address; return its file and that of its key."""
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=relay"]
    names = [str(lab.folder / "relay.pem"), str(lab.folder / "relay.key")]
    extensions = ["-addext", f"subjectAltName=IP:{ADDRESS}"]
    done = subprocess.run(
        [*words, *extensions, "-out", names[0], "-keyout", names[1]], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return names[0], names[1]


def test_a_relay_with_a_good_certificate_gets_the_mail_by_tls(lab: Lab, tic: Host) -> None:
    chain, key = certificate(lab)
    tls = f"smtpd_tls_chain_files = {key}, {chain}\nsmtpd_tls_security_level = may\nsmtpd_tls_loglevel = 1"
    postfix = Postfix(tic, ADDRESS, more=tls)
    postfix.start()
    daemon = mailing(lab, tic, more=f'smtp_tls = "starttls"\nsmtp_tls_ca = "{chain}"')

    daemon.start()
    postfix.wait_for(BACKUP, MASTER)

    assert daemon.stop() == 0
    assert "TLS connection established from" in postfix.log()


def test_a_relay_that_nobody_vouches_for_gets_nothing_where_tls_is_asked_for(lab: Lab, tic: Host) -> None:
    chain, key = certificate(lab)
    postfix = Postfix(tic, ADDRESS, more=f"smtpd_tls_chain_files = {key}, {chain}\nsmtpd_tls_security_level = may")
    postfix.start()
    daemon = mailing(lab, tic, more='smtp_tls = "starttls"')

    daemon.start()
    daemon.process.wait_for_log("certificate verify failed", within=10.0)

    assert daemon.stop() == 0
    assert postfix.mails() == []


def test_a_recipient_that_the_relay_refuses_costs_the_others_nothing(lab: Lab, tic: Host, postfix: Postfix) -> None:
    postfix.start()
    daemon = mailing(lab, tic)
    both = 'notify = [{ type = "mail", notification_email = ["refused@example.org", "noc@example.org"] }]'
    daemon.write(
        {"00-global.toml": (daemon.conf_d / "00-global.toml").read_text(), "10.toml": vrrp_instance(VIP, more=both)}
    )

    daemon.start()
    postfix.wait_for(BACKUP, MASTER)
    daemon.process.wait_for_log("to refused@example.org: 554", within=5.0)

    assert daemon.stop() == 0
    assert spooled(lab) == 0


def test_what_happens_while_the_child_is_dead_is_mailed_and_so_is_the_end_of_a_daemon_without_one(
    lab: Lab, tic: Host, postfix: Postfix
) -> None:
    daemon = mailing_master(lab, tic, postfix)

    first = daemon.child("notify")
    os.kill(first, signal.SIGKILL)
    second = daemon.wait_for_child("notify", first, within=5.0)
    os.kill(second, signal.SIGKILL)  # the next one comes after a second
    wait_until(lambda: daemon.child("notify") != second, within=5.0, what="the death to be noticed")
    tic.plug(into=False)
    daemon.wait_for_state("FAULT", within=5.0)
    assert daemon.stop() == 0

    postfix.wait_for(FAULT, FAULT, STOP, STOP, within=20.0)
    named = {(mail["Subject"], mail["Message-ID"]) for mail in postfix.mails()}
    assert len(named) == len({subject for subject, _ in named})
    assert spooled(lab) == 0


def test_what_the_child_had_read_and_not_told_when_it_died_is_mailed_by_its_successor(
    lab: Lab, tic: Host, postfix: Postfix
) -> None:
    daemon = mailing_master(lab, tic, postfix)

    before = daemon.child("notify")
    os.kill(before, signal.SIGSTOP)  # what comes now lies in its pipe
    tic.plug(into=False)
    daemon.wait_for_state("FAULT", within=5.0)
    os.kill(before, signal.SIGKILL)

    postfix.wait_for(FAULT, FAULT, within=20.0)
    assert daemon.stop() == 0


def test_what_happens_after_the_child_was_killed_is_mailed_too(lab: Lab, tic: Host, postfix: Postfix) -> None:
    daemon = mailing_master(lab, tic, postfix)

    before = daemon.child("notify")
    os.kill(before, signal.SIGKILL)
    daemon.wait_for_child("notify", before, within=5.0)
    tic.plug(into=False)
    daemon.wait_for_state("FAULT", within=5.0)
    postfix.wait_for(FAULT, FAULT, within=20.0)

    assert daemon.stop() == 0
