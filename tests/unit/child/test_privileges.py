"""Rights are given up in a process of their own: what is gone does not come back."""

import os
import pwd
from collections.abc import Callable

from stayalived.child import privileges
from stayalived.child.privileges import CAPABILITIES, MissingRights


def said_by(attempt: Callable[[], object]) -> str:
    """What a new process that lacks the right to change its user says when it attempts something."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            lost = sum(1 << CAPABILITIES[name] for name in ("SETUID", "SETGID", "SETPCAP"))
            privileges._set_capabilities(privileges.permitted_capabilities() & ~lost)
            attempt()
            os.write(writer, b"nothing was missing")
        except MissingRights as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return text


def test_a_user_that_does_not_exist_is_named_with_who_stands_in_and_the_remedy() -> None:
    account, (notice,) = privileges.find_user("no-such-user")

    assert account.pw_name == "nobody"
    assert notice == (
        f"user no-such-user does not exist: running as nobody (uid {account.pw_uid}) in its stead; "
        "`stayalived install` makes it"
    )


def test_who_may_not_change_its_user_is_told_which_right_is_missing_and_how_to_give_it() -> None:
    said = said_by(lambda: privileges._become("notify", pwd.getpwnam("nobody"), 0))

    assert said.startswith("notify: cannot become user nobody: lacks CAP_SETUID CAP_SETGID; ")
    assert "CapabilityBoundingSet=" in said
    assert "--cap-add" in said
