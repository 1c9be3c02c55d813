"""A web server of the standard library that takes what is posted to it, on the loopback or in a lab."""

import json
import ssl
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self


@dataclass
class Posted:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Hook:
    """Answers each request with the next of `statuses`, then with 204."""

    statuses: list[int] = field(default_factory=list)
    address: str = "127.0.0.1"
    port: int = 0
    chain: tuple[Path, Path] | None = None  # certificate and key
    file: Path | None = None  # where every body is written to as well, a line each
    posted: list[Posted] = field(default_factory=list)

    def make(self) -> ThreadingHTTPServer:
        """Return the server, which listens."""
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posted.append(Posted(self.path, dict(self.headers), body))
                if hook.file is not None:
                    with hook.file.open("ab") as file:
                        file.write(body + b"\n")
                self.send_response(hook.statuses.pop(0) if hook.statuses else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer((self.address, self.port), Handler)
        server.daemon_threads = True
        self.port = server.server_address[1]
        if self.chain is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.chain)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        return server

    def serve(self) -> None:
        """Serve until the process ends."""
        self.make().serve_forever(poll_interval=0.05)

    def __enter__(self) -> Self:
        self._server = self.make()
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
