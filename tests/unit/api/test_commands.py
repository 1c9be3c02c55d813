import pytest

from stayalived.api.commands import Answer, BadCommand, Command, read_answer, read_command, write_answer, write_command


@pytest.mark.parametrize("verb", ["status", "reload", "stop", "drain", "undrain", "weight"])
def test_a_command_comes_back_as_it_was_written(verb: str) -> None:
    command = Command(verb=verb, force=True, leave=True, server="web/tic", weight=5, seconds=1.5)

    line = write_command(command)

    assert line.endswith(b"\n")
    assert command == read_command(line)


def test_an_answer_comes_back_as_it_was_written() -> None:
    answer = Answer(accepted=False, text="refused", pid=4711, generation=3, problems=("a: b",))

    assert answer == read_answer(write_answer(answer))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"status\n",
        b"[]",
        b"{}",
        b'{"verb": 7}',
        b'{"verb": "status", "colour": "red"}',
        b'{"verb": "drop table"}',
        b'{"verb": "weight", "weight": -1}',
        b'{"verb": "drain", "seconds": 1e99}',
        b"\xff\xfe{",
        b"[" * 4000,
        b'{"verb": "' + b"x" * 4000,
    ],
)
def test_what_is_no_command_is_refused_with_a_reason(line: bytes) -> None:
    with pytest.raises(BadCommand, match=r"not a command|unknown verb"):
        read_command(line)


def test_an_unknown_verb_is_answered_with_those_that_are_known() -> None:
    with pytest.raises(
        BadCommand, match="unknown verb 'polish'; known are drain, in-force, reload, status, stop, undrain, weight"
    ):
        read_command(b'{"verb": "polish"}')


@pytest.mark.parametrize("line", [b"", b"hello\n", b'{"accepted": "yes"}', b"[" * 4000])
def test_what_is_no_answer_is_refused(line: bytes) -> None:
    with pytest.raises(BadCommand, match="not an answer"):
        read_answer(line)
