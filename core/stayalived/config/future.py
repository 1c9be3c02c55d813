"""Keys that people will write because keepalived has them, or because they are announced, and that are not here.

An unknown key gets the nearest right one proposed. These get something better: that the key is not yet in this
version, or how the same thing is written here.
"""

NOT_YET = "not yet in this version; leave it out"

_ANNOUNCED: dict[str, tuple[str, ...]] = {
    "": (
        "bfd_instance", "ssl", "static_ipaddress", "static_routes", "static_rules", "track_file", "track_process",
        "virtual_server_group", "vrrp_script", "vrrp_sync_group", "vrrp_track_file", "vrrp_track_process", "garp_group",
    ),
    "global": (
        "bfd_priority", "checker_cpu_affinity", "checker_priority", "checker_rt_priority", "default_interface",
        "instance", "lvs_notify_fifo", "lvs_notify_fifo_script", "lvs_sync_daemon", "lvs_timeouts", "net_namespace",
        "net_namespace_ipvs", "nftables", "notification_email", "notification_email_from", "notify_fifo",
        "notify_fifo_script", "process_names", "shutdown_script", "smtp_alert", "smtp_connect_timeout",
        "smtp_helo_name", "smtp_server", "startup_script", "use_pid_dir", "vrrp_cpu_affinity", "vrrp_garp_interval",
        "vrrp_gna_interval", "vrrp_notify_fifo", "vrrp_notify_fifo_script", "vrrp_priority", "vrrp_rt_priority",
        "vrrp_startup_delay", "vrrp_strict", "vrrp_iptables", "vrrp_lower_prio_no_advert", "v3_checksum_as_v2",
        "vrrp_higher_prio_send_advert", "vrrp_check_unicast_src", "vrrp_skip_check_adv_addr", "checker",
        "panic_threshold", "lvs_flush_on_stop", "rs_init_notifies", "reload_time_file",
    ),
    "vrrp_instance": (
        "accept", "auth", "auth_hmac", "auth_pass", "auth_type", "authentication", "check_unicast_src",
        "dont_track_primary", "garp_interval", "gna_interval", "higher_prio_send_advert", "kernel_rx_buf_size",
        "lower_prio_no_advert", "mcast_src_ip6", "no_accept", "notify_priority_changes", "old_unicast_checksum",
        "owner_ignore_adverts", "promote_secondaries", "skip_check_adv_addr", "smtp_alert", "strict", "strict_mode",
        "timer_expired_backup", "track", "track_bfd", "track_file", "track_interface", "track_process",
        "track_script", "track_src_ip", "unicast_fault_no_peer", "unicast_peer", "unicast_src_ip", "unicast_ttl",
        "use_ipvlan", "use_vmac", "use_vmac_addr", "v3_checksum_as_v2", "virtual_ipaddress_excluded",
        "virtual_routes", "virtual_rules", "vmac_xmit_base", "vrf", "no_virtual_ipaddress", "garp_extra_if",
    ),
    "virtual_server": (
        "follow", "ha_suspend", "nftables_ipvs", "omega", "panic_threshold", "persistence_engine", "smtp_alert",
        "snmp_name", "sorry_server_inhibit", "sorry_server_lvs_method", "stale",
    ),
    "real_server": ("smtp_alert", "snmp_name", "alpha_delay"),
    "check": ("log_all_failures", "stale", "interval"),
}  # fmt: skip

_OTHERWISE: dict[str, dict[str, str]] = {
    "": {
        "global_defs": "write [global]",
        "real_server": "write [virtual_server.NAME.real_server.NAME]",
        "include": "every *.toml of the directory is read; no file includes another",
    },
    "global": {
        "lvs_flush": "write flush",
        "enable_script_security": "unsafe scripts are always refused; leave it out",
        "vrrp_mcast_group": "write vrrp_mcast_group4 or vrrp_mcast_group6",
        "version": "write vrrp_version",
    },
    "vrrp_instance": {
        "nopreempt": "write preempt = false",
        "vrid": "write virtual_router_id",
        "notify_master": 'write notify = [{ type = "…", on = ["master"], … }]',
        "notify_backup": 'write notify = [{ type = "…", on = ["backup"], … }]',
        "notify_fault": 'write notify = [{ type = "…", on = ["fault"], … }]',
        "notify_stop": 'write notify = [{ type = "…", on = ["stop"], … }]',
        "unicast_src": NOT_YET,
        "lvs_sync_daemon_interface": NOT_YET,
    },
    "virtual_server": {
        "lb_algo": "write scheduler",
        "lvs_sched": "write scheduler",
        "lb_kind": "write forward",
        "lvs_method": "write forward",
        "ip_family": "write family",
        "port": "write the port into address",
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
    "check": {"nb_get_retry": "write retry", "timeout": "write connect_timeout"},
}


def advice(key: str, table: str = "") -> str:
    """Return what to say of a key that is not there: how it is written here, or that it comes later; else nothing.

    Args:
        key: as it was written.
        table: kind of the table around it: `global`, `vrrp_instance`, `virtual_server`, `real_server`, `check`, or
            empty for the outermost.
    """
    otherwise = _OTHERWISE.get(table, {})
    if key in otherwise:
        return otherwise[key]
    return NOT_YET if key in _ANNOUNCED.get(table, ()) else ""


def announced() -> list[tuple[str, tuple[str, ...]]]:
    """Return the kinds of tables with the keys that they will have, for the reference."""
    return [(table, tuple(sorted(keys))) for table, keys in _ANNOUNCED.items()]
