"""What is recorded of a venue, from before the run begins to the moment at which it ends."""

from pathlib import Path

from matchbox_tui.store import Keys, Link, parse_entry
from sim.live.chronicle import PAGE, Chronicle
from sim.recording import Moment, RunWriter, open_run
from tests.sim.evidence import Story
from tests.sim.recording.runs import ROSTER, SCENARIO, facts, traded


def writer_at(path: Path) -> RunWriter:
    return RunWriter(path, facts(virtual=False), SCENARIO, ROSTER)


def see(chronicle: Chronicle, told: Story, first: int, last: int) -> None:
    for entry in told.entries[first:last]:
        chronicle.see(parse_entry((entry.id, entry.flat)))


async def test_the_journal_is_recorded_as_it_stands_up_to_the_end(
    link: Link, keys: Keys, tmp_path: Path
) -> None:
    told = traded(40)
    chronicle, writer = Chronicle(link, keys), writer_at(tmp_path / "run")
    see(chronicle, told, 0, 5)
    chronicle.begin(writer)
    see(chronicle, told, 5, 20)
    chronicle.hold()
    see(chronicle, told, 20, 30)
    last = int(told.entries[24].id.partition(b"-")[0])
    await chronicle.end(writer, Moment(cursor=(last, "", 1)))
    # Whatever happens now is none of this run.
    see(chronicle, told, 30, 35)
    await chronicle.refresh()
    writer.close()
    run = open_run(tmp_path / "run")
    frames = list(run.frames("journal.gz"))
    assert len(frames) == 25
    assert [entry.seq for entry in run.entries()][-1] == last


async def test_fills_and_hashes_are_recorded_once_however_often_it_looks(
    link: Link, keys: Keys, tmp_path: Path
) -> None:
    chronicle, writer = Chronicle(link, keys), writer_at(tmp_path / "run")

    async def fills(first: int, last: int) -> None:
        calls = [
            ("XADD", keys.fills_stream, f"{seq}-0", "event", b"{}") for seq in range(first, last)
        ]
        await link.calls(calls)

    async def publish(seq: int) -> None:
        fields = ("id", "a", "role", "leading", "epoch", 1, "seq", seq, "chain", "c", "hash", "h")
        await link.call("XADD", keys.hashes, "*", *fields)

    await fills(1, 4)
    await publish(10)
    chronicle.begin(writer)
    for _ in range(2):
        await chronicle.refresh()
    await fills(4, 5 + PAGE)
    await link.call("XADD", keys.hashes, "*", "something", "else")
    await publish(20)
    for _ in range(2):
        await chronicle.refresh()
    writer.close()
    run = open_run(tmp_path / "run")
    assert [fill.id for fill in run.fills()] == [b"%d-0" % seq for seq in range(1, 5 + PAGE)]
    assert [(one.id, one.seq, one.hash) for one in run.hashes()] == [("a", 10, "h"), ("a", 20, "h")]
