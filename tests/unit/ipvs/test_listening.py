import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayalived.addresses import Endpoint, Family
from stayalived.config.model import VirtualServer
from stayalived.ipvs.listening import MAX_TOLD, addresses_in_words, compress, keys_in, parse, protocol_in_words
from stayalived.ipvs.projection import keys_of
from stayalived.messages.services import ServiceState
from unit.ipvs.build import service


def told(one: VirtualServer) -> ServiceState:
    return ServiceState(
        name=one.name,
        protocol=protocol_in_words(one),
        addresses=addresses_in_words(one),
        scheduler="rr",
        forward="NAT",
        quorum="up",
        sorry=False,
        servers=(),
        problem="",
    )


def test_a_range_of_several_protocols_is_told_in_a_word_and_read_back() -> None:
    addresses = [f"192.0.2.{number}:80" for number in range(1, 255)]
    one = service(addresses=[*addresses, "[2001:db8::1]:80"], protocols=("tcp", "sctp"))

    state = told(one)

    assert ("tcp/sctp", ("192.0.2.1-192.0.2.254:80", "[2001:db8::1]:80")) == (state.protocol, state.addresses)
    assert set(keys_of(one)) == keys_in(state)


def test_marks_are_told_and_read_back() -> None:
    one = service(addresses=(), fwmarks=(7,), fwmark_families=(Family.IPV4, Family.IPV6), protocols=())

    assert ("", ("-f 7", "-f 7 -6")) == (told(one).protocol, told(one).addresses)
    assert set(keys_of(one)) == keys_in(told(one))


def test_more_addresses_than_fit_a_frame_are_counted() -> None:
    addresses = tuple(Endpoint(f"10.0.{number}.1", 80) for number in range(256))
    one = service(addresses=[str(address) for address in addresses])

    state = told(one)

    assert (MAX_TOLD, "+7") == (len(state.addresses), state.addresses[-1])
    assert MAX_TOLD - 1 == len(keys_in(state))


def test_neighbours_are_told_as_a_range_and_others_alone() -> None:
    endpoints = [Endpoint(f"192.0.2.{number}", 80) for number in (1, 2, 3, 9)]
    endpoints += [Endpoint("192.0.2.10", 81), Endpoint("2001:db8::ff", 80), Endpoint("2001:db8::100", 80)]

    expected = ["192.0.2.1-192.0.2.3:80", "192.0.2.9:80", "192.0.2.10:81", "[2001:db8::ff-2001:db8::100]:80"]
    assert expected == list(compress(endpoints))


@given(
    st.lists(
        st.builds(
            Endpoint,
            st.sampled_from([f"192.0.2.{number}" for number in range(8)] + [f"2001:db8::{number}" for number in "234"]),
            st.sampled_from([0, 80]),
        )
    )
)
def test_what_is_told_is_read_back(endpoints: list[Endpoint]) -> None:
    assert endpoints == [one for text in compress(endpoints) for one in parse(text)]


@pytest.mark.parametrize("text", ["", "192.0.2.1", "+3", "192.0.2.1-:80", "x:80"])
def test_what_was_never_told_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(parse(text))
