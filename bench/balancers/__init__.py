"""IPVS of the size that one keepalived's user has: 2,277 virtual servers with 37,205 real servers."""
