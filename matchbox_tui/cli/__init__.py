"""The ``matchbox`` command: the only place that wires the layers together.

May import everything, but only inside the commands' bodies, so that ``matchbox --help`` stays
quick and an engine never loads the screen's library.
"""

import sys
import traceback
from typing import Annotated, NoReturn

import typer

from matchbox_tui import __version__
from matchbox_tui.cli import (
    audit,
    bench,
    change,
    consume,
    drill,
    history,
    play,
    replay,
    serve,
    services,
    show,
    sim,
    trade,
    web,
)
from matchbox_tui.cli.output import OutputClosed, OutputFailed, drop_output, print_line
from matchbox_tui.cli.running import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    UsageError,
    crash,
    fail,
)

app = typer.Typer(
    name="matchbox",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
_OURS = ("--help", "-h", "--version")
"""Options that are no command's."""

# A negative number is a wrong quantity, not an unknown option.
_NEGATIVES = {"ignore_unknown_options": True}


def _print_version(asked: bool) -> None:
    if asked:
        print_line(__version__)
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """An exchange in a terminal. Without a command: matchbox play."""


app.command("play")(play.play)
app.command("tui")(play.tui)
app.command("web")(web.web)
app.command("serve")(serve.serve)
app.command("engine")(services.engine)
app.command("redis")(services.redis)
app.command("traders")(services.traders)
app.command("buy", context_settings=_NEGATIVES)(trade.buy)
app.command("sell", context_settings=_NEGATIVES)(trade.sell)
app.command("cancel", context_settings=_NEGATIVES)(trade.cancel)
app.command("cancel-all")(trade.cancel_all)
app.command("replace", context_settings=_NEGATIVES)(change.replace)
app.command("halt")(change.halt)
app.command("resume")(change.resume)
app.command("book")(show.book)
app.command("orders")(show.orders)
app.command("positions")(show.positions)
app.command("fills")(show.fills)
app.command("trades")(history.trades)
app.command("status")(show.status)
app.command("drill")(drill.drill)
app.command("replay")(replay.replay)
app.command("audit")(audit.audit)
app.command("bench")(bench.bench)
app.add_typer(sim.app, name="sim")
app.add_typer(consume.app, name="consume")


def main() -> None:
    """Runs the command line and exits with its code."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in _OURS):
        arguments.insert(0, "play")
    try:
        code = app(arguments, prog_name="matchbox", standalone_mode=False)
    except UsageError as error:
        fail(str(error), EXIT_USAGE)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    except OutputClosed:
        drop_output()
        sys.exit(0)
    except OutputFailed as error:
        _fail_output(error)
    except UnicodeEncodeError as error:
        fail(f"{error.object!r} is no text in UTF-8", EXIT_USAGE)
    except Exception as error:
        _give_up(error, arguments)
    sys.exit(code if isinstance(code, int) else 0)


def _give_up(error: Exception, arguments: list[str]) -> NoReturn:
    # Typer brings its own copy of Click, whose usage errors have no public name in common.
    words = getattr(error, "format_message", None)
    if words is not None:
        fail(f"{words().rstrip('.')} (see {_command(arguments)} --help)", EXIT_USAGE)
    if isinstance(error, OSError) and any(option in arguments for option in _OURS):
        # Typer prints the help.
        _fail_output(error.strerror)
    from matchbox_tui.store import StoreError

    if not isinstance(error, StoreError):
        crash(str(error) or type(error).__name__, traceback.format_exc())
    fail(str(error), EXIT_UNREACHABLE)


def _command(arguments: list[str]) -> str:
    """The command that was meant, as far as there is such a one."""
    group, words = app, ["matchbox"]
    for word in arguments:
        groups = {one.name: one.typer_instance for one in group.registered_groups}
        if word not in groups and word not in {one.name for one in group.registered_commands}:
            break
        words.append(word)
        if word not in groups:
            break
        group = groups[word] or group
    return " ".join(words)


def _fail_output(why: object) -> NoReturn:
    drop_output()
    fail(f"can't write the output: {why}", EXIT_FAILED)
