"""For any two tables the plan leads from one to the other, and may be stopped after each operation."""

from hypothesis import given, settings

from properties.ipvs_tables import KEYS, is_safe, tables
from stayalived.ipvs.model import Table, copy_of
from stayalived.ipvs.plan import plan
from stayalived.kernel.memory_ipvs import MemoryIpvs

EXAMPLES = 100


@settings(max_examples=EXAMPLES, deadline=None)
@given(tables(), tables())
def test_every_intermediate_table_is_safe_and_the_last_is_the_wanted_one(actual: Table, wanted: Table) -> None:
    kernel = MemoryIpvs(actual)

    for operation in plan(actual, wanted, KEYS):
        assert [None] == kernel.apply([operation])
        assert is_safe(actual, kernel.table, wanted), operation

    assert wanted == kernel.table


@settings(max_examples=EXAMPLES, deadline=None)
@given(tables(), tables())
def test_a_plan_that_was_stopped_anywhere_is_taken_up_by_the_next(actual: Table, wanted: Table) -> None:
    operations = plan(actual, wanted, KEYS)
    kernel = MemoryIpvs(actual)
    kernel.apply(operations[: len(operations) // 2])

    rest = plan(kernel.table, wanted, KEYS)

    assert operations[len(operations) // 2 :] == rest


@settings(max_examples=EXAMPLES, deadline=None)
@given(tables())
def test_what_is_as_wanted_is_left_alone(table: Table) -> None:
    assert [] == plan(table, copy_of(table), KEYS)


@settings(max_examples=EXAMPLES, deadline=None)
@given(tables(), tables())
def test_what_is_not_ours_is_never_touched(actual: Table, wanted: Table) -> None:
    ours = set(wanted)

    assert ours >= {operation.key for operation in plan(actual, wanted, ours)}
