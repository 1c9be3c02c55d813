"""How the virtual routers of an instance behave: what holds for both families, and is no matter of addresses."""

from dataclasses import dataclass

from stayalived.config.findings import shown
from stayalived.config.resolve_unicast import OWNER
from stayalived.config.strictness import Said
from stayalived.timing import Duration, seconds

GARP_DELAY = 5  # seconds; VG03
GARP_REPEAT = 5  # VG04


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What `VirtualRouter` has under the same names, for all routers of an instance."""

    preempt_delay: Duration
    down_timer_adverts: int
    garp_master_delay: Duration
    garp_master_repeat: int
    garp_master_refresh: Duration
    garp_master_refresh_repeat: int
    garp_lower_prio_delay: Duration
    garp_lower_prio_repeat: int
    garp_interval: Duration
    gna_interval: Duration
    check_unicast_src: bool
    checksum_as_v2: bool
    transmit_on_base: bool
    accept: bool
    skip_check_adv_addr: bool
    lower_prio_no_advert: bool
    higher_prio_send_advert: bool
    owner_ignore_adverts: bool


def manners_of(said: Said, *, has_mac: bool, is_unicast: bool) -> Manners:
    """Return the manners of an instance; note what has no effect, and what is written twice.

    Args:
        said: by the instance, and by `[global]` for it.
        has_mac: whether it has a virtual MAC.
        is_unicast: whether it has peers.
    """
    minimal = said.common.vrrp_min_garp  # VG08
    delay = said.of("garp_master_delay", 0 if minimal else GARP_DELAY)
    repeat = said.of("garp_master_repeat", 1 if minimal else GARP_REPEAT)
    return Manners(
        preempt_delay=seconds(said.of("preempt_delay", 0)),
        down_timer_adverts=said.of("down_timer_adverts", 0),
        garp_master_delay=seconds(delay),
        garp_master_repeat=repeat,
        garp_master_refresh=seconds(said.of("garp_master_refresh", 0)),
        garp_master_refresh_repeat=said.of("garp_master_refresh_repeat", 1),
        garp_lower_prio_delay=seconds(said.of("garp_lower_prio_delay", delay)),
        garp_lower_prio_repeat=said.of("garp_lower_prio_repeat", repeat),
        garp_interval=seconds(said.of("garp_interval", 0)),
        gna_interval=seconds(said.of("gna_interval", 0)),
        check_unicast_src=said.of("check_unicast_src", default=False),
        checksum_as_v2=said.of("v3_checksum_as_v2", default=False),
        transmit_on_base=_transmits_on_base(said, has_mac=has_mac, is_unicast=is_unicast),
        accept=_accepts(said),
        skip_check_adv_addr=said.of("skip_check_adv_addr", default=False),
        lower_prio_no_advert=said.of("lower_prio_no_advert", default=False),
        higher_prio_send_advert=said.of("higher_prio_send_advert", default=False),
        owner_ignore_adverts=said.of("owner_ignore_adverts", default=False),
    )


def _transmits_on_base(said: Said, *, has_mac: bool, is_unicast: bool) -> bool:
    """Return whether adverts leave with the interface's own address. Answers to unicast would go astray otherwise."""
    path = (*said.path, "vmac_xmit_base")
    written = said.table.vmac_xmit_base
    if not has_mac:
        if written:
            said.findings.warn(path, "has no effect without use_vmac")
        return False
    if not is_unicast:
        return said.of("vmac_xmit_base", default=False)
    if written is False:
        text = "unicast_peer turns it on: what comes back goes to the interface's own address; leave it out"
        said.findings.warn(path, text, found="false")
    return True


def _accepts(said: Said) -> bool:
    """Return whether a master answers to its addresses: the owner always does (RFC 9568 6.1)."""
    table, findings = said.table, said.findings
    key = "no_accept" if table.accept is None else "accept"
    path = (*said.path, key)
    wanted = table.accept if table.no_accept is None else not table.no_accept
    if table.accept is not None and table.no_accept is not None:
        findings.error((*said.path, "no_accept"), "is the opposite of accept; keep one of them")
    if table.priority == OWNER:
        if wanted is False:
            findings.warn(path, f"has no effect at priority {OWNER}: the owner answers to its addresses")
        return True
    if said.strict:
        if wanted:
            text = "strict mode fixes it at the opposite: only the owner answers to the addresses (RFC 9568 6.1)"
            findings.warn(path, text, found=shown(getattr(table, key)))
        return False
    return wanted is not False
