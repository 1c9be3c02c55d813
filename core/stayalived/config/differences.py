"""Where a default or a habit differs from keepalived's, and why: the table of `docs/migration.md`.

python -m stayalived.config.differences docs/migration.md     writes the part below the marker anew
"""

import sys

from stayalived.config.check_differences import CHECK_DIFFERENCES
from stayalived.config.difference import Difference
from stayalived.pages import Page, table

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
    *CHECK_DIFFERENCES,
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
)


def generated() -> str:
    """Return everything below the marker."""
    rows = ((one.about, one.there, one.here, one.why) for one in DIFFERENCES)
    return "\n".join(table(("", "keepalived", "stayalived", "why"), rows))


PAGE = Page(path="docs/migration.md", module="stayalived.config.differences", generated=generated)

if __name__ == "__main__":
    PAGE.main(sys.argv[1:])
