"""A recording is read as it was written, or refused with the reason."""

import gzip
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.recording import (
    FILLS,
    JOURNAL,
    MANIFEST,
    QUEUE,
    Manifest,
    Moment,
    Place,
    PublishedHash,
    Recorder,
    Recording,
    RecordingError,
    StreamEntry,
)
from tests.sim.evidence import Story


def story() -> Story:
    told = Story()
    told.commit(told.sell(50, 5, trader="雨"), told.buy(50, 2))
    told.hash()
    told.wait(told.buy(40, 1))
    told.acknowledged([1, 3])
    return told


def written(tmp_path: Path) -> Path:
    return story().write(tmp_path / "run")


def everything(recording: Recording) -> list[list[object]]:
    return [
        list(recording.base()),
        list(recording.journal()),
        list(recording.after()),
        list(recording.fills()),
        list(recording.queue()),
        list(recording.hashes()),
        [recording.record()],
    ]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    told = story()
    recording = Recording(told.write(tmp_path / "run"))
    assert everything(recording) == [
        [],
        told.entries,
        [],
        told.fills,
        told.queue,
        told.hashes,
        [told.record],
    ]
    assert recording.manifest.moment.waiting == 1
    assert recording.manifest.moment.cursor[0] == 2


def test_the_parts_of_a_base_are_read(tmp_path: Path) -> None:
    before = story()
    told = Story(before.exchange, "c0ffee")
    recording = Recording(told.write(tmp_path / "run"))
    assert list(recording.base()) == told.base_parts
    assert recording.manifest.base == Place(2, "c0ffee", 1, 0)


def test_the_same_evidence_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = story().write(tmp_path / "a"), story().write(tmp_path / "b")
    for name in os.listdir(first):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_recording_of_nothing(tmp_path: Path) -> None:
    Recorder(tmp_path / "run").finish(Manifest())
    assert everything(Recording(tmp_path / "run")) == [[], [], [], [], [], [], [None]]


def test_any_bytes_are_kept(tmp_path: Path) -> None:
    entries = [StreamEntry(b"1-0", [b"\xff\x00", b""]), StreamEntry(b"2-0", [])]
    recorder = Recorder(tmp_path / "run")
    with recorder.frames(JOURNAL) as file:
        for entry in entries:
            file.value(entry)
    with recorder.frames(QUEUE) as file:
        file.raw(b"")
        file.raw(b"\x00" * 100_000)
    recorder.finish(Manifest(prefix="{x}:", moment=Moment(troubles={"fills": "gone"})))
    recording = Recording(tmp_path / "run")
    assert list(recording.journal()) == entries
    assert list(recording.queue()) == [b"", b"\x00" * 100_000]
    assert recording.manifest.prefix == "{x}:"
    assert recording.manifest.moment.troubles == {"fills": "gone"}


def test_files_and_fields_that_a_reader_does_not_know_are_no_trouble(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run")
    recorder.json("scenario.json", {"seed": 4})
    recorder.finish(Manifest())
    path = tmp_path / "run" / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "seed": 4}))
    (tmp_path / "run" / "scenario.json").write_text("{}")
    assert list(Recording(tmp_path / "run").journal()) == []


def test_a_second_recording_in_a_directory_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(RecordingError, match="holds a recording already"):
        Recorder(tmp_path / "run")


def test_a_recording_that_was_cut_short_is_none(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run")
    with recorder.frames(JOURNAL) as file:
        file.raw(b"x")
    with pytest.raises(RecordingError, match=r"manifest.json is missing"):
        Recording(tmp_path / "run")
    # Whoever begins again finds the place free.
    Recorder(tmp_path / "run").finish(Manifest())
    assert list(Recording(tmp_path / "run").journal()) == []


def test_no_file_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for name in (JOURNAL, MANIFEST + ".new"):
        (tmp_path / "run" / name).symlink_to(precious)
    recorder = Recorder(tmp_path / "run")
    with recorder.frames(JOURNAL) as file:
        file.raw(b"x")
    recorder.finish(Manifest())
    assert precious.read_text() == "precious"


def test_a_directory_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="file"):
        Recorder(tmp_path / "file")
    with pytest.raises(RecordingError, match="Not a directory"):
        Recorder(tmp_path / "file" / "run")


Change = Callable[[Path], object]


def cut(path: Path) -> None:
    (path / JOURNAL).write_bytes((path / JOURNAL).read_bytes()[:-9])


def altered(path: Path) -> None:
    raw = bytearray((path / JOURNAL).read_bytes())
    raw[-9] ^= 1
    (path / JOURNAL).write_bytes(raw)


def linked(path: Path) -> None:
    (path / JOURNAL).rename(path / "elsewhere")
    (path / JOURNAL).symlink_to("elsewhere")


