"""What keepalived's own samples configure of VRRP can be written here: the same shapes, in our language."""

from configuration_kit import good
from stayalived.config.virtual_routers import VirtualRouter

MOVING = """\
[vrrp_instance.mover]
interface = "eth0"
virtual_router_id = 51
virtual_ipaddress = [
  "198.51.100.16",
  { address = "198.51.100.17", dev = "eth1" },
  { address = "198.51.100.18", dev = "eth2" },
]
"""


def routers(text: str) -> dict[str, VirtualRouter]:
    return {instance.name: instance.routers[0] for instance in good(text).instances}


def test_two_instances_on_each_of_two_interfaces_one_of_them_with_a_password() -> None:
    password = 'authentication = { auth_type = "PASS", auth_pass = "1111" }\n'
    text = ""
    for number, (interface, priority) in enumerate([("eth0", 100), ("eth0", 50), ("eth1", 100), ("eth1", 50)]):
        hosts = ", ".join(f'"198.51.{100 + number}.{host}"' for host in (13, 14, 15))
        text += f'[vrrp_instance.v{number}]\ninterface = "{interface}"\nvirtual_router_id = {50 + number}\n'
        text += f"priority = {priority}\nadvert_int = 1\ngarp_master_delay = 10\nvirtual_ipaddress = [{hosts}]\n"
        text += password if priority == 100 else ""

    found = routers(text)

    assert [router.authentication for router in found.values()] == [b"1111\0\0\0\0", b"", b"1111\0\0\0\0", b""]
    assert {len(router.addresses) for router in found.values()} == {3}


def test_addresses_on_several_interfaces_and_routes_by_them() -> None:
    text = MOVING + (
        "virtual_routes = [\n"
        '  { to = "203.0.113.0/25", src = "198.51.100.16", via = "198.51.100.254", dev = "eth1" },\n'
        '  { to = "203.0.113.128/26", via = "198.51.100.254", dev = "eth1" },\n'
        '  { to = "203.0.113.192/26", dev = "eth2" },\n'
        '  { to = "192.0.2.0/24", via = "198.51.100.253" },\n'
        "]\n"
    )

    found = routers(text)["mover"]

    assert [placed.interface for placed in found.addresses] == ["eth0", "eth1", "eth2"]
    assert [(route.gateway, route.interface, route.scope) for route in found.routes] == [
        ("198.51.100.254", "eth1", 0),
        ("198.51.100.254", "eth1", 0),
        ("", "eth2", 253),
        ("198.51.100.253", "", 0),
    ]


def test_rules_by_source_and_by_destination() -> None:
    nets = [("from", "198.51.100.0/24"), ("to", "198.51.100.0/24")]
    rules = ", ".join(f'{{ {word} = "{net}", table = 2 }}' for word, net in nets)

    found = routers(MOVING + f"virtual_rules = [{rules}]\n")["mover"].rules

    assert [(str(rule.source), str(rule.destination), rule.table, rule.preference) for rule in found] == [
        ("198.51.100.0/24", "None", 2, 16384),
        ("None", "198.51.100.0/24", 2, 16383),
    ]


def test_two_groups_of_instances_one_of_them_with_a_script_for_each_event() -> None:
    members = {"one": ["a", "b", "e", "f"], "two": ["c", "d"]}
    text = ""
    for number, name in enumerate("abcdef"):
        text += f'[vrrp_instance.{name}]\ninterface = "eth{number % 2}"\nvirtual_router_id = {51 + number}\n'
        text += f'virtual_ipaddress = ["198.51.100.{18 + number}/25"]\n'
    for group, names in members.items():
        text += f"[vrrp_sync_group.{group}]\ngroup = {names}\n".replace("'", '"')
        events = [f'{{ type = "shout", on = "{event}" }}' for event in ("backup", "master", "fault")]
        text += f"notify = [{', '.join(events)}]\n" if group == "one" else ""

    found = good(text)

    assert {group.name: list(group.instances) for group in found.sync_groups} == members
    assert [(action.subject, action.on) for action in found.actions] == [
        ("group one", ("backup",)),
        ("group one", ("master",)),
        ("group one", ("fault",)),
    ]
