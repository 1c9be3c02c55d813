from stayalived.vrrp.states import SAYING_GOODBYE, TRANSITIONS, State, Trigger


def test_every_state_can_be_stopped_deleted_and_left() -> None:
    for state in (State.BACKUP, State.MASTER, State.FAULT):
        assert TRANSITIONS[state, Trigger.STOP] is State.INIT
        assert TRANSITIONS[state, Trigger.DELETED] is State.INIT


def test_fault_comes_from_every_other_state_and_leads_to_backup() -> None:
    sources = {state for (state, trigger) in TRANSITIONS if trigger is Trigger.FAILED}

    assert sources == {State.INIT, State.BACKUP, State.MASTER}
    assert TRANSITIONS[State.FAULT, Trigger.RECOVERED] is State.BACKUP


def test_only_silence_makes_a_master_of_a_backup() -> None:
    ways = {trigger for (state, trigger), new in TRANSITIONS.items() if state is State.BACKUP and new is State.MASTER}

    assert ways == {Trigger.SILENCE}


def test_nobody_says_goodbye_to_a_better_master() -> None:
    assert not SAYING_GOODBYE & {Trigger.HIGHER, Trigger.TIE, Trigger.OVERFLOW}


def test_every_trigger_stands_in_the_table() -> None:
    assert {trigger for _, trigger in TRANSITIONS} == set(Trigger)
