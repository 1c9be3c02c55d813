"""Who is guilty decides what happens: the five families of errors.

| family | guilty | consequence |
|---|---|---|
| `PeerError` | somebody on the wire | counted, dropped |
| `ConfigurationError` | the configuration | all problems are shown, nothing changes |
| `KernelProblem` | the kernel refused | becomes an event of the engine |
| `PluginFailure` | a plugin | counted, the others go on |
| `Bug` | ourselves | this child ends and is replaced |
"""

from collections.abc import Sequence

from stayalived.config.problems import Problem


class StayalivedError(Exception):
    """Root of what this project raises on purpose; never raised itself."""


class PeerError(StayalivedError):
    """Bytes from the network that are not what they should be. Count it and drop them."""


class ConfigurationError(StayalivedError):
    """The configuration cannot be used. Carries every problem found, not just the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems; the text shows each on a line of its own."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class KernelProblem(StayalivedError):
    """A system call or a netlink request was refused.

    Args:
        action: what was tried, in the words of `ip` or `ipvsadm`.
        errno: the kernel's error number.
        remedy: what a person can do about it.
    """

    def __init__(self, action: str, errno: int, remedy: str = "") -> None:
        """Compose the text from the action, the error's name and the remedy."""
        import os  # noqa: PLC0415  (only for the text of a number; no call to the system)

        text = f"{action}: {os.strerror(errno)}"
        super().__init__(f"{text}; {remedy}" if remedy else text)
        self.action = action
        self.errno = errno
        self.remedy = remedy


class PluginFailure(StayalivedError):
    """A plugin raised, took too long or answered nonsense. Names its distribution."""


class Bug(StayalivedError):
    """Something that cannot happen did. This child ends; its replacement starts clean."""
