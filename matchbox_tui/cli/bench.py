"""``matchbox bench``: what this machine makes of it, always beside something to compare with."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.output import print_json, print_line, print_table, printable
from matchbox_tui.cli.running import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    UsageError,
    fail,
    on_stop,
    run,
    say,
    unwinding,
)

if TYPE_CHECKING:
    from sim.bench import Compared, Plan, Record, Report, Row

    Topic = Callable[[Plan, Callable[[str], None]], Awaitable[Report]]

LONG = ("soak",)
"""Topics that nobody waits for who has not asked for them."""

TITLES = ("what", "measured", "against", "", "ratio", "goal", "", "p50 ms", "p99 ms")


def topics() -> "dict[str, Topic]":
    """What can be measured: here a topic is added."""
    from sim.bench import (
        bench_api,
        bench_consumers,
        bench_engine,
        bench_idle,
        bench_pipeline,
        bench_sim,
        bench_soak,
        bench_start,
        bench_store,
        bench_tui,
    )

    return {
        "api": bench_api,
        "consumers": bench_consumers,
        "engine": bench_engine,
        "idle": bench_idle,
        "pipeline": bench_pipeline,
        "sim": bench_sim,
        "soak": bench_soak,
        "start": bench_start,
        "store": bench_store,
        "tui": bench_tui,
    }


def bench(
    topic: Annotated[
        list[str] | None,
        typer.Argument(
            envvar="MATCHBOX_BENCH",
            help="What to measure: api, consumers, engine, idle, pipeline, sim, soak, start, store,"
            " tui.",
            show_default="all but soak",
        ),
    ] = None,
    rounds: Annotated[
        int,
        typer.Option(
            "--rounds", envvar="MATCHBOX_BENCH_ROUNDS", help="Each measures everything once."
        ),
    ] = 5,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds", envvar="MATCHBOX_BENCH_SECONDS", help="What a measurement takes."
        ),
    ] = 2.0,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            envvar="MATCHBOX_BENCH_QUICK",
            help="3 rounds of half a second, 40,000 commands.",
        ),
    ] = False,
    connections: Annotated[
        int,
        typer.Option(
            "--connections", envvar="MATCHBOX_BENCH_CONNECTIONS", help="Over so many orders come."
        ),
    ] = 50,
    listeners: Annotated[
        int,
        typer.Option("--listeners", envvar="MATCHBOX_BENCH_LISTENERS", help="WebSocket clients."),
    ] = 500,
    fills: Annotated[
        int,
        typer.Option(
            "--fills", envvar="MATCHBOX_BENCH_FILLS", help="Fills a second for each of them."
        ),
    ] = 1000,
    events: Annotated[
        int,
        typer.Option(
            "--events", envvar="MATCHBOX_BENCH_EVENTS", help="In the journal, a second, for tui."
        ),
    ] = 10_000,
    commands: Annotated[
        int,
        typer.Option(
            "--commands", envvar="MATCHBOX_BENCH_COMMANDS", help="Through each engine, a round."
        ),
    ] = 200_000,
    orders: Annotated[
        int,
        typer.Option("--orders", envvar="MATCHBOX_BENCH_ORDERS", help="The biggest book's."),
    ] = 1_000_000,
    soak_orders: Annotated[
        int,
        typer.Option(
            "--soak-orders",
            envvar="MATCHBOX_BENCH_SOAK_ORDERS",
            help="Through the venue of a soak, which takes minutes.",
        ),
    ] = 5_000_000,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            envvar="MATCHBOX_BENCH_AGAINST",
            help="Show each ratio beside the one in this file.",
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            envvar="MATCHBOX_BENCH_RECORD",
            help="Put the ratios into this file, for --against.",
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Measure what this machine makes of it: as ratios of what is measured beside it.

    Venues are private, and their servers sync at every write unless a row says otherwise. Ends with
    1 where something was lost or answered wrongly; a goal that was missed here says as much of the
    machine.
    """
    from sim.bench import Plan

    known = topics()
    chosen = dict.fromkeys(topic or (name for name in known if name not in LONG))
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise UsageError(f"{', '.join(unknown)}: choose from {', '.join(known)}")
    if quick:
        rounds, seconds, commands = 3, 0.5, min(commands, 40_000)
    for name, value, least, most in (
        ("rounds", rounds, 1, 100),
        ("seconds", seconds, 0.1, 60),
        ("connections", connections, 1, 500),
        ("listeners", listeners, 0, 2000),
        ("fills", fills, 1, 10_000),
        ("events", events, 1, 100_000),
        ("commands", commands, 1000, 10_000_000),
        ("orders", orders, 2000, 10_000_000),
        ("soak-orders", soak_orders, 1000, 1_000_000_000),
    ):
        if not least <= value <= most:
            raise UsageError(f"--{name} {value}: use a number between {least} and {most}")
    plan = Plan(
        rounds, seconds, connections, listeners, fills, events, commands, orders, soak_orders
    )
    recorded = _known_ratios(against, record)
    try:
        reports = [_report(known[name], plan) for name in chosen]
    except asyncio.CancelledError:
        return EXIT_INTERRUPTED
    if record is not None:
        _keep(record, reports)
    _print(reports, recorded, json)
    return 0 if all(report.ok for report in reports) else EXIT_FAILED


