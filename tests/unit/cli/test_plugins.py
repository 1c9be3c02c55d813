import os
import re

import pytest
from click.testing import CliRunner, Result

from stayalived.cli import plugins
from stayalived.cli.main import main
from stayalived.cli.plugins import Findings
from stayalived.cli.tables import Table


def call() -> Result:
    return CliRunner().invoke(main, ["plugins"])


def findings(*failures: str) -> Findings:
    table = Table(heading="types", columns=("KIND", "NAME"), rows=[("check", "tcp")])
    return Findings(tables=(table,), notices=("running as nobody",), failures=failures)


def test_the_bundled_types_are_shown_with_their_distribution() -> None:
    result = call()

    assert result.exit_code == 0, result.output
    for kind, name in (("check", "tcp"), ("check", "http"), ("notify action", "script"), ("scheduler", "wlc")):
        assert re.search(rf"{kind} +{name} +stayalived", result.output)


def test_a_failure_is_named_and_makes_the_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_look", lambda: findings("plugin acme 1.0: import failed"))

    result = call()

    assert result.exit_code == 1
    assert "check  tcp" in result.output
    assert "failed: plugin acme 1.0: import failed" in result.output
    assert "warning: running as nobody" in result.output


def test_a_plugin_that_ends_its_process_ends_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_look", lambda: os._exit(3))

    result = call()

    assert result.exit_code == 1
    assert "ended early" in result.output