def piped(path: Path) -> None:
    (path / JOURNAL).unlink()
    os.mkfifo(path / JOURNAL)


def a_directory(path: Path) -> None:
    (path / JOURNAL).unlink()
    (path / JOURNAL).mkdir()


def manifest_linked(path: Path) -> None:
    (path / MANIFEST).rename(path / "elsewhere")
    (path / MANIFEST).symlink_to("elsewhere")


def manifest(change: Callable[[dict[str, object]], object]) -> Change:
    def apply(path: Path) -> None:
        facts = json.loads((path / MANIFEST).read_text())
        change(facts)
        (path / MANIFEST).write_text(json.dumps(facts))

    return apply


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (cut, r"journal.gz has \d+ bytes instead of \d+: it is torn or was altered"),
        (altered, "journal.gz was altered: its checksum differs"),
        (linked, "journal.gz: Too many levels of symbolic links"),
        (piped, "journal.gz is no plain file"),
        (a_directory, "journal.gz is no plain file"),
        (lambda path: (path / FILLS).unlink(), "fills.gz is missing"),
        (lambda path: (path / MANIFEST).unlink(), "manifest.json is missing"),
        (manifest_linked, "manifest.json: Too many levels"),
        (lambda path: (path / MANIFEST).write_text('{"format":'), "manifest.json can't be read"),
        (lambda path: (path / MANIFEST).write_bytes(b"\xff"), "manifest.json can't be read"),
        (lambda path: (path / MANIFEST).write_text("[]"), "manifest.json can't be read"),
        (manifest(lambda facts: facts.update(version=2)), "has version 2, this program reads 1"),
        (manifest(lambda facts: facts.update(format="x")), "is of no recording, but of 'x'"),
        (manifest(lambda facts: facts.update(moment=[])), "manifest.json can't be read"),
    ],
)
def test_a_recording_that_is_not_whole_is_refused(
    change: Change, words: str, tmp_path: Path
) -> None:
    path = written(tmp_path)
    change(path)
    with pytest.raises(RecordingError, match=words):
        Recording(path)


def with_journal(path: Path, raw: bytes, frames: int) -> Recording:
    """The recording with another journal file, which the manifest vouches for."""
    (path / MANIFEST).unlink()
    recorder = Recorder(path)
    with recorder.frames(JOURNAL):
        pass
    (path / JOURNAL).write_bytes(raw)
    recorder.finish(Manifest())
    facts = json.loads((path / MANIFEST).read_text())
    facts["files"][JOURNAL] = {"bytes": len(raw), "crc32": zlib.crc32(raw), "frames": frames}
    (path / MANIFEST).write_text(json.dumps(facts))
    return Recording(path)


def frame(raw: bytes) -> bytes:
    return len(raw).to_bytes(4, "big") + raw


def packed(raw: bytes) -> bytes:
    """The same bytes in every run: they are the test's name."""
    return gzip.compress(raw, mtime=0)


@pytest.mark.parametrize(
    ("raw", "frames", "words"),
    [
        (b"nonsense", 0, "can't be unpacked"),
        (packed(frame(b"x" * 100))[:-12], 1, "can't be unpacked"),
        (packed(b"\x00\x00"), 1, "has no length before frame 1"),
        (packed(b"\xff\xff\xff\xff"), 1, "has no length before frame 1"),
        (packed(b"\x00\x00\x00\x09ab"), 1, "ends within frame 1"),
        (packed(frame(b"x")), 1, "holds a frame that can't be read"),
        (packed(frame(b"\x92\xc4\x03x-0\x90")), 1, "holds a frame that can't be read"),
        (packed(frame(b"\x92\xc4\x031-0\x91\xc4\x01a")), 1, "no entry of a stream"),
        (packed(frame(b"\x92\xc4\x031-0\x90")), 2, "holds 1 frames instead of 2"),
    ],
)
def test_frames_that_can_not_be_read_are_refused(
    raw: bytes, frames: int, words: str, tmp_path: Path
) -> None:
    recording = with_journal(written(tmp_path), raw, frames)
    with pytest.raises(RecordingError, match=words):
        list(recording.journal())


def test_a_record_that_is_none_is_refused(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run")
    recorder.json("record.json", [1])
    recorder.finish(Manifest())
    with pytest.raises(RecordingError, match="holds no traders' record"):
        Recording(tmp_path / "run").record()


def test_hashes_keep_their_chain(tmp_path: Path) -> None:
    told = Story()
    told.hashes = [PublishedHash("5", "snapshot", 1, 5, "ab", "cd")]
    assert list(Recording(told.write(tmp_path / "run")).hashes()) == told.hashes
