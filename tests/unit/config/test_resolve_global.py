from configuration_kit import good, read
from stayalived.timing import milliseconds, seconds

INSTANCE = '[vrrp_instance.a]\ninterface = "eth0"\nvirtual_router_id = 7\nvirtual_ipaddress = ["192.0.2.1/24"]\n'


def test_nothing_is_asked_of_the_process_where_nobody_asks() -> None:
    found = good(INSTANCE).globals

    assert (found.vrrp_startup_delay, found.vrrp_delay_after_boot) == (0, 0)
    assert (found.vrrp_priority, found.vrrp_rt_priority, found.vrrp_cpu_affinity) == (0, 1, ())
    assert (found.vrrp_no_swap, found.realtime) == (False, False)
    assert (found.nftables, found.nftables_priority) == ("stayalived", -1)


def test_delays_are_seconds_down_to_a_thousandth() -> None:
    found = good("[global]\nvrrp_startup_delay = 0.001\nvrrp_delay_after_boot = 60").globals

    assert (found.vrrp_startup_delay, found.vrrp_delay_after_boot) == (milliseconds(1), seconds(60))


def test_what_the_process_gets_is_taken_over() -> None:
    text = "[global]\nvrrp_priority = -20\nvrrp_cpu_affinity = [3, 1, 3]\nvrrp_no_swap = true\n"
    text += 'nftables = "vrrp_drops"\nnftables_priority = -200\n'

    found = good(text).globals

    assert (found.vrrp_priority, found.vrrp_cpu_affinity, found.vrrp_no_swap) == (-20, (1, 3), True)
    assert (found.nftables, found.nftables_priority) == ("vrrp_drops", -200)


def test_a_real_time_priority_asks_for_real_time() -> None:
    found = good("[global]\nvrrp_rt_priority = 50\n" + INSTANCE).globals

    assert (found.realtime, found.vrrp_rt_priority) == (True, 50)


def test_real_time_that_is_refused_stays_off_whatever_its_priority() -> None:
    configuration, problems = read("[global]\nrealtime = false\nvrrp_rt_priority = 50\n" + INSTANCE)

    assert configuration is not None
    assert not configuration.globals.realtime
    assert len(problems) == 1
