import pytest

from stayalived.config.names import BadHost
from stayalived.config.ranges import MAX_RANGE, expand


@pytest.mark.parametrize(
    ("host", "first", "last", "count"),
    [
        ("192.0.2.1-9", "192.0.2.1", "192.0.2.9", 9),
        ("192.0.2.7-7", "192.0.2.7", "192.0.2.7", 1),
        ("192.0.2.250-192.0.3.5", "192.0.2.250", "192.0.3.5", 12),
        ("192.0.2.0/28", "192.0.2.0", "192.0.2.15", 16),
        ("192.0.2.3/32", "192.0.2.3", "192.0.2.3", 1),
        ("10.1.0.0/16", "10.1.0.0", "10.1.255.255", MAX_RANGE),
        ("2001:db8::1-f", "2001:db8::1", "2001:db8::f", 15),
        ("2001:DB8::FE-101", "2001:db8::fe", "2001:db8::101", 4),
        ("2001:db8::1-2001:db8::3", "2001:db8::1", "2001:db8::3", 3),
        ("2001:db8::/126", "2001:db8::", "2001:db8::3", 4),
    ],
)
def test_a_range_is_all_of_its_addresses(host: str, first: str, last: str, count: int) -> None:
    found = expand(host)

    assert found is not None
    assert (first, last, count) == (found[0], found[-1], len(found))


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "web-1", "web-1.example.org", "a/b", "-", "/24", ""])
def test_what_is_no_range_is_left_to_the_resolver(host: str) -> None:
    assert expand(host) is None


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("192.0.2.9-3", "ends at or after its start"),
        ("192.0.2.1-", "a number up to 255"),
        ("192.0.2.1-256", "a number up to 255"),
        ("192.0.2.1--3", "a number up to 255"),
        ("192.0.2.1-1_0", "a number up to 255"),
        ("192.0.2.1-2001:db8::3", "both ends in one family"),
        ("2001:db8::1-10000", "a hexadecimal number up to ffff"),
        ("2001:db8::1-0x2", "a hexadecimal number up to ffff"),
        ("10.0.0.0-10.1.0.0", "has 65537 addresses; a range has at most 65536"),
        ("2001:db8::/64", "a range has at most 65536"),
        ("192.0.2.0/33", "a prefix length that exists"),
        ("192.0.2.0/", "a prefix length that exists"),
        ("192.0.2.1/28", "must be the address of the net: 192.0.2.0/28"),
    ],
)
def test_a_bad_range_is_told_why(host: str, why: str) -> None:
    with pytest.raises(BadHost, match=why):
        expand(host)
