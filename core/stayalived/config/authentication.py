"""The simple password of VRRP version 2 (V27): it is on the wire in clear, in eight bytes."""

from collections.abc import Collection

from stayalived.addresses import Family
from stayalived.config.desk import Desk
from stayalived.config.findings import Path, Table, shown
from stayalived.config.vrrp import AUTHENTICATIONS, AuthenticationTable

LENGTH = 8  # RFC 2338 5.3.10: authentication data of eight bytes
NONE = b""
_AH = AUTHENTICATIONS[1]


def authentication_of(
    value: Table | None, version: int, families: Collection[Family], desk: Desk, path: Path, *, strict: bool
) -> bytes:
    """Return the eight bytes that go along with an instance's adverts; none without a password or after an error.

    Args:
        value: what stands at `authentication`.
        version: of VRRP that the instance speaks.
        families: of its addresses.
        desk: where to note what is wrong.
        path: of the table.
        strict: whether the instance is in strict mode.
    """
    if value is None:
        return NONE
    if str(value.get("auth_type")).upper() == _AH:
        text = 'the IPsec authentication header does not exist here: RFC 3768 took it out; write "PASS", or nothing'
        desk.findings.error((*path, "auth_type"), text, found=shown(_AH))
        return NONE
    table = desk.decoder.table(value, AuthenticationTable, path, "authentication")
    if table is None:
        return NONE
    desk.choice(table.auth_type, AUTHENTICATIONS[:1], (*path, "auth_type"))
    against = _against(version, families, strict=strict)
    if against:
        desk.findings.error(path, against)
    return _padded(table.auth_pass.reveal(), desk, (*path, "auth_pass"))


def _against(version: int, families: Collection[Family], *, strict: bool) -> str:
    if Family.IPV6 in families:
        return "VRRP version 3, which IPv6 needs, has no authentication; leave it out"
    if version != 2:
        return f"VRRP version {version} has no authentication; leave it out, or write version = 2"
    return "strict mode has no authentication (RFC 3768 5.3.6); leave one of the two out" if strict else ""


def _padded(password: str, desk: Desk, path: Path) -> bytes:
    if not password or not (password.isascii() and password.isprintable()):
        desk.findings.error(path, f"must be 1 to {LENGTH} characters of ASCII that can be printed")
        return NONE
    if len(password) > LENGTH:
        text = f"has {len(password)} characters; keepalived cuts it to {LENGTH}: write its first {LENGTH} for the same"
        desk.findings.error(path, text)
        return NONE
    return password.encode("ascii").ljust(LENGTH, b"\0")
