"""A program that is not run."""

from stayalived.errors import StayalivedError


class Refused(StayalivedError):
    """It could be run, but not safely, or not as that user; the text names what is in the way and the remedy."""
