"""The plan, stopped after each operation: the kernel's table is the predicted one, and it is safe."""

import subprocess

from hypothesis import given, settings

from properties.ipvs_tables import KEYS, is_safe, tables
from stayalived.ipvs.model import Table
from stayalived.ipvs.plan import plan
from stayalived.kernel.ipvs import LinuxIpvs
from stayalived.kernel.memory_ipvs import MemoryIpvs

PAIRS = 200


@settings(max_examples=PAIRS, deadline=None, derandomize=True, database=None)
@given(tables(), tables())
def _try_pair(actual: Table, wanted: Table) -> None:
    subprocess.run(["ipvsadm", "-C"], check=True)
    kernel, memory = LinuxIpvs(), MemoryIpvs()
    first = plan({}, actual, KEYS)
    assert [None] * len(first) == kernel.apply(first)
    memory.apply(first)
    assert actual == kernel.read()[0]

    for operation in plan(actual, wanted, KEYS):
        assert [None] == kernel.apply([operation])
        memory.apply([operation])
        now = kernel.read()[0]
        assert memory.table == now
        assert is_safe(actual, now, wanted), operation

    assert wanted == kernel.read()[0]
    kernel.close()
    tried.append(wanted)


tried: list[Table] = []


def test_the_kernel_is_safe_after_each_operation_of_two_hundred_plans() -> None:
    _try_pair()

    assert len(tried) >= PAIRS
