"""The server of the benchmark: one worker of nginx on a core of its own, with HTTP, HTTPS and a counter. I/O."""

import os
import subprocess
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

HTTP, HTTPS, COUNTER = 18080, 18443, 18081
NAME = "bench.example.org"

_CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
worker_rlimit_nofile 65536;
events {{ worker_connections 32768; multi_accept on; }}
http {{
    access_log off;
    keepalive_timeout 0;
    server {{
        listen 0.0.0.0:18080 backlog=16384;
        listen 0.0.0.0:18443 ssl backlog=16384;
        ssl_certificate {folder}/both.pem;
        ssl_certificate_key {folder}/both.pem;
        location / {{ default_type text/plain; return 200 "well\\n"; }}
    }}
    server {{ listen 127.0.0.1:18081; location / {{ stub_status; }} }}
}}
"""


class Web:
    """nginx for as long as a block takes."""

    def __init__(self, folder: Path, before: Sequence[str] = ()) -> None:
        """Write certificate and configuration; `before` are words in front of the program, such as `taskset -c 1`."""
        self.certificate = folder / "both.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "9", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
             "-keyout", self.certificate, "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        path = folder / "nginx.conf"
        path.write_text(_CONFIGURATION.format(folder=folder))
        self.command = [*before, "nginx", "-c", str(path), "-p", str(folder)]
        folder.chmod(0o755)
        self.certificate.chmod(0o644)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
        while not _answers():
            if self._process.poll() is not None:
                raise SystemExit(f"nginx ended with {self._process.returncode}: {' '.join(self.command)}")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()


def requests() -> tuple[int, int]:
    """Return how many connections nginx has accepted until now, and how many requests it has answered."""
    with urllib.request.urlopen(f"http://127.0.0.1:{COUNTER}/") as answer:
        words = answer.read().split()
    return int(words[7]), int(words[9])


class Counter:
    """Connections that others than the counter itself have made."""

    def __init__(self) -> None:
        self._own = 0

    def __call__(self) -> int:
        self._own += 1
        return requests()[0] - self._own


def _answers() -> bool:
    try:
        return requests()[0] > 0
    except OSError:
        os.sched_yield()
        return False
