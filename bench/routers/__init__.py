"""Thousands of virtual routers on two hosts and sixteen links: the parts of `bench/vrrp.py`."""
