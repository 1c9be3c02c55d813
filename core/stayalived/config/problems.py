"""What is wrong with a configuration, said so that a person can mend it."""

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong, and where.

    Attributes:
        path: dotted path of the key, such as `vrrp_instance.tic.priority`; empty for a whole file.
        found: what stands there, as a person wrote it; never a secret.
        expected: what is allowed, or what to write instead.
        file: name of the file, when it is known.
        line: line in that file, from 1; 0 when it is not known.
        column: column in that line, from 1; 0 when it is not known.
        warning: the configuration can be used in spite of it.
    """

    path: str
    expected: str
    found: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    warning: bool = False

    def __str__(self) -> str:
        """Return `FILE:LINE:COLUMN: path: found …; expected …`, without the parts that are not known."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        where = ": ".join(part for part in (place, self.path) if part)
        what = f"found {self.found}; {self.expected}" if self.found else self.expected
        kind = "warning: " if self.warning else ""
        return f"{where}: {kind}{what}" if where else f"{kind}{what}"
