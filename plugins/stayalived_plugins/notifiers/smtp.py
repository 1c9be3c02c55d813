"""Handing letters to a relay, by aiosmtplib (I/O: sockets). Imported when the first mail goes: it is big."""

import ssl
from collections.abc import Sequence

import aiosmtplib

from stayalived_plugins.notifiers.outgoing import Fate, Letter
from stayalived_plugins.notifiers.relays import Delivery, Relays

PERMANENT = 500  # RFC 5321 4.2.1: 5yz, do not try this again


async def deliver(relays: Relays, letters: Sequence[Letter]) -> Delivery:
    """Offer letters to the relays, in their order, until each letter was taken or refused, or no relay is left."""
    result = Delivery({letter.name: Fate.LATER for letter in letters})
    for host, port in relays.hosts:
        left = [letter for letter in letters if result.fates[letter.name] is Fate.LATER]
        if not left:
            break
        try:
            await _offer(relays, host, port, left, result)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            result.problem = f"{host}:{port}: {_text(error)}"
    return result


async def _offer(relays: Relays, host: str, port: int, letters: Sequence[Letter], result: Delivery) -> None:
    client = aiosmtplib.SMTP(
        hostname=host,
        port=port,
        timeout=relays.timeout,
        local_hostname=relays.helo_name,
        use_tls=relays.tls == "implicit",
        start_tls={"none": False, "starttls": True, "opportunistic": None}.get(relays.tls, False),
        tls_context=_context(relays) if relays.tls != "none" else None,
    )
    await client.connect()
    try:
        if relays.username:
            await client.login(relays.username, relays.password)
        result.reached = True
        for letter in letters:
            await _send(client, letter, result, f"{host}:{port}")
    finally:
        await _leave(client)


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Say good-bye; whatever the relay makes of that, it has taken what it took."""
    try:
        await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        client.close()


async def _send(client: aiosmtplib.SMTP, letter: Letter, result: Delivery, where: str) -> None:
    """Offer one letter; a relay that hangs up is the next one's turn, one that answers has decided."""
    try:
        await client.sendmail(letter.sender, [letter.recipient], letter.message)
    except aiosmtplib.SMTPRecipientsRefused as error:
        _refuse(letter, error.recipients[0].code, error.recipients[0].message, result, where)
    except aiosmtplib.SMTPResponseException as error:
        _refuse(letter, error.code, error.message, result, where)
    else:
        result.fates[letter.name] = Fate.TAKEN


def _refuse(letter: Letter, code: int, message: str, result: Delivery, where: str) -> None:
    said = f"{where} to {letter.recipient}: {code} {_printable(message)}"
    if code >= PERMANENT:
        result.fates[letter.name] = Fate.REFUSED
        result.refusals.append(f"{said}; left out: {letter.headline}")
    else:
        result.problem = said


def _context(relays: Relays) -> ssl.SSLContext:
    """Return how TLS is spoken. What is opportunistic verifies nobody, as plain text does not either (RFC 7435)."""
    context = ssl.create_default_context(cafile=relays.authorities or None)
    if relays.tls == "opportunistic":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _text(error: BaseException) -> str:
    return _printable(str(error)) or type(error).__name__


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text[:300])
