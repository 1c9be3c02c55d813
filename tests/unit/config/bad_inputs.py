"""Bad input, and the very lines that people see: one entry for each mistake. The lines are promises."""

# ruff: noqa: E501, ISC004  (each entry is a tuple of lines as people see them)

INSTANCE = """\
[vrrp_instance.tic]
interface = "eth0"
virtual_router_id = 1
virtual_ipaddress = ["192.0.2.1/24"]
"""
SERVICE = """\
[virtual_server.web]
address = "192.0.2.1:80"
protocol = "tcp"
"""
SERVER = """\
[virtual_server.web.real_server.one]
address = "192.0.2.11"
"""

BAD: dict[str, tuple[str, ...]] = {
    # TOML itself
    "= 1": ("a.toml:1:1: is no TOML: invalid statement",),
    '[global]\nlog = "syslog"\n\nlog = "stderr"': (
        "a.toml:4:1: global.log: set twice, first in line 2; keep one of them",
    ),
    "[global]\n[global]": ("a.toml:2:1: global: set twice, first in line 1; keep one of them",),
    "[global]\nlog = 1\nlog.a = 2": ("a.toml:3:1: global.log: set twice, first in line 2; keep one of them",),
    'check.a = { type = "knock", times = 1, times = 2 }': (
        "a.toml:1:40: check.a.times: set twice, first in line 1; keep one of them",
    ),
    'check.a = { type = "knock" }\ncheck.a = { type = "echo" }': (
        "a.toml:2:1: check.a: set twice, first in line 1; keep one of them",
    ),
    # Tables
    "[globl]": ("a.toml:1:1: globl: unknown key; did you mean global?",),
    "[global_defs]": ("a.toml:1:1: global_defs: write [global]",),
    '[check.x]\ntype = "knock"\ninterval = 2\ninit_file = 3': (
        "a.toml:3:1: check.x.interval: write delay_loop",
        "a.toml:4:1: check.x.init_file: no check makes a file; let its writer do it, or tmpfiles.d",
    ),
    "zebra = 1": (
        "a.toml:1:1: zebra: unknown key; known here: check, global, virtual_server, vrrp_instance, vrrp_sync_group",
    ),
    "vrrp_instance = 5": ("a.toml:1:1: vrrp_instance: found 5; must be tables: [vrrp_instance.NAME]",),
    "[vrrp_instance]\ntic = 5": ("a.toml:2:1: vrrp_instance.tic: found 5; must be a table: [vrrp_instance.NAME]",),
    '[vrrp_instance."a b"]': (
        'a.toml:1:1: vrrp_instance."a b": a name has 1 to 64 characters, none of them a space, / # " or \\',
    ),
    "[vrrp_instance]": ("a.toml:1:1: vrrp_instance: warning: is empty; write [vrrp_instance.NAME], or leave it out",),
    "[host]": ("a.toml:1:1: host: warning: is empty; write [host.NAME] for what differs on a machine",),
    "host = 1": ("a.toml:1:1: host: must be tables: [host.NAME]",),
    # [global]
    "global = 3": ("a.toml:1:1: global: found 3; must be a table",),
    '[global]\nlogg = "x"': ("a.toml:2:1: global.logg: unknown key; did you mean log?",),
    '[global]\nlog = "printer"': (
        'a.toml:2:1: global.log: found "printer"; must be "stderr", "syslog", "journald" or "file:/PATH"',
    ),
    '[global]\nlog_level = "loud"': (
        'a.toml:2:1: global.log_level: found "loud"; must be "debug", "info", "notice", "warning", "error" or "critical"',
    ),
    "[global]\nchild_wait_time = 0": (
        "a.toml:2:1: global.child_wait_time: found 0; must be seconds, a number from 0.1 to 600",
    ),
    "[global]\nchild_wait_time = nan": (
        'a.toml:2:1: global.child_wait_time: found "nan"; must be seconds, a number from 0.1 to 600',
    ),
    "[global]\nstart_rate = 1.5": (
        "a.toml:2:1: global.start_rate: found 1.5; must be a whole number from 1 to 100000",
    ),
    '[global]\nflush = "yes"': ('a.toml:2:1: global.flush: found "yes"; must be true or false',),
    '[global]\ndisable_plugins = "acme"': ('a.toml:2:1: global.disable_plugins: found "acme"; must be a list of text',),
    "[global]\ndisable_plugins = [\n  1,\n]": ("a.toml:3:3: global.disable_plugins[0]: found 1; must be text",),
    "[global]\nenable_script_security = true": (
        "a.toml:2:1: global.enable_script_security: unsafe scripts are always refused; leave it out",
    ),
    '[global]\nvmac_prefix = "v"': ("a.toml:2:1: global.vmac_prefix: not yet in this version; leave it out",),
    '[global]\nstate_dir = "state"': (
        'a.toml:2:1: global.state_dir: found "state"; must be a path that begins with /',
    ),
    "[global]\nchecker_log_all_failures = true": (
        "a.toml:2:1: global.checker_log_all_failures: write log_all_failures = true in the virtual servers",
    ),
    "[global]\nno_checker_emails = true": (
        "a.toml:2:1: global.no_checker_emails: mails tell of servers, never of single checks; leave it out",
    ),
    # Instances
    "[vrrp_instance.tic]": (
        "a.toml:1:1: vrrp_instance.tic.virtual_router_id: missing; must be a whole number from 1 to 255",
        "a.toml:1:1: vrrp_instance.tic.virtual_ipaddress: missing; must be a list of text or tables that is not empty",
    ),
    INSTANCE + "priority = 300": (
        "a.toml:5:1: vrrp_instance.tic.priority: found 300; must be a whole number from 1 to 255",
    ),
    INSTANCE + "prioritty = 3": ("a.toml:5:1: vrrp_instance.tic.prioritty: unknown key; did you mean priority?",),
    INSTANCE + "priority = 0\nadvert_int = -1\npreempt = 1": (
        "a.toml:5:1: vrrp_instance.tic.priority: found 0; must be a whole number from 1 to 255",
        "a.toml:6:1: vrrp_instance.tic.advert_int: found -1; must be seconds, a number from 0.01 to 255",
        "a.toml:7:1: vrrp_instance.tic.preempt: found 1; must be true or false",
    ),
    INSTANCE + "version = 3\nadvert_int = 41": (
        "a.toml:6:1: vrrp_instance.tic.advert_int: found 41; must be at most 40.95 in version 3",
    ),
    INSTANCE + "advert_int = 1.5": (
        "a.toml:5:1: vrrp_instance.tic.advert_int: warning: found 1.5; version 2 counts in whole seconds: 2 is used",
    ),
    INSTANCE + "version = 3\nadvert_int = 0.1": (
        "a.toml:6:1: vrrp_instance.tic.advert_int: warning: found 100 ms; "
        "below 200 ms a restart of the VRRP process may cost a takeover",
    ),
    INSTANCE + 'state = "master"': (
        'a.toml:5:1: vrrp_instance.tic.state: warning: found "MASTER"; has no effect: the election decides; leave it out',
    ),
    INSTANCE + 'state = "BOSS"': (
        'a.toml:5:1: vrrp_instance.tic.state: found "BOSS"; must be "MASTER" or "BACKUP"',
        'a.toml:5:1: vrrp_instance.tic.state: warning: found "MASTER"; has no effect: the election decides; leave it out',
    ),
    INSTANCE + "vrf = true": ("a.toml:5:1: vrrp_instance.tic.vrf: not yet in this version; leave it out",),
    INSTANCE + "nopreempt = true": ("a.toml:5:1: vrrp_instance.tic.nopreempt: write preempt = false",),
    INSTANCE.replace('"192.0.2.1/24"', '"192.0.2.300", "192.0.2.1", "192.0.2.1/24", "127.0.0.1"'): (
        'a.toml:4:22: vrrp_instance.tic.virtual_ipaddress[0]: found "192.0.2.300"; must be ADDRESS or ADDRESS/PREFIX',
        'a.toml:4:50: vrrp_instance.tic.virtual_ipaddress[2]: found "192.0.2.1/24"; stands here twice; keep one of them',
        'a.toml:4:66: vrrp_instance.tic.virtual_ipaddress[3]: found "127.0.0.1"; '
        "must be an address that one machine can hold",
    ),
    INSTANCE.replace("192.0.2.1/24", "2001:db8::1") + "version = 2": (
        "a.toml:5:1: vrrp_instance.tic.version: found 2; must be 3: VRRP version 2 does not exist for IPv6; leave it out",
    ),
    INSTANCE + 'mcast_dst_ip = "192.0.2.9"': (
        'a.toml:5:1: vrrp_instance.tic.mcast_dst_ip: found "192.0.2.9"; '
        "must be an IPv4 multicast address (224.0.0.0/4)",
    ),
    INSTANCE + 'mcast_src_ip = "2001:db8::9"\nmcast_dst_ip = ["224.0.0.9", "ff02::9"]': (
        'a.toml:5:1: vrrp_instance.tic.mcast_src_ip: found "2001:db8::9"; the instance has no IPv6 address; leave it out',
        'a.toml:6:30: vrrp_instance.tic.mcast_dst_ip[1]: found "ff02::9"; the instance has no IPv6 address; leave it out',
    ),
    INSTANCE + INSTANCE.replace("tic", "tac").replace("2.1/", "2.2/"): (
        "a.toml:7:1: vrrp_instance.tac.virtual_router_id: found 1; tic has it on eth0 for IPv4; take another one",
    ),
    INSTANCE + INSTANCE.replace("tic", "tac").replace("id = 1", "id = 2"): (
        "a.toml:8:1: vrrp_instance.tac.virtual_ipaddress: warning: found 192.0.2.1; "
        "is in tic as well: two masters will hold it",
    ),
    # Track
    INSTANCE + 'track = "answers"': ('a.toml:5:1: vrrp_instance.tic.track: found "answers"; must be a list of tables',),
    INSTANCE + 'track = ["answers"]': ('a.toml:5:10: vrrp_instance.tic.track[0]: found "answers"; must be a table',),
    INSTANCE + "track = [{ weight = 3 }]": (
        "a.toml:5:10: vrrp_instance.tic.track[0]: must have either check or interface",
    ),
    INSTANCE + 'track = [{ check = "knock", interface = "eth1" }]': (
        "a.toml:5:10: vrrp_instance.tic.track[0]: must have either check or interface",
    ),
    INSTANCE + 'track = [{ interface = "eth1", target = "192.0.2.9:1", init_fail = true }]': (
        "a.toml:5:32: vrrp_instance.tic.track[0].target: goes with check, not with interface; leave it out",
        "a.toml:5:56: vrrp_instance.tic.track[0].init_fail: goes with check, not with interface; leave it out",
    ),
    INSTANCE + 'track = [{ interface = "eth1", weihgt = 3 }]': (
        "a.toml:5:32: vrrp_instance.tic.track[0].weihgt: unknown key; did you mean weight?",
    ),
    INSTANCE + 'track = [{ script = "answers" }]': (
        "a.toml:5:12: vrrp_instance.tic.track[0].script: unknown key; "
        "known here: check, init_fail, interface, reverse, target, weight",
    ),
    INSTANCE + 'track = [{ interface = "eth1", weight = 254 }]': (
        "a.toml:5:32: vrrp_instance.tic.track[0].weight: found 254; must be a whole number from -253 to 253",
    ),
    INSTANCE + 'track = [{ interface = "" }]': (
        'a.toml:5:12: vrrp_instance.tic.track[0].interface: found ""; must be text that is not empty',
    ),
    INSTANCE + 'track = [{ interface = "eth0", weight = 3 }]': (
        'a.toml:5:12: vrrp_instance.tic.track[0].interface: warning: found "eth0"; '
        "is the instance's own, whose link counts anyway: this entry is ignored",
    ),
    INSTANCE + 'track = [{ interface = "eth1" }, { interface = "eth1", weight = 3 }]': (
        "a.toml:5:34: vrrp_instance.tic.track[1]: eth1 stands here twice; keep one of them",
    ),
    INSTANCE + 'track = [{ check = "answerz", target = "192.0.2.9:1" }]\n[check.answers]\ntype = "knock"': (
        'a.toml:5:12: vrrp_instance.tic.track[0].check: found "answerz"; '
        "no [check.answerz] and no check type of this name; named checks: answers; types: echo, knock",
    ),
    INSTANCE + 'track = [{ check = { type = "knock", times = 9 }, target = "192.0.2.9:1" }]': (
        "a.toml:5:38: vrrp_instance.tic.track[0].check.times: found 9; must be a whole number from 1 to 5",
    ),
    INSTANCE + 'track = [{ check = "knock" }]': (
        "a.toml:5:10: vrrp_instance.tic.track[0].target: missing; check knock asks somebody: "
        'write target = "HOST:PORT"',
    ),
    INSTANCE + 'track = [{ check = "knock", target = "192.0.2.9" }]': (
        'a.toml:5:29: vrrp_instance.tic.track[0].target: found "192.0.2.9"; must have a port: HOST:PORT',
    ),
    INSTANCE + 'track = [{ check = "knock", target = "tic:80" }]': (
        'a.toml:5:29: vrrp_instance.tic.track[0].target: found "tic:80"; '
        "has addresses of both families; write the one to ask",
    ),
    INSTANCE + 'track = [{ check = "knock", target = "nowhere:80" }]': (
        'a.toml:5:29: vrrp_instance.tic.track[0].target: found "nowhere:80"; does not resolve (no such host)',
    ),
    INSTANCE + 'track = [{ check = { type = "knock", connect_ip = "192.0.2.8" }, target = "192.0.2.9:1" }]': (
        'a.toml:5:66: vrrp_instance.tic.track[0].target: found "192.0.2.9:1"; '
        "check knock says itself whom it asks (connect_ip); leave it out",
    ),
    INSTANCE + 'track = [{ check = { type = "knock", connect_ip = ["192.0.2.8", "2001:db8::8"] } }]': (
        "a.toml:5:10: vrrp_instance.tic.track[0].target: missing; check knock asks somebody: "
        'write target = "HOST:PORT"',
    ),
    INSTANCE + 'track = [{ check = { type = "knock", weight = 300 }, target = "192.0.2.9:1" }]': (
        "a.toml:5:12: vrrp_instance.tic.track[0].check: found 300; "
        "its weight must be a whole number from -253 to 253; write another one beside it",
    ),
    INSTANCE + 'priority = 255\ntrack = [{ interface = "eth1", weight = -5 }]': (
        "a.toml:6:32: vrrp_instance.tic.track[0].weight: found -5; "
        "must be 0: priority 255 owns the addresses, and no weight changes it",
    ),
    INSTANCE + 'priority = 255\ntrack = [{ check = { type = "knock", weight = 3 }, target = "192.0.2.9:1" }]': (
        "a.toml:6:12: vrrp_instance.tic.track[0].check: found 3; "
        "its weight must be 0: priority 255 owns the addresses, and no weight changes it; write another one beside it",
    ),
    INSTANCE + 'track_script = ["x"]': ('a.toml:5:1: vrrp_instance.tic.track_script: write track = [{ check = "…" }]',),
    "[vrrp_script.x]": (
        'a.toml:1:1: vrrp_script: write [check.NAME] with type = "…", '
        'and track = [{ check = "NAME" }] where it matters',
    ),
    # Notify
    INSTANCE + "notify = 5": (
        "a.toml:5:1: vrrp_instance.tic.notify: found 5; must be text, a table or a list of text or tables",
    ),
    INSTANCE + 'notify = "whisper"': (
        'a.toml:5:1: vrrp_instance.tic.notify: found "whisper"; unknown action type; known: dash, shout, weight',
    ),
    INSTANCE + 'notify = [{ type = "shout", volume = 12, on = ["mastre_"] }]': (
        "a.toml:5:29: vrrp_instance.tic.notify[0].volume: found 12; must be a whole number from 0 to 11",
        'a.toml:5:48: vrrp_instance.tic.notify[0].on[0]: found "mastre_"; '
        'must be "master", "backup", "fault", "stop", "deleted", "lower_priority" or "priority"',
    ),
    INSTANCE + "notify = [{ volume = 3 }]": (
        'a.toml:5:11: vrrp_instance.tic.notify[0].type: missing; write type = "NAME"',
    ),
    # What the machine lacks
    INSTANCE + 'notify = [{ type = "dash", command = ["/bin/true", "x"], user = "runs" }]': (),
    INSTANCE + 'notify = [\n  { type = "dash", command = ["/nope"], user = "runs" },\n]': (
        "a.toml:6:20: vrrp_instance.tic.notify[0].command: warning: would not be run: /nope is not for uid 7",
    ),
    INSTANCE + 'notify = { type = "dash", command = ["/nope"], user = "nosuch", group = "none" }': (
        'a.toml:5:48: vrrp_instance.tic.notify.user: found "nosuch"; there is no such user; make it, or name another one',
        'a.toml:5:65: vrrp_instance.tic.notify.group: found "none"; there is no such group; make it, or name another one',
    ),
    "[global]\nlvs_timeouts = { tcp = -1, fin = 3 }": (
        "a.toml:2:18: global.lvs_timeouts.tcp: found -1; must be a whole number from 0 to 2678400",
        "a.toml:2:28: global.lvs_timeouts.fin: unknown key; did you mean tcpfin?",
    ),
    "[global]\nlvs_timeouts = 900": ("a.toml:2:1: global.lvs_timeouts: found 900; must be a table",),
    '[global]\nscript_user = "nosuch"\nlog = "file:/nodir/x"': (
        'a.toml:2:1: global.script_user: found "nosuch"; there is no such user; make it, or name another one',
        'a.toml:3:1: global.log: warning: found "file:/nodir/x"; there is no folder /nodir; make it',
    ),
    # Virtual servers
    "[virtual_server.web]": (
        "a.toml:1:1: virtual_server.web.address: missing; write address or fwmark",
        'a.toml:1:1: virtual_server.web.protocol: missing; must be "tcp", "udp" or "sctp", or a list of them',
    ),
    SERVICE: ("a.toml:1:1: virtual_server.web: warning: has no real server: it is left out",),
    SERVICE + 'lb_algo = "rr"': ("a.toml:4:1: virtual_server.web.lb_algo: write scheduler",),
    SERVICE + 'scheduler = "fair"\n' + SERVER: (
        'a.toml:4:1: virtual_server.web.scheduler: found "fair"; computes weights, which only those of stayalived may; let a check of acme-checks do it',
    ),
    SERVICE + 'scheduler = { type = "slow_start", kernel = "rr" }\n' + SERVER: (
        "a.toml:4:36: virtual_server.web.scheduler.kernel: kernel 'rr' must be one that goes by weights: wrr, wlc, sed, nq, sh, mh, lblc, lblcr, ovf",
    ),
    SERVICE + 'stale = "up"\n' + SERVER: (
        'a.toml:4:1: virtual_server.web.stale: found "up"; must be "keep" or "down"',
    ),
    "[virtual_server.web]\nfwmark = 7\nha_suspend = true\n" + SERVER: (
        "a.toml:3:1: virtual_server.web.ha_suspend: goes with address only: a mark is on no machine; leave it out",
    ),
    "[virtual_server.web]\nfwmark = []\n" + SERVER: (
        "a.toml:2:1: virtual_server.web.fwmark: found an empty list; must name at least one mark",
    ),
    "[virtual_server.web]\nfwmark = [7, 7]\n" + SERVER: (
        "a.toml:2:1: virtual_server.web.fwmark: found fwmark 7 IPv4; stands here twice; the kernel has one service for each",
    ),
    "[virtual_server.web]\nfwmark = [7, 0]\n" + SERVER: (
        "a.toml:1:1: virtual_server.web.address: missing; write address or fwmark",
        'a.toml:1:1: virtual_server.web.protocol: missing; must be "tcp", "udp" or "sctp", or a list of them',
        "a.toml:2:14: virtual_server.web.fwmark[1]: found 0; must be a whole number from 1 to 4294967295",
    ),
    SERVICE + 'sorry_server = ["192.0.2.98:80", "192.0.2.99:80"]\n' + SERVER: (
        'a.toml:4:34: virtual_server.web.sorry_server[1]: found "192.0.2.99:80"; a second IPv4 address; one for each family',
    ),
    SERVICE + 'scheduler = { type = "rr", flags = ["flag-4"] }\n' + SERVER: (
        'a.toml:4:37: virtual_server.web.scheduler.flags[0]: found "flag-4"; must be "flag-1", "flag-2" or "flag-3"',
    ),
    '[global.lvs_sync_daemon]\ninterface = "eth0"\n'
    + SERVICE
    + 'forward = "TUN"\n'
    + SERVER.replace("192.0.2.11", "2001:db8::11"): (
        "a.toml:8:1: virtual_server.web.real_server.one.address: found [2001:db8::11]:80; has no IPv4 address, as the service has: with global.lvs_sync_daemon the kernel refuses tunnels into another family",
    ),
    SERVICE + "panic_threshold = 101\n" + SERVER: (
        "a.toml:4:1: virtual_server.web.panic_threshold: found 101; must be a whole number from 0 to 100",
    ),
    '[global]\nstate_dir = "here"': ('a.toml:2:1: global.state_dir: found "here"; must be a path that begins with /',),
    SERVICE + "sorry_server_inhibit = true\n" + SERVER: (
        "a.toml:4:1: virtual_server.web.sorry_server_inhibit: warning: has no effect without sorry_server",
    ),
    SERVICE.replace("tcp", "icmp") + SERVER: (
        'a.toml:3:1: virtual_server.web.protocol: found "icmp"; must be "tcp", "udp" or "sctp"',
    ),
    SERVICE.replace('"tcp"', '["tcp", "udp", "TCP"]') + SERVER: (
        'a.toml:3:27: virtual_server.web.protocol[2]: found "tcp"; stands here twice; keep one of them',
    ),
    SERVICE.replace('"tcp"', "[]") + SERVER: (
        'a.toml:3:1: virtual_server.web.protocol: missing; must be "tcp", "udp" or "sctp", or a list of them',
    ),
    SERVICE.replace('"tcp"', '["tcp", "udp"]') + "ops = true\n" + SERVER: (
        "a.toml:4:1: virtual_server.web.ops: goes with UDP or fwmark only",
    ),
    '[virtual_server.web]\nfwmark = 7\nprotocol = "tcp"\n' + SERVER: (
        "a.toml:3:1: virtual_server.web.protocol: warning: has no effect with fwmark: "
        "a mark stands for every packet that carries it",
    ),
    SERVICE.replace("tcp", "udp") + 'persistence_engine = "sip"\n' + SERVER: (
        "a.toml:4:1: virtual_server.web.persistence_engine: goes with persistence_timeout only; "
        "write how long a call stays with its server",
    ),
    SERVICE + 'persistence_engine = "sip"\npersistence_timeout = 60\n' + SERVER: (
        'a.toml:4:1: virtual_server.web.persistence_engine: found "sip"; goes with UDP or fwmark only',
    ),
    SERVICE + 'persistence_engine = "rtp"\npersistence_timeout = 60\n' + SERVER: (
        'a.toml:4:1: virtual_server.web.persistence_engine: found "rtp"; must be "sip"',
        'a.toml:4:1: virtual_server.web.persistence_engine: found "sip"; goes with UDP or fwmark only',
    ),
    SERVICE.replace("192.0.2.1", "192.0.2.9-3") + SERVER: (
        'a.toml:2:1: virtual_server.web.address: found "192.0.2.9-3:80"; a range ends at or after its start',
    ),
    SERVICE.replace("192.0.2.1", "192.0.2.9-999") + SERVER: (
        'a.toml:2:1: virtual_server.web.address: found "192.0.2.9-999:80"; '
        "after the dash comes an address, or its last part: a number up to 255",
    ),
    SERVICE.replace("192.0.2.1", "[2001:db8::1-xyz]") + SERVER: (
        'a.toml:2:1: virtual_server.web.address: found "[2001:db8::1-xyz]:80"; '
        "after the dash comes an address, or its last part: a hexadecimal number up to ffff",
    ),
    SERVICE.replace("192.0.2.1", "192.0.2.9/29") + SERVER: (
        'a.toml:2:1: virtual_server.web.address: found "192.0.2.9/29:80"; must be the address of the net: 192.0.2.8/29',
    ),
    SERVICE.replace("192.0.2.1", "10.0.0.0/8") + SERVER: (
        'a.toml:2:1: virtual_server.web.address: found "10.0.0.0/8:80"; '
        "has 16777216 addresses; a range has at most 65536",
    ),
    SERVICE.replace("192.0.2.1:80", "192.0.2.1-9") + SERVER: (
        'a.toml:2:1: virtual_server.web.address: found "192.0.2.1-9"; '
        "must have a port, unless the service is persistent",
    ),
    SERVICE + "sh-port = true\nhashed = true\n" + SERVER: (
        'a.toml:4:1: virtual_server.web.sh-port: write scheduler = { type = "sh", port = true }, or mh',
        "a.toml:5:1: virtual_server.web.hashed: the kernel's own mark, with which a service is never found; leave it out",
    ),
    SERVICE + "fwmark = 7\n" + SERVER: ("a.toml:2:1: virtual_server.web.address: give either address or fwmark",),
    SERVICE + "ops = true\n" + SERVER: ("a.toml:4:1: virtual_server.web.ops: goes with UDP or fwmark only",),
    SERVICE.replace(":80", "") + SERVER: (
        'a.toml:2:1: virtual_server.web.address: found "192.0.2.1"; must have a port, unless the service is persistent',
    ),
    SERVICE.replace(":80", ":http") + SERVER: (
        'a.toml:2:1: virtual_server.web.address: found "192.0.2.1:http"; must end in :PORT with a port from 1 to 65535',
    ),
    SERVICE.replace("192.0.2.1", "nowhere") + SERVER: (
        'a.toml:2:1: virtual_server.web.address: found "nowhere:80"; does not resolve (no such host)',
    ),
    SERVICE + 'scheduler = "fastest"\n' + SERVER: (
        'a.toml:4:1: virtual_server.web.scheduler: found "fastest"; unknown scheduler; '
        "known: dh, fair (acme-checks), fo, lblc, lblcr, lc, least_latency, mh, nq, ovf, picky (acme-checks), rr, sed, sh, slow_start, twos, wlc, wrr",
    ),
    SERVICE + 'scheduler = { type = "sh", prot = true }\n' + SERVER: (
        "a.toml:4:28: virtual_server.web.scheduler.prot: unknown key; did you mean port?",
    ),
    SERVICE + 'scheduler = "picky"\n' + SERVER: (
        "a.toml:4:1: virtual_server.web.scheduler: the plugin refuses its options: "
        "acme-checks: picky: RuntimeError: not today",
    ),
    SERVICE + 'forward = "MASQ"\n' + SERVER: (
        'a.toml:4:1: virtual_server.web.forward: found "MASQ"; must be "NAT", "DR" or "TUN"',
    ),
    SERVICE + 'forward = { type = "TUN", tunnel = "gue" }\n' + SERVER: (
        'a.toml:4:1: virtual_server.web.forward.port: goes with tunnel = "gue", which must have one',
    ),
    SERVICE + "quorum = 3\nhysteresis = 3\n" + SERVER: (
        "a.toml:4:1: virtual_server.web.quorum: warning: found 3; is more than all servers together weigh: 1 is used",
        "a.toml:5:1: virtual_server.web.hysteresis: warning: found 3; must be below the quorum: 0 is used",
    ),
    SERVICE + "persistence_granularity = 64\n" + SERVER: (
        "a.toml:4:1: virtual_server.web.persistence_granularity: found 64; "
        "must be a prefix length from 1 to 32 or a netmask",
    ),
    SERVICE + 'sorry_server = "[2001:db8::9]:80"\n' + SERVER: (
        'a.toml:4:1: virtual_server.web.sorry_server: found "[2001:db8::9]:80"; '
        "has no address of the service's family",
    ),
    SERVICE + SERVER + SERVICE.replace("web", "again") + SERVER.replace("web", "again"): (
        "a.toml:7:1: virtual_server.again.address: found tcp 192.0.2.1:80; is that of web; "
        "the kernel has one service for each",
    ),
    # Real servers
    SERVICE + "[virtual_server.web.real_server.one]": (
        "a.toml:4:1: virtual_server.web.real_server.one.address: missing; must be text or a list of text",
    ),
    SERVICE + SERVER + "weight = -1\nuthreshhold = 3": (
        "a.toml:6:1: virtual_server.web.real_server.one.weight: found -1; must be a whole number from 0 to 2147483647",
        "a.toml:7:1: virtual_server.web.real_server.one.uthreshhold: unknown key; did you mean uthreshold?",
    ),
    SERVICE + SERVER.replace("192.0.2.11", "2001:db8::11"): (
        "a.toml:5:1: virtual_server.web.real_server.one.address: must have an IPv4 address, as the service has",
    ),
    SERVICE + SERVER.replace('"192.0.2.11"', '["192.0.2.11", "192.0.2.12"]'): (
        'a.toml:5:26: virtual_server.web.real_server.one.address[1]: found "192.0.2.12"; '
        "a second IPv4 address; one for each family",
    ),
    SERVICE + SERVER + SERVER.replace("one", "two"): (
        "a.toml:7:1: virtual_server.web.real_server.two.address: found 192.0.2.11:80; is that of one; keep one of them",
    ),
    SERVICE + 'forward = "DR"\n' + SERVER.replace('11"', '11:81"'): (
        "a.toml:6:1: virtual_server.web.real_server.one.address: warning: found port 81; "
        "DR keeps the service's port 80: that one is used",
    ),
    SERVICE + SERVER + "uthreshold = 10\nlthreshold = 20": (
        "a.toml:7:1: virtual_server.web.real_server.one.lthreshold: found 20; "
        "is above uthreshold (10): the kernel refuses such a server",
    ),
    SERVICE + SERVER + "lthreshold = 20": (
        "a.toml:6:1: virtual_server.web.real_server.one.lthreshold: found 20; "
        "is above uthreshold (0): the kernel refuses such a server",
    ),
    # Checks
    SERVICE + 'check = "answerz"\n' + SERVER + '[check.answers]\ntype = "knock"': (
        'a.toml:4:1: virtual_server.web.check: found "answerz"; no [check.answerz] and no check type of this name; '
        "named checks: answers; types: echo, knock",
    ),
    '[check.answers]\ntype = "nock"': (
        'a.toml:2:1: check.answers.type: found "nock"; unknown check type; known: echo (acme-checks), knock',
    ),
    '[check.answers]\ntype = "knock"\ntimes = 6\nwordd = "x"\ndelay_lop = 3\ntimeout = 3': (
        "a.toml:3:1: check.answers.times: found 6; must be a whole number from 1 to 5",
        "a.toml:4:1: check.answers.wordd: unknown key; did you mean word?",
        "a.toml:5:1: check.answers.delay_lop: unknown key; did you mean delay_loop?",
        "a.toml:6:1: check.answers.timeout: write connect_timeout",
    ),
    '[check.answers]\ntype = "knock"\ncodes = [200, 99]': (
        "a.toml:3:15: check.answers.codes[1]: found 99; must be a whole number from 100 to 599",
    ),
    '[check.answers]\ntype = "knock"\nword = "forbidden"': (
        "a.toml:3:1: check.answers.word: word must not be forbidden",
    ),
    '[check.answers]\ntype = "knock"\nword = "a"\ntimes = 3': (
        "a.toml:1:1: check.answers: word is too short for so many times",
    ),
    '[check.answers]\ntype = "knock"\nrooms = [\n  { door = 1 },\n  { door = 13 },\n]': (
        "a.toml:5:5: check.answers.rooms[1].door: there is no door 13",
    ),
    '[check.answers]\ntype = "knock"\npassword = { file = "/a", env = "B" }': (
        'a.toml:3:1: check.answers.password: must be text, { file = "…" } or { env = "…" }',
    ),
    '[check.answers]\ntype = "knock"\ndelay_loop = 0': (
        "a.toml:3:1: check.answers.delay_loop: found 0; must be seconds, a number from 0.01 to 86400",
    ),
    SERVICE + 'check = { type = "knock", bindto = "six" }\n' + SERVER: (
        "a.toml:4:27: virtual_server.web.check.bindto: has no IPv4 address, but a server that is checked has one",
    ),
    '[virtual_server.web]\nfwmark = 7\ncheck = "knock"\n' + SERVER: (
        "a.toml:3:1: virtual_server.web.check.connect_port: web/one has no port that could be checked; "
        "write connect_port = PORT",
    ),
}
