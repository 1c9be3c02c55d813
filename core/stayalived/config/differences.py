"""Where a default or a habit differs from keepalived's, and why: the table of `docs/migration.md`.

python -m stayalived.config.differences docs/migration.md     writes the part below the marker anew
"""

import sys
from dataclasses import dataclass

from stayalived.pages import Page, table


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that keepalived's users would expect to be otherwise.

    Attributes:
        about: what it is about.
        there: how it is with keepalived.
        here: how it is with us.
        why: the reason.
        name: by which the table of verdicts (`tests/verdicts`) refers to it, where a check's verdict depends on it.
    """

    about: str
    there: str
    here: str
    why: str
    name: str = ""


DIFFERENCES = (
    Difference(
        "`priority`",
        "100, but 255 with `state MASTER`",
        "100 always",
        "255 means the owner of the addresses, which no check can lower; nobody should become it by leaving out a key",
    ),
    Difference(
        "`state`",
        "where an instance starts",
        "accepted, with a warning, and without effect",
        "the election decides; a machine that starts as MASTER disturbs the one that is",
    ),
    Difference(
        "`protocol`",
        "UDP when it is left out",
        "must be given",
        "a TCP service that is forwarded as UDP answers nobody, and no message says why",
    ),
    Difference(
        "a server before its first check",
        "in the pool, unless `alpha`",
        "UNKNOWN and not in the pool; one found in the kernel's table at a start stays until a check fails. "
        "`alpha = false` is keepalived's way",
        "no client meets a server that nobody has tried, and no restart empties a pool",
    ),
    Difference(
        "the first check",
        "after a second and a random part of `warmup`",
        "at once, `start_rate` in a second; `warmup` spreads the second check",
        "a pool is full sooner, and a reload does not make all servers wait again",
    ),
    Difference(
        "SMTP_CHECK",
        "a greeting or an answer of several lines fails, and so do a code without a text and a line of more "
        "than 512 bytes",
        "each of them passes",
        "RFC 5321 4.2 allows the first two, servers send them, and a long greeting is no sign of illness",
        name="smtp-lines",
    ),
    Difference(
        "UDP_CHECK `min_reply_length`, `max_reply_length`",
        "looked at only where digits follow `require_reply`; an answer that is shorter than the digits is "
        "compared as far as it goes",
        "looked at whenever there must be an answer; a `min_reply_length` demands one; an answer must have "
        "all of the digits",
        "as its manual says",
        name="udp-lengths",
    ),
    Difference(
        "HTTP_GET `regex`",
        "of PCRE2, `regex_stack`; looked for, and offsets counted, in the head as well where body and head "
        "come together; `$` and what else could go on at the end of the page is never found",
        "of Python, on the body as far as `body_limit`, once it is whole; no `regex_stack`",
        "one library less, and a verdict that does not depend on how an answer is cut into segments; look at "
        "what is more than plain",
        name="http-regex",
    ),
    Difference(
        "HTTP_GET `digest`, `regex` and chunks",
        "a chunked body is hashed and searched with the sizes of its chunks",
        "without them",
        "the page is the same whichever way it comes",
        name="http-chunks",
    ),
    Difference(
        "HTTP_GET and the end of an answer",
        "waits for the end of the connection: an answer that is whole and kept open, or reset in its body, "
        "fails, even one of `Content-Length: 0`",
        "the head decides where nobody looks at the body; else the length or the last chunk",
        "the status is all that was asked for, and a server that keeps connections open is no worse",
        name="http-head",
    ),
    Difference(
        "HTTP_GET `digest`, `regex` of a body that ends before its `Content-Length`",
        "hashed as far as it came",
        "fails",
        "half a page is what a server sends that dies over it",
        name="http-short",
    ),
    Difference(
        "HTTP_GET and what is no HTTP/1",
        "three digits after the first blank are a status, whatever stands before them (HTTP/2, http/1.1, ICY) "
        "or below (lines without a colon, lengths that are none); a status line without a reason, or with an "
        "empty line before it, fails",
        "the head must be as RFC 9112 has it, which allows both of the last",
        "who answers so is no web server, or one that clients do not understand",
        name="http-parse",
    ),
    Difference(
        "HTTP_GET, status 100 before another",
        "is the status",
        "the one that follows is",
        "RFC 9110 15.2: it is no final answer",
        name="http-100",
    ),
    Difference(
        "HTTP_GET, a head of more than 4095 bytes",
        "fails",
        "may have 65536",
        "cookies and policies grow; it is for clients to say what is too much",
        name="http-long-head",
    ),
    Difference(
        "HTTP_GET `User-Agent`",
        "`KeepAliveClient`",
        "`StayalivedClient`; `headers` may say another",
        "logs should tell who asked; a server with a rule for the old one wants `headers = { User-Agent = "
        '"KeepAliveClient" }`',
        name="http-agent",
    ),
    Difference(
        "several `url`s",
        "one each `delay_loop`",
        "all in one probe, the first that fails decides",
        "a server is in or out after one probe",
    ),
    Difference(
        "TLS of a check",
        "the certificate is not verified",
        "verified, unless `verify = false`",
        "an answer of whoever sits in between is no sign of health",
        name="tls-verified",
    ),
    Difference(
        "unsafe scripts",
        "run, with a warning, unless `enable_script_security`",
        "never run; `check` names the folder or file that others could change",
        "whoever can change a script that root runs is root",
    ),
    Difference(
        "a virtual address that somebody deletes",
        "the master steps down, and takes over again after about a skew time",
        "it is added again at once; the master steps down only when it is deleted again and again",
        "two takeovers are worse for clients than a gap of milliseconds",
    ),
    Difference(
        "scripts on events",
        "started and forgotten; two may overtake each other",
        "awaited, one after the other for each instance or server, each with a time limit",
        "the last one that ran must be that of the last event",
    ),
    Difference(
        "a bad instance or service",
        "is dropped, the others run",
        "the whole configuration is refused, with everything that is wrong in it; what runs, keeps running",
        "half a configuration is one that nobody wrote",
    ),
    Difference(
        "time limit of an HTTP check",
        "`connect_timeout` for each step, none for all of them",
        "the same for each step, and one for the whole check",
        "a server that sends a byte now and then would never be down",
    ),
    Difference(
        "the pause between tries of an HTTP check",
        "`delay_before_retry` is 3 s",
        "1 s, as of the other checks",
        "the second try says as much two seconds sooner; write `delay_before_retry = 3` where it does not",
    ),
    Difference(
        "the next HTTP check of a server that is down",
        "after the longer of `delay_before_retry` and `delay_loop`",
        "after `delay_loop`, or `fast_interval` where that is set",
        "a pause between tries says nothing about a server that failed them all",
    ),
    Difference(
        "a script of a check that may not be run",
        "disabled at the start, for good",
        "looked at anew each time; until it is safe no verdict changes, and log and status say what to do",
        "neither the server nor the router has failed, and a `chmod` should be all that it takes",
        name="command-not-run",
    ),
    Difference(
        "MISC_CHECK that ends with status 0 after its time is over",
        "passes",
        "fails",
        "it was too late, however politely it ended",
        name="command-late",
    ),
    Difference(
        "a number in a tracked file",
        "text after it is ignored; one beyond 32 bits is not taken",
        "with text after it counts as 0; one beyond 32 bits counts as the nearest",
        "a slip of the pen should not become a weight, and much should stay much",
        name="file-number",
    ),
    Difference(
        "DNS_CHECK and what follows the head of an answer",
        "is not looked at",
        "must be a message of DNS",
        "garbage is no answer",
        name="dns-garbage",
    ),
    Difference(
        "DNS_CHECK and a truncated answer",
        "is an answer",
        "the question is asked again over TCP",
        "as a resolver does (RFC 7766 5): a server that has no TCP cannot answer it",
        name="dns-truncated",
    ),
    Difference(
        "PING_CHECK that this machine forbids (a route, a firewall)",
        "fails",
        "no verdict changes, and log and status say why",
        "it says nothing about the server; for TCP keepalived has it so, too",
        name="ping-own-side",
    ),
    Difference(
        "tracked files and processes",
        "inotify, the kernel's process connector",
        "looked at each `delay_loop`, a second by default; a missing file holds 0 here as well",
        "it takes no right, works on every file system, and has no queue that can overflow",
    ),
    Difference(
        "a child that ends with a fatal error",
        "the whole daemon stops",
        "the child is started again, later each time; the others go on",
        "a checker that cannot work is no reason to give up the address",
    ),
    Difference(
        "preferred lifetime of a virtual IPv6 address",
        "0 for /128 only",
        "0 for every one",
        "the machine's own connections must not come from an address that may move away",
    ),
    Difference(
        "families of an instance",
        "one; addresses of the other one are excluded ones",
        "one or both: a virtual router for each, and they move together, unless `split`",
        "a service has addresses of both",
    ),
    Difference(
        "more addresses than an advert can carry",
        "the last ones are moved to the excluded ones, with a warning",
        "refused, with the number that fits the interface's MTU",
        "a peer of another make would not move the same ones",
    ),
    Difference(
        "what a family does not have, such as a label of an IPv6 address",
        "left aside",
        "refused",
        "who writes it expects something of it",
    ),
    Difference(
        "`unicast_src_ip` without a peer",
        "multicast, with a warning, unless `unicast_fault_no_peer`",
        "refused",
        "two machines that talk in different ways are two masters",
    ),
    Difference(
        "hop limit of unicast adverts over IPv6",
        "the kernel's default, unless `unicast_ttl`",
        "255, as over IPv4",
        "a peer that checks it would drop the others",
    ),
    Difference(
        "`authentication` with version 3",
        "left out, with a message",
        "refused",
        "nobody should take an instance for protected that is not",
    ),
    Difference(
        "a password of more than eight characters",
        "cut to eight",
        "refused; write the first eight for the same",
        "the rest protects nothing",
    ),
    Difference(
        "`auth_type AH`",
        "IPsec AH",
        "refused",
        "RFC 3768 took it out, and its MD5 is broken",
    ),
    Difference(
        "`skip_check_adv_addr no`, `v3_checksum_as_v2 no`",
        "taken for yes",
        "means no",
        "a key that says no must not switch anything on",
    ),
    Difference(
        "`[global]` and instances",
        "what stands in `global_defs` reaches instances below it only",
        "reaches all instances, whatever the order of the files",
        "files are merged before anything is looked at",
    ),
    Difference(
        "a rule without `preference`",
        "counted down from 16384, whether that one is written somewhere or not",
        "the same, past those that are written",
        "two rules of one preference cannot be told apart",
    ),
    Difference(
        "`nftables`",
        "a table `keepalived`",
        "a table `stayalived`",
        "both can be installed, and each makes and removes its own",
    ),
    Difference(
        "a service without a port and without persistence",
        "made persistent for 360 s, with a warning",
        "refused; write the port, or `persistence_timeout`",
        "clients that stay where they are is a decision, not a repair",
    ),
    Difference(
        "a range of addresses that is none, such as 192.0.2.9/30",
        "left aside; 2.2.7 goes round for ever on one that crosses a last part of 255",
        "refused, with the net that it may have meant; ranges may cross whatever they like",
        "a service that is missing is noticed by its users first",
    ),
    Difference(
        "`virtual_server_group`",
        "a group of addresses, to be used once for each protocol",
        "`address` of the virtual server; `protocol` may be a list",
        "one name, one set of checks",
    ),
    Difference(
        "`persistence_engine` without a time, or over TCP",
        "left out without a word; taken, and every connection over TCP fails",
        "refused",
        "the kernel's engine knows UDP only, and nothing of it without persistence",
    ),
    Difference(
        "`lthreshold` above `uthreshold`",
        "a warning, and the kernel refuses the server",
        "refused",
        "a server that is never in the table should be found before the start",
    ),
    Difference(
        "a mark with servers of both families",
        "those of the family that was not first are left out",
        "a service in each family",
        "whoever writes a server wants it to serve",
    ),
    Difference(
        "a scheduler that the kernel has not",
        "the service is not there, and the log tells of an error for each of its servers",
        "a start warns and names the module; a reload is refused",
        "what can be known before the change should not be learnt from it",
    ),
    Difference(
        "`ha_suspend`",
        "checks sleep from the start; a group's addresses are not looked at",
        "checks are made until they have a verdict, which `alpha = false` gives; one address of several is enough",
        "a pool that nobody has looked at would be empty at a takeover",
    ),
    Difference(
        "the sorry server",
        "added after the last live server has left",
        "added before",
        "in between the service would refuse everybody",
    ),
)  # fmt: skip


def generated() -> str:
    """Return everything below the marker."""
    rows = ((one.about, one.there, one.here, one.why) for one in DIFFERENCES)
    return "\n".join(table(("", "keepalived", "stayalived", "why"), rows))


PAGE = Page(path="docs/migration.md", module="stayalived.config.differences", generated=generated)

if __name__ == "__main__":
    PAGE.main(sys.argv[1:])
