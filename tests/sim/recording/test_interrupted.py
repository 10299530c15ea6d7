"""A run that was interrupted at any point can be read, up to the last entry that is whole."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from sim.audit import Auditor, Verdict, audit_recording
from sim.recording import (
    FILLS,
    HASHES,
    JOURNAL,
    RecordingError,
    Run,
    StreamEntry,
    evidence,
    indexed,
    open_run,
)
from sim.recording.run import RUN, SAMPLES
from tests.sim.evidence import EVERYTHING, Story, field
from tests.sim.recording.runs import ROSTER, SCENARIO, begun, recorded, traded
from tests.waiting import soon

WRITER = "tests.sim.recording.endless_writer"


def audited(path: Path) -> Verdict:
    return asyncio.run(audit_recording(path))


def journal(run: Run) -> list[bytes]:
    return [entry.blob for entry in run.entries()]


def blobs(entries: list[StreamEntry]) -> list[bytes]:
    return [field(entry, b"b") for entry in entries]


@pytest.fixture(scope="module")
def told() -> Story:
    return traded(300)


@pytest.fixture(scope="module")
def torn(told: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose writer was closed without being told that it is over."""
    path = tmp_path_factory.mktemp("torn") / "run"
    begun(path, told).close()
    return path


def test_what_was_written_before_the_end_is_read(torn: Path, told: Story) -> None:
    run = open_run(torn)
    assert run.interrupted == "the run was interrupted: nobody wrote down how it ended"
    assert journal(run) == blobs(told.entries)
    assert list(run.fills()) == told.fills
    assert list(run.hashes()) == told.hashes
    assert (run.facts.seed, run.scenario, tuple(run.roster)) == (7, SCENARIO, ROSTER)
    assert [sample.leader for sample in run.samples] == ["", "a"]
    assert run.record is None


def test_the_audit_says_what_it_can_not_know(torn: Path, told: Story) -> None:
    verdict = audited(torn)
    assert verdict.ok
    assert [check.name for check in verdict.checks] == EVERYTHING
    last = int(told.entries[-1].id.partition(b"-")[0])
    assert verdict.last == last
    notes = " ".join(verdict.notes)
    assert (
        f"the run was interrupted: nobody wrote down how it ended; its journal is whole up to"
        f" command {last:,}" in notes
    )
    assert "not known, and so not checked: what the traders were told" in notes
    assert verdict.lines()[-len(verdict.notes) :] == verdict.notes


def test_the_audit_of_an_interrupted_run_finds_what_is_wrong(tmp_path: Path) -> None:
    told = traded(60)
    at = next(n for n, fill in enumerate(told.fills) if n > 3)
    del told.fills[at]
    begun(tmp_path / "run", told).close()
    verdict = audited(tmp_path / "run")
    assert [check.name for check in verdict.checks if not check.ok] == ["I5"]


def test_a_journal_that_ends_at_any_byte(torn: Path, told: Story, tmp_path: Path) -> None:
    whole = (torn / JOURNAL).read_bytes()
    everything, best = blobs(told.entries), -1
    shutil.copytree(torn, tmp_path / "run")
    dice = random.Random(3)
    sizes = {0, 1, 9, 10, 11, len(whole) - 1, *dice.sample(range(len(whole)), 60)}
    for size in sorted(sizes):
        (tmp_path / "run" / JOURNAL).write_bytes(whole[:size])
        found = journal(open_run(tmp_path / "run"))
        assert found == everything[: len(found)]
        assert len(found) >= best
        best = len(found)
    # Nearly everything is there where nearly everything was left.
    assert best > 0.9 * len(everything)


def test_other_files_that_end_at_any_byte(torn: Path, told: Story, tmp_path: Path) -> None:
    whole = (torn / FILLS).read_bytes()
    shutil.copytree(torn, tmp_path / "run")
    for size in random.Random(4).sample(range(len(whole)), 20):
        (tmp_path / "run" / FILLS).write_bytes(whole[:size])
        found = list(open_run(tmp_path / "run").fills())
        assert found == told.fills[: len(found)]
        assert audited(tmp_path / "run").ok


