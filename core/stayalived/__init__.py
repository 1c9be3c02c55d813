"""A floating address that never disappears, and a pool of servers that are checked."""

__version__ = "0.1.0"
