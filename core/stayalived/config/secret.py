"""Text that must not be seen: what a configuration keeps secret, in the hands of whoever needs it."""


class Secret:
    """Text that must not be seen. Only `reveal` gives it away; it shows itself as stars."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep the text."""
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself: to be sent, never to be shown."""
        return self._text

    def __repr__(self) -> str:
        """Return stars."""
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        """Compare what is hidden."""
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        """Return the hash of what is hidden."""
        return hash(self._text)
