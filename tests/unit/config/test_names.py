import pytest

from configuration_kit import ask_table
from stayalived.addresses import Family
from stayalived.config.names import BadHost, Names, split_port


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 0)),
        ("192.0.2.1:80", ("192.0.2.1", 80)),
        ("2001:db8::1", ("2001:db8::1", 0)),
        ("[2001:db8::1]", ("2001:db8::1", 0)),
        ("[2001:db8::1]:80", ("2001:db8::1", 80)),
        ("web.example:443", ("web.example", 443)),
    ],
)
def test_host_and_port_come_apart(text: str, expected: tuple[str, int]) -> None:
    assert split_port(text) == expected


@pytest.mark.parametrize(
    "text", ["a:", "a:0", "a:65536", "a:-1", "a:٨٠", "a:" + "9" * 5000, "[::1", "[::1]x", "[::1]:", "a:b"]
)
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadHost):
        split_port(text)


def test_a_host_has_one_address_of_each_family_and_is_asked_for_once() -> None:
    asked = []

    def lookup(host: str) -> list[str]:
        asked.append(host)
        return ["192.0.2.7", "2001:db8::7", "192.0.2.8", "fe80::1%eth0"]

    names = Names(lookup)

    assert [names.addresses("web"), names.addresses("web")] == [
        {Family.IPV4: "192.0.2.7", Family.IPV6: "2001:db8::7"}
    ] * 2
    assert asked == ["web"]


@pytest.mark.parametrize("host", ["", "192.0.2.300", "1.2.3", "fe80::1%eth0", "a/b", "nowhere", "::g"])
def test_what_is_no_host_is_refused_each_time(host: str) -> None:
    names = Names(ask_table)

    for _ in range(2):
        with pytest.raises(BadHost):
            names.addresses(host)


def test_an_address_is_written_in_its_short_form() -> None:
    assert Names(ask_table).addresses("2001:DB8:0:0::1") == {Family.IPV6: "2001:db8::1"}
