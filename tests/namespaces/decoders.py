"""What strangers read in captured frames: tshark, for all frames of a file at once."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scapy.utils import wrpcap

from namespaces.capture import Packet

# An address that moves is what all this is about, so two hardware addresses for it are no reason to warn.
SETTINGS = ("-o", "ip.check_checksum:TRUE", "-o", "arp.detect_duplicate_ips:FALSE")


class Tshark:
    """Frames as tshark decodes them, checksums verified.

    Args:
        packets: what to decode.
        path: of the capture file that is written for it.
    """

    def __init__(self, packets: Sequence[Packet], path: Path) -> None:
        self._path = path
        wrpcap(str(path), [packet.scapy() for packet in packets])

    def layers(self) -> list[dict[str, Any]]:
        """Return the layers of each frame by name."""
        done = self._run("-T", "json", "--no-duplicate-keys")
        return [frame["_source"]["layers"] for frame in json.loads(done)]

    def text(self) -> str:
        """Return the frames as `tshark -V` prints them."""
        return self._run("-V")

    def complaints(self) -> list[str]:
        """Return the lines of its text in which it warns of something."""
        return [line for line in self.text().splitlines() if "Expert Info" in line or "Malformed" in line]

    def _run(self, *words: str) -> str:
        command = ["tshark", "-r", str(self._path), *SETTINGS, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def as_list(value: Any) -> list[Any]:
    """Return the values of a field that may stand there once or several times."""
    return value if isinstance(value, list) else [value]
