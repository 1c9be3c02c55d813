"""I/O: `stayalived digest`. keepalived's genhash (CL12), by the very check that will compare the digest."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import SplitResult, urlsplit

import click
import msgspec

from stayalived.addresses import Endpoint
from stayalived.cli.tables import printable
from stayalived.config.model import BUNDLED
from stayalived.config.names import Names, split_port
from stayalived.errors import StayalivedError
from stayalived.plugin.catalogue import Provided
from stayalived.plugin.checks import Check, Target, Verdict
from stayalived.plugin.manager import load
from stayalived.plugin.testing import run_check, target_for
from stayalived.timing import seconds

MD5, SHA256 = 32, 64
"""Hexadecimal digits of a digest; they say which one is compared."""

_STEP = "digest"
_PORTS = {False: 80, True: 443}  # without TLS and with it


@click.command(epilog="Exit status: 0 when there is a digest, 1 when there is none, 2 when the call is wrong.")
@click.argument("url")
@click.option("--address", default="", metavar="HOST[:PORT]", help="Ask this server in place of the one of the URL.")
@click.option("--timeout", default=5.0, show_default=True, help="Limit of each step in seconds.")
@click.option("--no-verify", is_flag=True, help="Take any certificate.")
@click.option("--ca", default="", metavar="FILE", help="Authorities that may have signed the certificate.")
def command(url: str, address: str, timeout: float, no_verify: bool, ca: str) -> None:
    """Show the digests of a page as the check compares them, to be written into a configuration.

    The page is asked for several times: one that is not always the same has no digest that could be compared.
    """
    try:
        place = urlsplit(url)
        provided = _type_for(place.scheme)
        target = target_for(
            _endpoint(place, address), virtual_host=place.netloc.rpartition("@")[2], connect_timeout=seconds(timeout)
        )
    except ValueError as error:
        raise click.UsageError(f"{printable(url)}: {error}") from error
    trust = {"tls": True, "verify": not no_verify, "ca": ca} if _has_tls(place) else {}
    fetch = partial(_fetch, provided, target, (place.path or "/") + (f"?{place.query}" if place.query else ""), trust)
    try:
        _tell(fetch("0" * MD5), fetch)
    except msgspec.ValidationError as error:
        raise click.UsageError(f"{printable(url)}: {error}") from error
    except (StayalivedError, OSError) as error:
        raise click.ClickException(printable(str(error))) from error


def _fetch(provided: Provided[Check], target: Target, path: str, trust: Mapping[str, object], expected: str) -> Verdict:
    """Make the check once, with a digest to compare."""
    options = msgspec.convert({**trust, "url": [{"path": path, _STEP: expected}]}, provided.provider.Options)
    return asyncio.run(run_check(provided.provider(options), target))


def _tell(first: Verdict, fetch: Callable[[str], Verdict]) -> None:
    """Print the digests, or why there are none."""
    md5 = _seen(first)
    sha256 = _seen(fetch("0" * SHA256))
    if not fetch(md5).up:
        raise click.ClickException("the page is another one each time: no digest of it will ever match again")
    click.echo(f'{_STEP} = "{md5}"     # MD5, as genhash and keepalived have it')
    click.echo(f'{_STEP} = "{sha256}"     # SHA-256')


def _seen(verdict: Verdict) -> str:
    """Return the digest that a verdict shows beside the one that was expected in vain."""
    if verdict.step != _STEP:
        click.echo(printable(str(verdict)), err=True)
        sys.exit(1)
    return verdict.seen.split()[0]


def _type_for(scheme: str) -> Provided[Check]:
    """Return the bundled check type of a scheme: it has its name, but for the `s` that stands for TLS."""
    provided = load({BUNDLED}).catalogue.checks.get(scheme.removesuffix("s"))
    if provided is None or _STEP not in _keys(provided):
        raise ValueError("there is no check that compares a digest for this scheme")
    return provided


def _keys(provided: Provided[Check]) -> set[str]:
    """Return the keys of the pages that a type asks for, empty where it asks for none."""
    fields = {field.name: field.type for field in msgspec.structs.fields(provided.provider.Options)}
    pages = getattr(fields.get("url"), "__args__", ())
    return set(pages[0].__struct_fields__) if pages else set()


def _has_tls(place: SplitResult) -> bool:
    return place.scheme.endswith("s")


def _endpoint(place: SplitResult, address: str) -> Endpoint:
    """Return whom to ask: the server that is named, else that of the URL."""
    host, port = split_port(address) if address else (place.hostname or "", place.port or 0)
    if not host:
        raise ValueError("must be a whole URL, with a host")
    addresses = Names().addresses(host)
    first = addresses[min(addresses)]
    return Endpoint(first, port or place.port or _PORTS[_has_tls(place)])
