"""The network of vrrp on the kernel of user-mode Linux: an older one, whose nf_tables lacks the family inet."""

import pytest

from uml import lab


@pytest.mark.timeout(400)
def test_addresses_routes_rules_and_virtual_macs_of_another_kernel() -> None:
    assert "" == lab.failures("test_network.py", timeout=300)