def _known_ratios(against: Path | None, record: Path | None) -> "Record | None":
    """What to compare with; refuses a file that is something else before anything is measured."""
    from sim.bench import Unreadable, read

    try:
        if record is not None and record.exists():
            read(record)
        return read(against) if against is not None else None
    except Unreadable as error:
        raise UsageError(printable(str(error))) from None


def _report(topic: "Topic", plan: "Plan") -> "Report":
    from sim.bench import Failed

    try:
        with unwinding():
            return run(_measured(topic, plan))
    except Failed as error:
        fail(printable(str(error)), EXIT_FAILED)


def _keep(path: Path, reports: "list[Report]") -> None:
    from sim.bench import Unreadable, write

    try:
        write(path, reports)
    except Unreadable as error:
        fail(printable(str(error)), EXIT_FAILED)


def _print(reports: "list[Report]", recorded: "Record | None", json: bool) -> None:
    from sim.bench import beside

    compared = beside(recorded, reports) if recorded is not None else []
    if json:
        print_json(reports if recorded is None else {"reports": reports, "against": compared})
        return
    for report in reports:
        _print_report(report)
    if recorded is not None:
        _print_compared(compared)


async def _measured(topic: "Topic", plan: "Plan") -> "Report":
    task = asyncio.current_task()
    assert task is not None
    on_stop(task.cancel)
    return await topic(plan, say)


def _print_report(report: "Report") -> None:
    for line in report.machine.lines():
        print_line(line)
    plan = report.plan
    print_line(f"{plan.rounds} rounds of {plan.seconds:g} s each, medians; compared round by round")
    print_line("")
    print_table(TITLES, map(_row, report.rows))
    for row in report.rows:
        if row.more:
            facts = ", ".join(f"{name} {value:,.12g}" for name, value in row.more.items())
            print_line(f"{row.what}: {facts}")
    print_line("")
    for words in report.problems:
        print_line(f"WRONG: {printable(words)}")
    if report.ok:
        print_line("Nothing that was acknowledged was lost.")


def _print_compared(compared: "list[Compared]") -> None:
    print_line("")
    print_table(
        ("topic", "what", "recorded", "now", "share"),
        (
            (
                one.topic,
                one.what,
                "-" if one.recorded is None else f"{one.recorded:.2f}",
                "-" if one.now is None else f"{one.now:.2f}",
                "-" if one.share is None else f"{one.share:.2f}",
            )
            for one in compared
        ),
    )


def _row(row: "Row") -> tuple[str, ...]:
    latency = row.latency
    return (
        row.what,
        f"{_figure(row.value)} {row.unit}",
        row.against or "-",
        "" if row.base is None else _figure(row.base),
        "-" if row.ratio is None else f"{row.ratio:.2f}",
        row.goal or "-",
        {None: "", True: "reached", False: "missed"}[row.reached],
        "-" if latency is None else f"{latency.p50:.1f}",
        "-" if latency is None else f"{latency.p99:.1f}",
    )


def _figure(value: float) -> str:
    """Small ones with what would else be rounded away."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
