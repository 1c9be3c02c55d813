"""A check that works: the server must greet with the right word. A body of steps with an option."""

from collections.abc import Iterable

from stayalived.plugin import Check, CheckOptions, Connect, Receive, Steps, Target, Verdict, hookimpl


class GreetingCheck(Check):
    """Does the server greet with the word?"""

    name = "greeting"

    class Options(CheckOptions, frozen=True, kw_only=True):
        """Options of the check.

        Attributes:
            word: what the greeting must start with.
        """

        word: str

    options: Options

    def steps(self, target: Target) -> Steps:
        yield Connect()
        heard = yield Receive()
        if heard.startswith(self.options.word.encode()):
            return Verdict.passed("greeting")
        return Verdict.failed("greeting", repr(heard), self.options.word)


@hookimpl
def stayalived_checks() -> Iterable[type[Check]]:
    return [GreetingCheck]
