import pytest

from configuration_kit import Knock, KnockOptions, plugins
from stayalived.config.secret import Secret
from stayalived.errors import PluginFailure
from stayalived.plugin.catalogue import Provided, encode_options, known


def test_options_survive_the_way_to_their_process() -> None:
    options = KnockOptions(word="hi", password=Secret("hunter2"))

    made = Provided("knock", Knock, "stayalived", "1").make(encode_options(options))

    assert made.options == options


@pytest.mark.parametrize("options", [b"", b"\x81\xa4worx\xa1a", b"\xc1", b"\x81\xa8password\x01"])
def test_options_of_another_version_are_a_failure_of_the_plugin(options: bytes) -> None:
    with pytest.raises(PluginFailure, match="stayalived: knock: "):
        Provided("knock", Knock, "stayalived", "1").make(options)


def test_names_are_shown_with_the_distribution_of_strangers() -> None:
    assert known(plugins().catalogue.checks) == "echo (acme-checks), knock"
    assert known({}) == "none"
