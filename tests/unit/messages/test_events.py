from stayalived.messages.events import ALL_KINDS, BY_NAME, KINDS, SUBJECT_TYPES, kinds_of, opposites
from stayalived.messages.notify import Event
from stayalived.messages.routes import may_tell


def test_each_kind_stands_once_for_a_subject_that_there_is() -> None:
    assert len({(kind.subject_type, kind.name) for kind in KINDS}) == len(KINDS)
    assert {kind.subject_type for kind in KINDS} == set(SUBJECT_TYPES)


def test_what_ends_a_kind_is_a_kind_of_the_same_subject() -> None:
    strange = [kind for kind in KINDS if not set(kind.ended_by) <= set(kinds_of(kind.subject_type))]
    assert strange == []


def test_a_kind_is_told_by_name_for_all_its_subjects_or_for_none() -> None:
    assert {kind.name for kind in KINDS if not kind.by_name} == set(ALL_KINDS) - BY_NAME


def test_the_opposites_of_several_kinds_are_those_that_are_none_of_them() -> None:
    assert opposites(("backup", "fault")) == ("master", "stop", "deleted")
    assert opposites(("plugin_failed",)) == ()


def test_a_process_says_of_itself_alone_that_it_stood_still() -> None:
    def stalled(subject: str) -> Event:
        return Event(
            sequence=1,
            kind="stalled",
            subject_type="child",
            subject=subject,
            old="",
            new="",
            reason="for 2 s",
            priority=0,
            monotonic=1,
        )

    assert may_tell("vrrp", stalled("vrrp"))
    assert not may_tell("vrrp", stalled("ipvs"))
    assert may_tell("supervisor", stalled("ipvs"))
