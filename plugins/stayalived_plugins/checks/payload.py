"""What checks send and what they expect, as text or as hexadecimal digits."""

import re

_PAIRS = re.compile(r"(?:[0-9a-fA-F]{2})*")
_NIBBLES = re.compile(r"(?:[0-9a-fA-FxX]{2})*")
_BLANKS = re.compile(r"[\s:]+")

MOST_SHOWN = 60
"""Bytes of what came that a verdict shows."""


def data_of(name: str, text: str, digits: str) -> bytes:
    """Return the bytes that a pair of options `NAME` and `NAME_hex` stands for, empty where neither is given.

    Raises:
        ValueError: both are given, or the second is not made of pairs of hexadecimal digits.
    """
    if text and digits:
        raise ValueError(f"{name} and {name}_hex exclude each other")
    plain = _BLANKS.sub("", digits)
    if not _PAIRS.fullmatch(plain):
        raise ValueError(f"{name}_hex {digits!r} must be pairs of hexadecimal digits")
    return bytes.fromhex(plain) if plain else text.encode()


def nibbles_of(name: str, digits: str) -> tuple[bytes, bytes]:
    """Return value and mask of a pattern of hexadecimal digits in which X stands for any digit (C34).

    Raises:
        ValueError: it is not made of pairs of such digits.
    """
    plain = _BLANKS.sub("", digits)
    if not _NIBBLES.fullmatch(plain):
        raise ValueError(f"{name} {digits!r} must be pairs of hexadecimal digits, or X for any digit")
    value = re.sub("[xX]", "0", plain)
    mask = re.sub("[^X]", "F", plain.upper()).replace("X", "0")
    return bytes.fromhex(value), bytes.fromhex(mask)


def shown(data: bytes) -> str:
    """Return bytes for people: as text where they are some, else as hexadecimal digits; never more than a line."""
    piece = data[:MOST_SHOWN]
    text = piece.decode("utf-8", "replace").rstrip("\r\n")
    if not text.isprintable() or "�" in text:
        text = piece.hex(" ", 2)
    more = f" … ({len(data)} bytes)" if len(data) > MOST_SHOWN else ""
    return (text or "nothing") + more
