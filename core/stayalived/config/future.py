"""Keys that people will write because keepalived has them, or because they are announced, and that are not here.

An unknown key gets the nearest right one proposed. These get something better: that the key is not yet in this
version, or how the same thing is written here.
"""

NOT_YET = "not yet in this version; leave it out"

_IN_A_TABLE = 'write authentication = { auth_type = "PASS", auth_pass = "…" }'

_TRACK = {
    "track_interface": 'write track = [{ interface = "…" }]',
    **dict.fromkeys(("track_script", "track_file", "track_process"), 'write track = [{ check = "…" }]'),
}
_NOTIFY = {
    f"notify_{event}": f'write notify = [{{ type = "…", on = ["{event}"], … }}]'
    for event in ("master", "backup", "fault", "stop", "deleted")
} | {
    "notify_master_rx_lower_pri": 'write notify = [{ type = "…", on = ["lower_priority"], … }]',
    "notify_priority_changes": 'write notify = [{ type = "…", on = ["priority"], … }]',
}

_ANNOUNCED: dict[str, tuple[str, ...]] = {
    "": (
        "bfd_instance", "ssl", "static_ipaddress", "static_routes", "static_rules",
        "garp_group",
    ),
    "global": (
        "bfd_priority", "checker", "checker_cpu_affinity", "checker_priority", "checker_rt_priority",
        "default_interface", "instance", "iproute_etc_dir", "iproute_usr_dir", "net_namespace",
        "net_namespace_ipvs", "nftables_counters", "nftables_ifindex", "process_names", "reload_time_file",
        "shutdown_script", "startup_script",
        "use_pid_dir", "vmac_addr_prefix", "vmac_prefix", "vrrp_garp_extra_if", "vrrp_ipsets", "vrrp_iptables",
    ),
    "vrrp_instance": (
        "auth_hmac", "dont_track_primary", "garp_extra_if", "kernel_rx_buf_size", "no_virtual_ipaddress",
        "old_unicast_checksum", "timer_expired_backup", "track_bfd",
        "track_src_ip", "use_ipvlan", "use_vmac_addr", "vrf",
    ),
    "vrrp_sync_group": (
        "sync_group_tracking_weight", "track_bfd",
    ),
    "virtual_ipaddress": ("track_group", "use_vmac"),
    "virtual_routes": (
        "advmss", "as", "congctl", "cwnd", "encap", "expires", "fastopen_no_cookie", "features", "hoplimit", "initcwnd",
        "initrwnd", "pref", "protocol", "quickack", "realms", "reordering", "rto_min", "rtt", "rttvar", "ssthresh",
        "tos", "track_group", "ttl-propagate", "vrf", "window",
    ),
    "virtual_rules": (
        "dport", "ipproto", "l3mdev", "protocol", "realms", "sport", "suppress_ifgroup", "suppress_prefixlength",
        "track_group", "tunnel-id", "uidrange",
    ),
    "virtual_server": (
        "nftables_ipvs", "snmp_name",
    ),
    "real_server": ("snmp_name", "alpha_delay"),
    "check": ("stale",),
}  # fmt: skip