def test_bytes_that_were_altered_end_an_interrupted_journal(torn: Path, tmp_path: Path) -> None:
    whole = (torn / JOURNAL).read_bytes()
    expected = journal(open_run(torn))
    shutil.copytree(torn, tmp_path / "run")
    for at in random.Random(5).sample(range(10, len(whole)), 40):
        raw = bytearray(whole)
        raw[at] ^= 0x55
        (tmp_path / "run" / JOURNAL).write_bytes(raw)
        found = journal(open_run(tmp_path / "run"))
        assert found == expected[: len(found)]


def test_an_entry_that_breaks_the_chain_ends_it(tmp_path: Path) -> None:
    told = traded(40)
    told.alter(20, lambda events: events[:-1] or events)
    told.alter(25, lambda events: [*events, *events])
    begun(tmp_path / "run", told).close()
    assert len(journal(open_run(tmp_path / "run"))) in (20, 21, 25)


def test_the_same_break_in_a_run_that_ended_well_is_an_error(tmp_path: Path) -> None:
    told = traded(40)
    del told.entries[20]
    path = recorded(tmp_path / "run", told)
    with pytest.raises(RecordingError, match="its chain breaks"):
        journal(open_run(path))


def test_a_journal_that_is_cut_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = recorded(tmp_path / "run", traded(40))
    run = open_run(path)
    (path / JOURNAL).write_bytes((path / JOURNAL).read_bytes()[:-20])
    with pytest.raises(RecordingError, match="ends too early: it ends within a"):
        journal(run)


def test_a_run_that_goes_on_is_audited_up_to_where_it_was_found(tmp_path: Path) -> None:
    told, later = traded(40), traded(60)
    assert blobs(later.entries)[: len(told.entries)] == blobs(told.entries)
    begun(tmp_path / "found", told).close()
    found = evidence(tmp_path / "found")
    begun(tmp_path / "grown", later).close()
    for name in (JOURNAL, FILLS, HASHES):
        (tmp_path / "grown" / name).replace(tmp_path / "found" / name)
    auditor = Auditor(found, None)
    for _ in auditor.steps():
        pass
    verdict = auditor.verdict()
    assert verdict.ok, verdict.lines()
    assert verdict.last == int(told.entries[-1].id.partition(b"-")[0])


@pytest.mark.parametrize("virtual", ["virtual", "live"])
def test_a_writer_that_is_killed_leaves_a_run(virtual: str, tmp_path: Path) -> None:
    dice = random.Random(virtual)
    for number, least in enumerate((0, 1, 30_000, 100_000)):
        path = tmp_path / f"run{number}"
        command = [sys.executable, "-m", WRITER, str(path), virtual]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        with writer:
            assert writer.stdout.readline() == "begun\n"
            soon(partial(is_written, path, least))
            time.sleep(dice.random() * 0.1)
            os.kill(writer.pid, signal.SIGKILL)
        run = open_run(path)
        assert run.interrupted
        last = max((entry.seq for entry in run.entries()), default=0)
        assert bool(last) or not least
        verdict = audited(path)
        assert verdict.ok
        assert verdict.last == last


def test_a_writer_that_is_killed_as_it_begins_or_ends_leaves_a_run_or_none(tmp_path: Path) -> None:
    dice = random.Random(8)
    for number in range(6):
        path = tmp_path / f"run{number}"
        command = [sys.executable, "-m", WRITER, str(path), "brief"]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        with writer:
            assert writer.stdout.readline() == "begun\n"
            time.sleep(dice.random() * 0.02)
            with contextlib.suppress(ProcessLookupError):
                os.kill(writer.pid, signal.SIGKILL)
        if (path / RUN).exists():
            run = open_run(path)
            assert sum(1 for _ in run.entries()) in (0, 6)
            assert len(run.faults) <= 1
            assert audited(path).ok


def test_a_run_that_was_killed_before_anything_happened(torn: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(torn, tmp_path / "run"))
    for name in (JOURNAL, FILLS, HASHES, SAMPLES):
        (path / name).unlink()
        run = open_run(path)
        assert journal(run) == []
        assert indexed(run).index.seq == 0
        assert audited(path).last == 0


def is_written(path: Path, least: int) -> bool:
    return (path / JOURNAL).stat().st_size >= least


def test_a_directory_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"manifest.json is missing.: name a directory"):
        open_run(tmp_path)
    with pytest.raises(RecordingError, match="is no directory"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(RecordingError, match="holds no recording"):
        audited(tmp_path)
