"""Help is complete and short, and asking for it loads nothing heavy."""

import subprocess
import sys

import pytest

from matchbox_tui import __version__
from tests.cli.command import call, environment, run

COMMANDS = [
    *("play", "tui", "web", "serve", "engine", "redis", "traders"),
    *("buy", "sell", "cancel", "cancel-all", "replace", "halt", "resume"),
    *("book", "orders", "positions", "fills", "trades", "status"),
    *("drill", "replay", "audit", "bench"),
]
GROUPS = {"sim": ["list", "show", "run"], "consume": ["persistence", "analytics", "list", "remove"]}
EVERY = [*COMMANDS, *(f"{group} {name}" for group, names in GROUPS.items() for name in names)]


def test_the_help_names_every_command() -> None:
    shown = call("--help")
    assert (shown.code, shown.err) == (0, "")
    listed = [line.split()[0] for line in shown.out.partition("Commands:\n")[2].splitlines()]
    assert listed == [*COMMANDS, *GROUPS]


@pytest.mark.parametrize("group", GROUPS)
def test_the_help_of_a_group_names_its_commands(group: str) -> None:
    shown = call(group, "--help")
    assert (shown.code, shown.err) == (0, "")
    listed = [line.split()[0] for line in shown.out.partition("Commands:\n")[2].splitlines()]
    assert listed == GROUPS[group]


@pytest.mark.parametrize("command", EVERY)
def test_a_command_explains_itself(command: str) -> None:
    shown = call(*command.split(), "--help")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"Usage: matchbox {command} ")
    assert len(shown.out.splitlines()) <= 55
    assert shown.out == call(*command.split(), "-h").out


@pytest.mark.parametrize("command", EVERY)
def test_every_option_has_words_and_a_variable(command: str) -> None:
    text = call(*command.split(), "--help").out.partition("Options:\n")[2]
    options: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("-"):
            options.append(line)
        else:
            options[-1] += " " + line.strip()
    assert options.pop().endswith("exit.")
    for option in options:
        name = option.split("--")[1].split()[0]
        assert "[env var: " in option, f"--{name} has no variable"
        explained = option.partition("[env var")[0].split("  ")
        assert any(words.strip()[:1].isalnum() for words in explained[1:]), (
            f"--{name} is unexplained"
        )


def test_version() -> None:
    assert run("--version").out == f"{__version__}\n"


HEAVY = {
    *("textual", "rich", "faker", "redis", "hiredis", "sqlalchemy", "alembic", "litestar"),
    *("uvicorn", "numpy", "matplotlib", "sim"),
}
"""None of these is needed to say what a command does, nor by an engine but the client."""


@pytest.mark.parametrize("command", ["", "play", "tui", "serve", "consume persistence", "bench"])
def test_help_loads_nothing_heavy(command: str) -> None:
    program = (
        "import sys; from matchbox_tui.entry import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *command.split(), "--help"],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    code, *modules = done.stderr.split()
    assert code == "0"
    assert done.stdout.startswith("Usage: matchbox ")
    assert HEAVY & {name.split(".")[0] for name in modules} == set()
    assert "matchbox_tui.cli" in modules
