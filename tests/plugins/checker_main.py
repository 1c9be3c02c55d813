"""What a checker process of these tests runs: a child's life as the supervisor would begin it."""

import logging
import os
import socket
import sys
from pathlib import Path

from stayalived.child.bootstrap import Context, live
from stayalived.messages.control import Start


def main() -> None:
    name, descriptor, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    context = Context(
        name=name,
        start=Start.FIRST,
        link=socket.socket(fileno=descriptor),
        run_dir=folder,
        config_dir=folder,
        host_id="lb1",
    )
    live(context, os.getppid(), None)


main()