_OTHERWISE: dict[str, dict[str, str]] = {
    "": {
        "global_defs": "write [global]",
        "real_server": "write [virtual_server.NAME.real_server.NAME]",
        **dict.fromkeys(
            ("track_file", "track_process", "vrrp_script", "vrrp_track_file", "vrrp_track_process"),
            'write [check.NAME] with type = "…", and track = [{ check = "NAME" }] where it matters',
        ),
        "virtual_server_group": "write its addresses and ranges into address of the virtual server",
        "include": "every *.toml of the directory is read; no file includes another",
    },
    "lvs_sync_daemon": {"inst": "write instance", "ifname": "write interface"},
    "global": {
        "lvs_flush": "write flush",
        "lvs_flush_on_stop": "a stop deletes what is ours in one go, and never what is of others; leave it out",
        "enable_script_security": "unsafe scripts are always refused; leave it out",
        "vrrp_mcast_group": "write vrrp_mcast_group4 or vrrp_mcast_group6",
        "version": "write vrrp_version",
        "no_checker_emails": "mails tell of servers, never of single checks; leave it out",
        "checker_log_all_failures": "write log_all_failures = true in the virtual servers",
    },
    "vrrp_instance": {
        "nopreempt": "write preempt = false",
        "vrid": "write virtual_router_id",
        **_TRACK,
        **_NOTIFY,
        "unicast_src": "write unicast_src_ip",
        "mcast_src_ip6": "write mcast_src_ip: it takes an address of each family",
        "strict": "write strict_mode",
        "auth_type": _IN_A_TABLE,
        "auth_pass": _IN_A_TABLE,
        "lvs_sync_daemon_interface": 'write [global.lvs_sync_daemon] with interface = "…" and this instance',
    },
    "vrrp_sync_group": {
        "instances": "write group",
        **_TRACK,
        **_NOTIFY,
        "global_tracking": "every tracker of a group is one of all its instances; leave it out",
    },
    "virtual_ipaddress": {
        "broadcast": "write brd",
        "autojoin": "goes with a multicast address only, which no instance has; leave it out",
        "-nodad": "write nodad = false",
        "prefix": 'write address = "ADDRESS/PREFIX"',
    },
    "virtual_routes": {
        **dict.fromkeys(("add", "append", "prepend"), 'write mode = "prepend" or "append"'),
        "gw": "write via",
        "priority": "write metric",
        "nexthop": "write nexthops = [{ via = …, … }]",
    },
    "virtual_rules": {"priority": "write preference", "order": "write preference", "lookup": "write table"},
    "authentication": {"auth_hmac": NOT_YET, "key": NOT_YET},
    "use_vmac": {
        "interface": "the macvlan is on the interface of the instance; leave it out, or write name",
        "netlink_notify_msg": "the kernel tells of a macvlan that goes up or down in any case; leave it out",
    },
    "virtual_server": {
        "lb_algo": "write scheduler",
        "lvs_sched": "write scheduler",
        "lb_kind": "write forward",
        "lvs_method": "write forward",
        "ip_family": "write family",
        "port": "write the port into address",
        **dict.fromkeys(("sh-port", "mh-port"), 'write scheduler = { type = "sh", port = true }, or mh'),
        **dict.fromkeys(("sh-fallback", "mh-fallback"), 'write scheduler = { type = "sh", fallback = true }, or mh'),
        **dict.fromkeys(("flag-1", "flag-2", "flag-3"), 'write scheduler = { type = "NAME", flags = ["flag-3"] }'),
        "hashed": "the kernel's own mark, with which a service is never found; leave it out",
        "quorum_up": 'write notify = [{ type = "…", on = ["quorum_up"], … }]',
        "quorum_down": 'write notify = [{ type = "…", on = ["quorum_down"], … }]',
        "TCP_CHECK": 'write check = { type = "…", … }',
        "HTTP_GET": 'write check = { type = "…", … }',
    },
    "real_server": {
        "lvs_method": "write forward",
        "port": "write the port into address",
        "notify_up": 'write notify = [{ type = "…", on = ["up"], … }]',
        "notify_down": 'write notify = [{ type = "…", on = ["down"], … }]',
        "TCP_CHECK": 'write check = { type = "…", … }',
        "HTTP_GET": 'write check = { type = "…", … }',
    },
    "check": {
        "nb_get_retry": "write retry",
        "timeout": "write connect_timeout",
        "interval": "write delay_loop",
        "misc_path": 'write command = ["/path", …]',
        "misc_timeout": "write timeout",
        "misc_dynamic": "write dynamic",
        "init_fail": "write it beside the check in track",
        "init_file": "no check makes a file; let its writer do it, or tmpfiles.d",
    },
}


def advice(key: str, table: str = "") -> str:
    """Return what to say of a key that is not there: how it is written here, or that it comes later; else nothing.

    Args:
        key: as it was written.
        table: kind of the table around it: `global`, `vrrp_instance`, `virtual_server`, `virtual_routes`, `check`, …,
            or empty for the outermost.
    """
    otherwise = _OTHERWISE.get(table, {})
    if key in otherwise:
        return otherwise[key]
    return NOT_YET if key in _ANNOUNCED.get(table, ()) else ""


def announced() -> list[tuple[str, tuple[str, ...]]]:
    """Return the kinds of tables with the keys that they will have, for the reference."""
    return [(table, tuple(sorted(keys))) for table, keys in _ANNOUNCED.items()]
