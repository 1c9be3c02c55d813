"""A real server for checks: accepts, greets, closes; notes when it was asked; can go away and come back."""

import socket
import threading
import time

from stayalived.addresses import Endpoint


class RealServer:
    """Listens on the loopback in a thread of its own."""

    def __init__(self, greeting: bytes = b"HELLO\n") -> None:
        self.asked_at: list[float] = []
        self._greeting = greeting
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.endpoint = Endpoint("127.0.0.1", self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def go_away(self) -> None:
        """Refuse connections from now on."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def come_back(self) -> None:
        """Accept again, on the same port."""
        self._listening = socket.create_server(("127.0.0.1", self.endpoint.port), backlog=128)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return  # it went away
            self.asked_at.append(time.monotonic())
            with client:
                client.sendall(self._greeting)
