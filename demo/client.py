"""A client that keeps asking: one HTTP request each interval, one line of JSON for each.

Run as `client.py HOST PORT INTERVAL`. A line holds `at` (wall clock when it began), `took` (seconds), and `server` (who
answered) or `error`. It ends when its standard output closes.
"""

import asyncio
import json
import sys
import time

LIMIT = 4.0
"""Seconds that a request may take: longer than a SYN's first retransmission, shorter than the second."""


async def ask(host: str, port: int) -> str:
    """Make one request and return the body's first line."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        name = f"[{host}]" if ":" in host else host
        writer.write(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
        answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200")):
        raise ConnectionError(head.partition(b"\r\n")[0].decode(errors="replace") or "an empty answer")
    return body.decode(errors="replace").partition("\n")[0]


async def tell(host: str, port: int) -> None:
    """Make one request and print what became of it."""
    at, begun = time.time(), time.monotonic()
    line: dict[str, object] = {"at": at}
    try:
        async with asyncio.timeout(LIMIT):
            line["server"] = await ask(host, port)
    except TimeoutError:
        line["error"] = f"no answer in {LIMIT:g} s"
    except OSError as error:
        line["error"] = error.strerror or str(error)
    line["took"] = time.monotonic() - begun
    print(json.dumps(line), flush=True)


async def keep_asking(host: str, port: int, interval: float) -> None:
    """Begin a request at each interval, for ever."""
    loop = asyncio.get_running_loop()
    due, running = loop.time(), set()
    while True:
        task = asyncio.create_task(tell(host, port))
        running.add(task)
        task.add_done_callback(running.discard)
        due += interval
        await asyncio.sleep(max(0.0, due - loop.time()))


def main() -> None:
    """Read the command line and begin."""
    host, port, interval = sys.argv[1:]
    try:
        asyncio.run(keep_asking(host, int(port), float(interval)))
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(0)


if __name__ == "__main__":
    main()
