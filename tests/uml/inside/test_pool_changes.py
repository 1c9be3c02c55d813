"""A thousand changes of a pool on the real kernel, while somebody looks at the table all the time."""

import threading
from random import Random

from properties.test_ipvs_pools import ENDPOINTS, MODES, NAMES, SORRY, Story
from stayalived.ipvs.model import DeleteService
from stayalived.kernel.ipvs import LinuxIpvs
from stayalived.timing import seconds
from unit.ipvs.build import WEB, configuration, manners, server, service

CHANGES = 1000
SEED = 4

LOOKS_WITHIN = 10.0
"""How long the watcher may take for its share of looks at most, in seconds."""


class Watcher:
    """Reads the kernel's table as fast as it can, and keeps what it has seen of the service."""

    def __init__(self) -> None:
        self.sums: list[int] = []
        self._looked = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        kernel = LinuxIpvs()
        while not self._over.is_set():
            table, _ = kernel.read()
            if WEB in table:
                with self._looked:
                    self.sums.append(sum(one.weight for one in table[WEB].destinations.values()))
                    self._looked.notify()
        kernel.close()

    def has_looked(self, times: int) -> None:
        """Wait until it has looked so often: who changes the table must not run ahead of who looks at it.

        Raises:
            AssertionError: It does not look any more.
        """
        with self._looked:
            assert self._looked.wait_for(lambda: len(self.sums) >= times, LOOKS_WITHIN), (
                "the watcher looks at the table"
            )

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def leaves_somebody(told: Story, change: tuple) -> bool:
    """Return whether a server is live after a change, or serves in a panic or as the sorry server."""
    kind, name, *words = change
    up, levels, deltas = dict(told.up), dict(told.levels), dict(told.deltas)
    if kind == "verdict":
        told.up[name], told.deltas[name] = words
    elif kind == "level":
        told.levels[name, words[0]] = told.want(name, *words)
    else:
        told.levels.pop((name, words[0]), None)
    live = sum(told.live().values())
    told.up, told.levels, told.deltas = up, levels, deltas
    return live > 0


def draw(random: Random) -> tuple:
    name = random.choice(NAMES)
    kind = random.choice(("verdict", "verdict", "level", "withdraw"))
    if kind == "verdict":
        return kind, name, random.random() < 0.6, random.randint(-2, 2)
    mode = random.choice(MODES)
    return (kind, name, mode, random.choice((0.5, 1.0, 2.0, 5.0))) if kind == "level" else (kind, name, mode)


def test_no_look_at_the_table_ever_finds_a_service_with_live_servers_empty() -> None:
    random = Random(SEED)
    servers = [server(name, str(endpoint), weight=2) for name, endpoint in ENDPOINTS.items()]
    pool = service(*servers, quorum=3, hysteresis=1, sorry_servers=(SORRY,), manners=manners(panic_threshold=40))
    kernel = LinuxIpvs()
    told = Story(configuration(pool), kernel)
    for name in NAMES:
        told.verdict(name, True, 0)
    watcher = Watcher()

    done = 0
    while done < CHANGES:
        change = draw(random)
        if not leaves_somebody(told, change):
            continue
        getattr(told, change[0])(*change[1:])
        done += 1
        watcher.has_looked(done // 2)
        if done % 50 == 0:
            told.director.advance(seconds(5))
    watcher.stop()
    kernel.apply([DeleteService(WEB)])
    kernel.close()

    assert len(watcher.sums) >= CHANGES / 2, "it looked often enough"
    assert min(watcher.sums) > 0
    assert len(set(watcher.sums)) > 10, "it saw the table change"
