from itertools import permutations

import pytest

from stayalived.ipvs.daemons import Daemon, Role, steps

MASTER = Daemon(role=Role.MASTER, interface="eth0", sync_id=1, group="224.0.0.81", port=8848, ttl=1)
BACKUP = Daemon(role=Role.BACKUP, interface="eth0", sync_id=1, group="224.0.0.81", port=8848, ttl=1)
OTHER = Daemon(role=Role.BACKUP, interface="eth1", sync_id=1, group="224.0.0.81", port=8848, ttl=1)
STATES = [(), *((one,) for one in (MASTER, BACKUP, OTHER)), (MASTER, BACKUP), (MASTER, OTHER)]


@pytest.mark.parametrize(("actual", "wanted"), list(permutations(STATES, 2)))
def test_steps_lead_from_each_state_to_each_other(actual: tuple[Daemon, ...], wanted: tuple[Daemon, ...]) -> None:
    running = {one.role: one for one in actual}

    stopped, started = steps(actual, wanted)
    for role in stopped:
        del running[role]
    for one in started:
        assert one.role not in running
        running[one.role] = one

    assert set(wanted) == set(running.values())


def test_what_runs_as_wanted_takes_no_step() -> None:
    as_the_kernel_shows_it = Daemon(
        role=Role.MASTER, interface="eth0", sync_id=1, group="224.0.0.81", port=8848, ttl=1, maxlen=1472
    )

    assert ([], []) == steps([as_the_kernel_shows_it], [MASTER])
