"""A run is written as it goes, and a run that ended well is a recording like any other."""

import asyncio
from pathlib import Path

import pytest

from sim.audit import Status, audit_recording
from sim.recording import MANIFEST, Recording, RecordingError, RunWriter, spooling
from sim.recording.frames import FrameReader
from tests.sim.evidence import EVERYTHING, Story
from tests.sim.recording.runs import ROSTER, SCENARIO, begun, facts, recorded, traded


def test_a_run_that_ended_well_passes_the_audit(tmp_path: Path) -> None:
    told = traded(400)
    told.wait(told.buy(40, 1))
    told.acknowledged()
    path = recorded(tmp_path / "run", told)
    recording = Recording(path)
    assert list(recording.journal()) == told.entries
    assert list(recording.fills()) == told.fills
    assert list(recording.hashes()) == told.hashes
    assert list(recording.queue()) == told.queue
    assert recording.record() == told.record
    verdict = asyncio.run(audit_recording(path))
    assert verdict.ok
    assert [check.name for check in verdict.checks if check.status is Status.OK] == EVERYTHING


def test_the_same_virtual_run_gives_the_same_bytes(tmp_path: Path) -> None:
    first = recorded(tmp_path / "a", traded(3000))
    second = recorded(tmp_path / "b", traded(3000))
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_directory_that_holds_a_run_is_refused(tmp_path: Path) -> None:
    recorded(tmp_path / "whole", traded(3))
    with pytest.raises(RecordingError, match="whole holds a recording already"):
        RunWriter(tmp_path / "whole", facts(), SCENARIO, ROSTER)
    begun(tmp_path / "torn", traded(3)).close()
    with pytest.raises(RecordingError, match="torn holds a run that was interrupted"):
        RunWriter(tmp_path / "torn", facts(), SCENARIO, ROSTER)


def test_a_run_that_was_closed_is_not_finished(tmp_path: Path) -> None:
    told = traded(3)
    writer = begun(tmp_path / "run", told)
    writer.close()
    with pytest.raises(RecordingError, match="is closed"):
        writer.entry(told.entries[0])
    with pytest.raises(RecordingError, match="is closed"):
        writer.finish(told.last_moment(), None)
    assert not (tmp_path / "run" / MANIFEST).exists()


def test_a_frame_that_no_reader_takes_is_refused_and_those_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "MAX_FRAME", 100)
    spool = spooling.Spool(tmp_path, ("a.gz",), by_time=False)
    spool.write("a.gz", [b"x" * 60, b"y" * 100])
    with pytest.raises(RecordingError, match="a frame of 101 bytes"):
        spool.write("a.gz", [b"z", b"z" * 101])
    spool.write("a.gz", [])
    assert spool.close()["a.gz"].frames == 2
    assert list(FrameReader(tmp_path / "a.gz")) == [b"x" * 60, b"y" * 100]


def test_a_full_disk_is_told_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", facts(), SCENARIO, ROSTER)
    (tmp_path / "run" / "journal.gz").unlink()
    told = Story()
    told.commit(told.buy(50, 1, trader="x" * 60_000))
    # The system's own full disk: every write to it fails for lack of room.
    writer._spool._files["journal.gz"]._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115

    def write() -> None:
        for _ in range(3000):
            writer.entry(told.entries[0])

    with pytest.raises(RecordingError, match="No space left on device"):
        write()
    with pytest.raises(RecordingError, match="No space left on device"):
        writer.finish(told.last_moment(), None)
    assert not (tmp_path / "run" / MANIFEST).exists()
