"""The ``matchbox`` command: the only place that wires the layers together.

May import everything, but only inside the commands' bodies, so that ``matchbox --help`` stays
quick and an engine never loads the screen's library.
"""

import sys

import typer

from matchbox_tui import __version__
from matchbox_tui.cli import play, services, show, trade
from matchbox_tui.cli.running import (
    EXIT_INTERRUPTED,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    UsageError,
    fail,
)

app = typer.Typer(
    name="matchbox",
    help="An exchange in a terminal. Without a command: matchbox play.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(play.play)
app.command()(play.tui)
app.command()(services.engine)
app.command()(services.redis)
app.command()(services.traders)
app.command()(trade.buy)
app.command()(trade.sell)
app.command()(trade.cancel)
app.command("cancel-all")(trade.cancel_all)
app.command()(show.book)
app.command()(show.orders)
app.command()(show.positions)
app.command()(show.fills)
app.command()(show.status)


def main() -> None:
    """Runs the command line and exits with its code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        typer.echo(__version__)
        return
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("--help", "-h")):
        arguments.insert(0, "play")
    try:
        code = app(arguments, prog_name="matchbox", standalone_mode=False)
    except UsageError as error:
        fail(str(error), EXIT_USAGE)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        # Typer brings its own copy of Click, whose usage errors have no public name in common.
        words = getattr(error, "format_message", None)
        if words is not None:
            fail(f"{words()} (see matchbox {arguments[0]} --help)", EXIT_USAGE)
        from matchbox_tui.store import StoreError

        if not isinstance(error, StoreError):
            raise
        fail(str(error), EXIT_UNREACHABLE)
    sys.exit(code if isinstance(code, int) else 0)
