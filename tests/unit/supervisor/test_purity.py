import subprocess
import sys

PURE = ("lifecycle", "backoff", "switchboard", "memory", "reload", "changeover", "population", "shutdown", "engine")

PROGRAM = """
import sys

class Raises:
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AssertionError(f"a pure module uses {name} of a module for input and output")

from stayalived.config import model  # what it imports may use anything
from stayalived.messages import routes
for name in ("socket", "os", "time", "asyncio", "logging", "select", "signal", "subprocess"):
    sys.modules[name] = Raises()

import stayalived.child.conversation, stayalived.child.outbox
for name in sys.argv[1:]:
    __import__("stayalived.supervisor." + name)
from unit.supervisor.house import House
from stayalived.supervisor import events
house = House().start()
house.reload()
house.die("vrrp").advance(5)
house.give(events.SignalReceived(order=events.Order.STOP))
print(house.exit_code)
"""


def test_pure_modules_live_without_socket_os_and_time() -> None:
    command = [sys.executable, "-c", PROGRAM, *PURE]
    path = ":".join(entry for entry in sys.path if entry)
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": path}, check=False)
    assert ("0\n", "") == (done.stdout, done.stderr)
