"""The drill: faults on a private venue, in front of the user, and a verdict."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
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
    from sim.drill.report import DrillReport, FaultReport, Figures
    from sim.drill.venue import Plan

FAULTS = "kill,pause,stop,redis,cut,reply-lost"
HASH_SHOWN = 10
REPORT = "drill.json"
FAULT_TITLES = ("fault", "kind", "hit", "ms", "at", "old leader", "new leader", "replay", "state")
FIGURE_TITLES = ("recovery, ms", "n", "min", "median", "p99", "max", "promised", "kept")


def drill(
    kills: Annotated[
        int, typer.Option("--kills", envvar="MATCHBOX_KILLS", help="Faults in all.", metavar="N")
    ] = 12,
    fault: Annotated[
        str,
        typer.Option(
            "--fault", envvar="MATCHBOX_FAULT", help="Their kinds, in turn.", metavar="A,B"
        ),
    ] = FAULTS,
    instances: options.Instances = 3,
    traders: options.Traders = 20,
    rate: options.Rate = 2000,
    lease_ms: options.LeaseMs = 2000,
    seed: options.Seed = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            envvar="MATCHBOX_OUT",
            parser=options.directory,
            help="Record the run there, for matchbox audit, with report and logs.",
            metavar="DIR",
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Kill, pause and cut off a venue's parts while it trades, and prove that nothing was lost.

    The venue is private. kill, stop: the leader, by SIGKILL and SIGTERM. pause: SIGSTOP beyond
    the lease, with a commit on its way that arrives too late. redis: SIGKILL the server and start
    it again on its append-only file. cut: the leader's connections. reply-lost: to a commit and to
    a submit.

    Ends with 1 where something was lost, doubled, altered, or did not recover, and where a
    recovery was late: a single one by more than the lease + 500 ms, the median of 10 or more of
    a kind, the p99 of 100 or more. A promise that fewer of them miss was "not here" kept: that
    says more of the machine.
    """
    from sim.drill.venue import Plan
    from sim.recording import RecordingError, prepared

    plan = Plan(kills, _kinds(fault), seed, rate, instances, traders, lease_ms, out)
    for name, value, least, most in (
        ("kills", kills, 1, 10_000),
        ("rate", rate, 50, 20_000),
        ("instances", instances, 2, 9),
        ("traders", traders, 1, 10_000),
        ("lease-ms", lease_ms, 200, 60_000),
    ):
        if not least <= value <= most:
            raise UsageError(f"--{name} {value}: use a number between {least} and {most}")
    if out is not None:
        try:
            # It would be a pity to find out at the end.
            prepared(out)
        except RecordingError as error:
            raise UsageError(f"--out: {printable(str(error))}") from None
    try:
        with unwinding():
            report = run(_drill(plan))
    except RecordingError as error:
        fail(f"the drill can't be judged: {printable(str(error))}", EXIT_FAILED)
    except asyncio.CancelledError:
        return EXIT_INTERRUPTED
    if json:
        print_json(report)
    else:
        _print_report(report)
    if out is not None:
        _keep(report, out / REPORT)
    if report.violations or report.late:
        return EXIT_FAILED
    return EXIT_INTERRUPTED if report.interrupted else 0


def _keep(report: "DrillReport", path: Path) -> None:
    try:
        path.write_bytes(msgspec.json.encode(report))
    except OSError as error:
        fail(f"--out: can't write {path} ({error.strerror})", EXIT_FAILED)


async def _drill(plan: "Plan") -> "DrillReport":
    from sim.drill import Drill

    task = asyncio.current_task()
    assert task is not None
    drill, asked = Drill(plan, say), False

    def stop() -> None:
        nonlocal asked
        if asked:
            task.cancel()
            return
        asked = True
        drill.stop()
        say("Stopping; the report comes at once. Another Ctrl-C does without it.")

    on_stop(stop)
    say(
        f"{plan.instances} instances, {plan.rate} commands a second, lease {plan.lease_ms} ms,"
        f" {plan.kills} faults: {', '.join(plan.kinds)}"
    )
    return await drill.run()


def _kinds(text: str) -> tuple[str, ...]:
    from sim.faults import KINDS

    kinds = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise UsageError(
            f"--fault {','.join(unknown) or text!r}: use one or more of {', '.join(KINDS)}"
        )
    return kinds


def _print_report(report: "DrillReport") -> None:
    if report.faults:
        print_table(FAULT_TITLES, map(_fault_row, report.faults))
        print_line("")
        print_table(FIGURE_TITLES, map(_figures_row, report.figures))
        print_line("")
    print_table(("what", "count"), _facts(report))
    print_line("")
    for line in report.audit.lines():
        print_line(printable(line))
    print_line("")
    for words in report.violations:
        print_line(f"WRONG: {printable(words)}")
    for words in report.late:
        print_line(f"LATE: {printable(words)}")
    if report.ok:
        print_line("Nothing that was acknowledged was lost, doubled or reordered.")


def _facts(report: "DrillReport") -> Iterator[tuple[str, object]]:
    doubt = report.in_doubt
    yield "seconds", report.seconds
    yield "commands", f"{report.commands} in {report.commits} commits, {report.rate} a second"
    yield "elections", report.elections
    yield "acknowledged", report.acknowledged
    yield "refused", report.overloaded
    yield "not sent", report.unsent
    yield "in doubt", f"{doubt.commands}: {doubt.orders} orders, {doubt.others} cancels"
    yield "- executed", doubt.executed
    yield "- never arrived", doubt.never_arrived
    yield "lost", report.lost
    yield "doubled", report.doubled
    yield "zombie commits refused", report.zombie_commits_refused
    yield "- held back until another led", report.zombie_commits
    yield "state hashes", f"{report.hashes_compared} compared, {report.hashes_differing} differ"


def _fault_row(fault: "FaultReport") -> tuple[object, ...]:
    one, said = fault.recovery, fault.hashes
    start = (fault.number, one.kind, one.who, _ms(one.recovered_ms))
    if said is None:
        return (*start, "-", "-", "-", "-", "not told")
    return (
        *start,
        said.seq,
        f"{said.old} {said.old_hash[:HASH_SHOWN]}",
        f"{said.new} {said.new_hash[:HASH_SHOWN]}",
        said.replayed[:HASH_SHOWN],
        "same" if said.equal else "DIFFERS",
    )


def _figures_row(one: "Figures") -> tuple[object, ...]:
    times = map(_ms, (one.min, one.median, one.p99, one.max))
    kept = "LATE" if one.late or one.never else "yes" if one.kept else "not here"
    return (one.kind, one.n, *times, one.promised, kept)


def _ms(value: float | None) -> str:
    return "never" if value is None else f"{value:.0f}"
