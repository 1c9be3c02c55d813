"""What a site has left undone is said, once, with the command that does it."""

from typing import Any

import msgspec
import pytest

from stayalived.config.directors import SyncDaemon
from stayalived.config.model import Configuration
from stayalived.ipvs.events import LookAround, SeenAround
from stayalived.ipvs.surroundings import Surroundings, missing, settings_of, unprotected
from unit.ipvs.build import DR, NAT, TUN, Director, configuration, server, service
from vrrp_machine import instance, router

VIP, VIP6, OWN, OWN6 = "192.0.2.1", "2001:db8::1", "192.0.2.10", "2001:db8::10"
FORWARDED = {"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1"}
SILENT = {"net/ipv4/conf/all/arp_ignore": "1", "net/ipv4/conf/all/arp_announce": "2"}
SPEAKING = {"net/ipv4/conf/eth0/arp_ignore": "0", "net/ipv4/conf/eth0/arp_announce": "0"}
MOVING = instance(router(f"{VIP}/24"), router(f"{VIP6}/64"))


def site(method: Any = DR, *instances: Any, own: tuple[str, ...] = (OWN, OWN6)) -> Configuration:
    wanted = configuration(
        service(server("one", *own, forward=method), addresses=(f"{VIP}:80", f"[{VIP6}]:80")),
    )
    return msgspec.structs.replace(wanted, instances=instances or (MOVING,))


def found(lo: tuple[str, ...] = (VIP, VIP6), **settings: str) -> Surroundings:
    values = {**FORWARDED, **SILENT, **SPEAKING, **{name.replace("__", "/"): value for name, value in settings.items()}}
    return Surroundings(values, {"lo": frozenset(lo), "eth0": frozenset({OWN, OWN6})})


@pytest.mark.parametrize("method", [NAT, DR, TUN])
def test_a_site_that_has_everything_hears_nothing(method: Any) -> None:
    assert [] == missing(site(method), found())


@pytest.mark.parametrize("name", ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"])
def test_nat_needs_forwarding(name: str) -> None:
    (text,) = missing(site(NAT), Surroundings({**FORWARDED, name: "0"}))

    assert f"{name} is 0" in text
    assert f"sysctl -w {name.replace('/', '.')}=1" in text
    assert [] == missing(site(DR), Surroundings({**FORWARDED, name: "0"}))


@pytest.mark.parametrize(("kept", "lacking", "bits"), [(VIP6, VIP, 32), (VIP, VIP6, 128)])
def test_a_real_server_that_may_be_backup_has_the_addresses_on_lo(kept: str, lacking: str, bits: int) -> None:
    (text,) = missing(site(), found((kept,)))

    assert f"{lacking} is not on lo" in text
    assert f"ip address add {lacking}/{bits} dev lo" in text


def test_an_address_that_it_carries_as_master_is_none_of_those_on_lo() -> None:
    carried = Surroundings(SILENT, {"lo": frozenset(), "eth0": frozenset({OWN, VIP, VIP6})})

    assert 2 == len(missing(site(), carried))


def test_a_director_that_is_no_real_server_needs_none_of_it() -> None:
    elsewhere = Surroundings(SPEAKING, {"eth0": frozenset({"192.0.2.99"})})

    assert [] == missing(site(), elsewhere)


def test_arp_is_left_to_the_master() -> None:
    ignoring, announcing = missing(
        site(), found(net__ipv4__conf__all__arp_ignore="0", net__ipv4__conf__all__arp_announce="1")
    )

    assert "sysctl -w net.ipv4.conf.all.arp_ignore=1" in ignoring
    assert "sysctl -w net.ipv4.conf.all.arp_announce=2" in announcing


def test_a_setting_of_the_interface_alone_is_enough() -> None:
    of_eth0 = {"net__ipv4__conf__eth0__arp_ignore": "1", "net__ipv4__conf__eth0__arp_announce": "2"}
    of_all = {"net__ipv4__conf__all__arp_ignore": "0", "net__ipv4__conf__all__arp_announce": "0"}

    assert [] == missing(site(), found(**of_eth0, **of_all))


def test_what_cannot_be_read_is_not_guessed() -> None:
    assert [] == missing(site(NAT), Surroundings())


def test_a_director_that_is_a_real_server_and_has_no_protection_is_told() -> None:
    (text,) = unprotected(site(), found())
    assert "this machine balances web and is a real server of it" in text

    daemon = SyncDaemon(
        interface="eth1", instance="vip", sync_id=7, maxlen=0, port=8848, ttl=1, group="224.0.0.81", backup_only=None
    )
    assert [] == unprotected(protected(sync_daemon=daemon), found())
    assert [] == unprotected(protected(peer_mark=7), found())
    assert [text] == unprotected(protected(sync_daemon=msgspec.structs.replace(daemon, backup_only=False)), found())
    followed = [msgspec.structs.replace(service, follow="vip") for service in site().virtual_servers]
    assert [] == unprotected(msgspec.structs.replace(site(), virtual_servers=tuple(followed)), found())
    assert [] == unprotected(site(NAT), found())


def protected(**changes: Any) -> Configuration:
    wanted = site()
    return msgspec.structs.replace(wanted, globals=msgspec.structs.replace(wanted.globals, **changes))


def test_nothing_is_looked_at_where_nothing_is_balanced() -> None:
    assert () == settings_of(configuration())


def test_it_is_looked_at_once_for_each_configuration_and_said() -> None:
    director = Director()
    director.start(site())
    director.reload(site())
    director.reload(site(NAT))

    asked = [effect for effect in director.effects if isinstance(effect, LookAround)]
    assert [settings_of(site())] * 2 == [effect.settings for effect in asked]
    director.handle(SeenAround(Surroundings({"net/ipv4/ip_forward": "0"})))
    assert "net/ipv4/ip_forward is 0" in director.reports()[-1]
