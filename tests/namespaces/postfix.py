"""A relay that nobody here wrote: Debian's postfix on a host of a lab, with folders of its own.

What it takes ends in one file for each mail, whoever the recipient in example.org is.
"""

import shutil
import subprocess
from collections import Counter
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path

from namespaces.lab import Host
from namespaces.waiting import wait_until

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
mail_owner = postfix
myhostname = relay.example.org
mydestination =
inet_interfaces = {address}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8 192.0.2.0/24
smtpd_peername_lookup = no
smtpd_recipient_restrictions = check_recipient_access inline:{{refused@example.org=REJECT}} permit_mynetworks reject
virtual_mailbox_domains = example.org
virtual_mailbox_maps = static:all/
virtual_mailbox_base = {folder}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{user}
duplicate_filter_limit = 0
{more}
"""
SERVICES = "/usr/share/postfix/master.cf.dist"  # as the package has them, whatever this machine's are
NOBODY = 65534


class Postfix:
    """A relay on a host.

    Args:
        host: where it runs.
        address: where it listens.
        more: further lines of its main.cf.
    """

    def __init__(self, host: Host, address: str, *, more: str = "") -> None:
        self.host = host
        host.lab.folder.chmod(0o755)  # its processes run as other users
        self.folder = host.lab.folder / f"postfix-{host.name}"
        for name in ("conf", "queue", "data", "mail"):
            (self.folder / name).mkdir(parents=True, mode=0o755)
        shutil.chown(self.folder / "data", "postfix")
        shutil.chown(self.folder / "mail", NOBODY, NOBODY)
        shutil.copy(SERVICES, self.folder / "conf" / "master.cf")
        text = MAIN.format(folder=self.folder, address=address, user=NOBODY, more=more)
        (self.folder / "conf" / "main.cf").write_text(text)
        host.lab.keep(self)

    def _command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.host.run(["postfix", "-c", str(self.folder / "conf"), *words], check=False)

    def start(self) -> None:
        """Start it; when this returns, it listens."""
        done = self._command("start")
        assert done.returncode == 0, f"{done.stdout}{done.stderr}{self.log()}"

    def stop(self) -> None:
        """Stop it at once: connections are refused."""
        self._command("abort")
        wait_until(lambda: self._command("status").returncode != 0, within=10.0, what="postfix to be gone")

    def close(self) -> None:
        """Leave nothing of it behind."""
        self.stop()

    def log(self) -> str:
        """Return what it logged."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else "no log"

    def mails(self) -> list[Message]:
        """Return what it has delivered."""
        files = sorted((self.folder / "mail").glob("**/new/*"), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(Path(file).read_bytes(), policy=default) for file in files]

    def subjects(self) -> list[str]:
        """Return the subjects of what it has delivered, in that order."""
        return [str(mail["Subject"]) for mail in self.mails()]

    def wait_for(self, *subjects: str, within: float = 10.0) -> None:
        """Wait until mails with these subjects were delivered, whatever else was.

        Raises:
            TooLate: the limit in seconds is over.
        """
        wanted = Counter(subjects)
        what = f"mails {subjects}"
        wait_until(lambda: not wanted - Counter(self.subjects()), within=within, what=what)
