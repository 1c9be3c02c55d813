"""One instance and its routers: for tests of what the keys of an instance mean."""

from configuration_kit import good, read
from stayalived.config.virtual_routers import VirtualRouter

V4 = '"192.0.2.1/24"'
V6 = '"2001:db8::1/64"'


def instance(rest: str = "", addresses: str = V4, name: str = "tic", number: int = 51, interface: str = "eth0") -> str:
    """Return the text of an instance."""
    head = f'[vrrp_instance.{name}]\ninterface = "{interface}"\nvirtual_router_id = {number}\n'
    return f"{head}virtual_ipaddress = [{addresses}]\n{rest}\n"


def routers(rest: str = "", addresses: str = V4, common: str = "") -> tuple[VirtualRouter, ...]:
    """Return the routers of an instance with which nothing is wrong, under `[global]` of these keys."""
    (found,) = good(f"[global]\n{common}\n" + instance(rest, addresses)).instances
    return found.routers


def router(rest: str = "", addresses: str = V4, common: str = "") -> VirtualRouter:
    """Return the one router of an instance with which nothing is wrong."""
    (found,) = routers(rest, addresses, common)
    return found


def warned(rest: str, addresses: str = V4, common: str = "") -> tuple[VirtualRouter, list[str]]:
    """Return the one router of an instance that draws warnings, and what these say behind the path."""
    configuration, problems = read(f"[global]\n{common}\n" + instance(rest, addresses))
    assert configuration is not None, problems
    (found,) = configuration.instances[0].routers
    return found, [problem.partition(": warning: ")[2] for problem in problems]
