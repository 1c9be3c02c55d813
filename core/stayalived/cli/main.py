"""I/O: the command `stayalived`. Each subcommand is a module of its own, imported when it is called.

Exit status: 0 when it is done, 1 when it could not be done, 2 when the command line is wrong.
"""

import importlib

import click

import stayalived

SUBCOMMANDS = {
    "check": "Say whether a configuration is good, without touching anything.",
    "digest": "Show the digests of a page, for a check to compare.",
    "drain": "Give a real server no new connections, and take it out when it has none left.",
    "install": "Put unit, user, folders and example configuration in place, or remove them.",
    "plan": "Show what a reload or a start would do, and change nothing.",
    "plugins": "Show which plugins are loaded, and which distribution each comes from.",
    "probe": "Make one check now and show each step of it.",
    "reload": "Have the daemon read its configuration again.",
    "run": "Run the daemon in the foreground.",
    "status": "Show instances, services, servers and processes.",
    "stop": "Stop the daemon and wait until it is gone.",
    "undrain": "Let a drained real server serve again.",
    "weight": "Give a real server another weight, or its own again.",
}
"""What `--help` lists. A subcommand's module is imported for its own help only, so that every call starts fast."""


class LazyGroup(click.Group):
    """A group whose subcommands are found by the names of their modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the names of all subcommands."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's signature)
        """Import a subcommand's module and return its command, or None for an unknown name."""
        if cmd_name not in SUBCOMMANDS:
            return None
        command = importlib.import_module(f"stayalived.cli.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"stayalived.cli.{cmd_name}.command is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's signature)
        """Write the list of subcommands for `--help` without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(stayalived.__version__, prog_name="stayalived")
def main() -> None:
    """Keep an address alive and a pool of servers checked: VRRP and IPVS.

    Configuration is read from /etc/stayalived/conf.d; `stayalived install` puts an example there.
    """
