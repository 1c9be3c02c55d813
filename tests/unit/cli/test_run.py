import pytest
from click.testing import CliRunner

from stayalived.cli.main import main


@pytest.mark.parametrize("target", ["stdout", "file", "file:", "file:relative", "Syslog", "journald "])
def test_an_unknown_target_of_the_log_is_refused_with_those_that_there_are(target: str) -> None:
    done = CliRunner().invoke(main, ["run", "--config", "/no/such/folder", "--log", target])
    assert done.exit_code == 2
    for word in (repr(target), '"stderr"', '"syslog"', '"journald"', '"file:/PATH"'):
        assert word in done.output
