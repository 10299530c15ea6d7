"""``matchbox sim``: scenarios, run to a verdict."""

import asyncio
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.output import print_json, print_line, print_table, printable
from matchbox_tui.cli.progress import ProgressBar
from matchbox_tui.cli.running import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    UsageError,
    fail,
    on_stop,
    run,
    say,
    unwinding,
)

if TYPE_CHECKING:
    from sim.run_report import RunReport
    from sim.scenario import AnyHappening, Scenario, ScenarioError

LIST_TITLES = ("name", "title", "duration", "markets", "agents", "faults")
WIDTH = 79
MAX_SEED = 2**53 - 1

app = typer.Typer(rich_markup_mode=None, help="Scenarios: agents, faults, and what must hold.")

Name = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO", help="A file, or a name from matchbox sim list.", show_default=False
    ),
]


@app.command("list")
def list_scenarios(json: options.Json = False) -> None:
    """Describe the scenarios that come with the program."""
    from sim.scenario import load, shipped_names

    rows = [_facts(load(name)[0]) for name in shipped_names()]
    if json:
        print_json(rows)
        return
    print_table(LIST_TITLES, ([row[title] for title in LIST_TITLES] for row in rows))
    for row in rows:
        print_line("")
        for line in textwrap.wrap(f"{row['name']}: {row['description']}", WIDTH):
            print_line(printable(line))


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from matchbox sim list.")],
) -> None:
    """Print the file of one of them, to start your own from."""
    from sim.scenario import ScenarioError, load

    try:
        print_line(load(name)[1].rstrip("\n"))
    except ScenarioError as error:
        raise UsageError(printable(error.lines()[0])) from None


@app.command("run")
def run_one(
    scenario: Name,
    virtual: Annotated[
        bool,
        typer.Option(
            "--virtual",
            envvar="MATCHBOX_VIRTUAL",
            help="By a virtual clock, without a server: the same journal every time.",
        ),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            envvar="MATCHBOX_SEED",
            help="What chance begins with.",
            metavar="N",
            show_default="the scenario's",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            envvar="MATCHBOX_OUT",
            parser=options.directory,
            help="Keep the run there, for matchbox replay and audit, with its report.",
            metavar="DIR",
        ),
    ] = None,
    realism: Annotated[
        bool,
        typer.Option(
            "--realism",
            envvar="MATCHBOX_REALISM",
            help="Also hold the markets against what real ones are like; no verdict depends on it.",
        ),
    ] = False,
    json: options.Json = False,
) -> int:
    """Run a scenario and say whether everything held that is expected of it.

    It runs on a private server with real engine processes and real faults, or with --virtual in
    this process alone. Ctrl-C ends it early with a report of what was.

    Ends with 1 where something was lost, doubled or altered, or an expectation was not met; with
    130 where it was ended early and only that.
    """
    from sim.recording import RecordingError, prepared
    from sim.scenario import ScenarioError, load

    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise UsageError(f"--seed {seed}: use a number between 0 and {MAX_SEED}")
    try:
        loaded, text = load(scenario)
    except ScenarioError as error:
        _complain(error)
        return EXIT_USAGE
    if out is not None:
        try:
            # It would be a pity to find out at the end.
            prepared(out)
        except RecordingError as error:
            raise UsageError(f"--out: {printable(str(error))}") from None
    try:
        with unwinding():
            report = run(_run(loaded, text, virtual, seed, out, realism))
    except RecordingError as error:
        fail(printable(f"{error}{_left_of(out)}"), EXIT_FAILED)
    except asyncio.CancelledError:
        return EXIT_INTERRUPTED
    if json:
        print_json(report)
    else:
        _print_report(report)
    if report.verdict.problems:
        return EXIT_FAILED
    if report.interrupted:
        # What was to come may have been what was expected.
        return EXIT_INTERRUPTED
    return 0 if report.ok else EXIT_FAILED


async def _run(
    scenario: "Scenario",
    text: str,
    virtual: bool,
    seed: int | None,
    out: Path | None,
    realism: bool,
) -> "RunReport":
    from sim.running import run_scenario

    task, stopping, over = asyncio.current_task(), asyncio.Event(), asyncio.Event()
    assert task is not None
    with ProgressBar(scenario.name, [one.at for one in _faults(scenario)]) as bar:

        def stop() -> None:
            if stopping.is_set():
                task.cancel()
                return
            stopping.set()
            if over.is_set():
                # Nothing is left that could end early.
                bar.say("The run is over; its report comes next. Another Ctrl-C does without it.")
            else:
                bar.say("Stopping; the report comes next. Another Ctrl-C does without it.")

        on_stop(stop)
        return await run_scenario(
            scenario,
            text,
            virtual=virtual,
            seed=seed,
            out=out,
            say=bar.say,
            progress=bar.show,
            stopping=stopping,
            ended=over.set,
            realism=realism,
        )


def _left_of(out: Path | None) -> str:
    """What is said of a run that could not be recorded any further."""
    from sim.recording import RecordingError, open_run

    if out is None:
        return ""
    try:
        open_run(out).close()
    except RecordingError:
        return ""
    return f"; 'matchbox audit {out}' and 'matchbox replay {out}' read it as far as it went"


def _complain(error: "ScenarioError") -> None:
    for line in error.lines():
        say(f"matchbox: {printable(line)}")


def _faults(scenario: "Scenario") -> "list[AnyHappening]":
    from sim.scenario import Fault, RestartServer

    return [one for one in scenario.happenings if isinstance(one, Fault | RestartServer)]


def _facts(scenario: "Scenario") -> dict[str, object]:
    """What the list tells of a scenario."""
    from sim.durations import duration_text

    return {
        "name": scenario.name,
        "title": scenario.title,
        "duration": duration_text(scenario.duration),
        "markets": len(scenario.markets),
        "agents": sum(one.count for one in scenario.populations),
        "faults": len(_faults(scenario)),
        "description": " ".join(scenario.description.split()),
        "expect": [str(one) for one in scenario.expectations],
    }


def _print_report(report: "RunReport") -> None:
    from sim.report import lines, tables

    for table in tables(report):
        print_table(table.titles, table.rows)
        print_line("")
    for line in lines(report):
        print_line(printable(line))
    if report.directory:
        say(f"Kept in {printable(report.directory)}, with report.html")
    else:
        say("Nothing is kept of this run; --out DIR keeps it, with pictures in report.html")
