"""Reading a recording that may come from anybody."""

import gzip
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from matchbox_tui.engine import Part
from sim.floor import FloorRecord
from sim.recording.form import (
    AFTER,
    BASE,
    FILLS,
    FORMAT,
    HASHES,
    JOURNAL,
    MANIFEST,
    MAX_FRAME,
    MAX_JSON,
    QUEUE,
    RECORD,
    VERSION,
    Manifest,
    PublishedHash,
    RecordingError,
    StreamEntry,
    crc_of,
    told,
)
from sim.recording.run import FAULTS, ROSTER, RUN, SAMPLES, SCENARIO, RunFacts

T = TypeVar("T")


class _Head(msgspec.Struct):
    format: str
    version: int


CHECKED = (
    *(BASE, JOURNAL, AFTER, FILLS, QUEUE, HASHES, RECORD),
    *(RUN, SCENARIO, ROSTER, SAMPLES, FAULTS),
)

_entries = msgspec.msgpack.Decoder(StreamEntry)
_hashes = msgspec.msgpack.Decoder(PublishedHash)
_parts: msgspec.json.Decoder[Part] = msgspec.json.Decoder(Part)


class Recording:
    """A recording that was found whole. Its files are read as they are asked for.

    Everything raises `RecordingError` where a file is not what the manifest says.
    """

    notes: tuple[str, ...] = ()
    """What an audit of it must say besides."""

    def __init__(self, directory: Path) -> None:
        """Checks every file's size and checksum. O(bytes)."""
        self._directory = directory
        if not directory.is_dir():
            raise RecordingError(f"{directory} is no directory: name one that holds a recording")
        with opened(directory / MANIFEST) as file:
            raw = file.read(MAX_JSON)
        self.manifest = _manifest(directory / MANIFEST, raw)
        for name in self.manifest.files:
            if name in CHECKED:
                self._check(name)

    def base(self) -> Iterator[Part]:
        """The parts of the state that the journal begins at; none for an empty venue."""
        return self._decoded(BASE, _parts.decode)

    def journal(self) -> Iterator[StreamEntry]:
        return self._decoded(JOURNAL, stream_entry)

    def after(self) -> Iterator[StreamEntry]:
        return self._decoded(AFTER, stream_entry)

    def fills(self) -> Iterator[StreamEntry]:
        return self._decoded(FILLS, stream_entry)

    def queue(self) -> Iterator[bytes]:
        return self._frames(QUEUE)

    def hashes(self) -> Iterator[PublishedHash]:
        return self._decoded(HASHES, _hashes.decode)

    def record(self) -> FloorRecord | None:
        """The traders' record, None where there is none."""
        if RECORD not in self.manifest.files:
            return None
        path = self._directory / RECORD
        with opened(path) as file:
            raw = file.read(MAX_JSON)
        try:
            return msgspec.json.decode(raw, type=FloorRecord)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise RecordingError(f"{path} holds no traders' record ({error})") from None

    def facts(self) -> RunFacts | None:
        """What run it is of, None where it is of no simulated one."""
        if RUN not in self.manifest.files:
            return None
        path = self._directory / RUN
        with opened(path) as file:
            raw = file.read(MAX_JSON)
        try:
            return msgspec.json.decode(raw, type=RunFacts)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise RecordingError(f"{path} can't be read ({error})") from None

    def _check(self, name: str) -> None:
        path = self._directory / name
        facts = self.manifest.files[name]
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size != facts.bytes:
                raise RecordingError(
                    f"{path} has {size} bytes instead of {facts.bytes}: it is torn or was altered"
                )
            if crc_of(file) != facts.crc32:
                raise RecordingError(f"{path} was altered: its checksum differs")

    def _decoded(self, name: str, decode: Callable[[bytes], T]) -> Iterator[T]:
        for frame in self._frames(name):
            try:
                yield decode(frame)
            except (msgspec.MsgspecError, ValueError) as error:
                raise RecordingError(
                    f"{self._directory / name} holds a frame that can't be read ({error})"
                ) from None

    def _frames(self, name: str) -> Iterator[bytes]:
        facts = self.manifest.files.get(name)
        if facts is None:
            return
        path = self._directory / name
        count = 0
        try:
            with opened(path) as file, gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
                while head := unpacked.read(4):
                    size = int.from_bytes(head, "big")
                    if len(head) < 4 or size > MAX_FRAME:
                        raise RecordingError(f"{path} has no length before frame {count + 1}")
                    frame = unpacked.read(size)
                    if len(frame) < size:
                        raise RecordingError(f"{path} ends within frame {count + 1}")
                    count += 1
                    yield frame
        except (OSError, EOFError, zlib.error) as error:
            raise RecordingError(f"{path} can't be unpacked ({error})") from None
        if count != facts.frames:
            raise RecordingError(f"{path} holds {count} frames instead of {facts.frames}")


def _manifest(path: Path, raw: bytes) -> Manifest:
    try:
        head = msgspec.json.decode(raw, type=_Head)
        if head.format != FORMAT:
            raise RecordingError(f"{path} is of no recording, but of {head.format!r}")
        if head.version != VERSION:
            raise RecordingError(
                f"{path} has version {head.version}, this program reads {VERSION}: use the matchbox"
                " that recorded it, or a newer one"
            )
        manifest = msgspec.json.decode(raw, type=Manifest)
        for entry_id in (manifest.moment.last_entry, manifest.moment.last_fill):
            if entry_id and not is_entry_id(entry_id.encode()):
                raise RecordingError(f"{path} can't be read ({entry_id!r} is no stream's id)")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path} can't be read ({error})") from None
    return manifest


def is_entry_id(entry_id: bytes) -> bool:
    """Whether this is two numbers with a dash, as the ids of streams are."""
    stamp, _, number = entry_id.partition(b"-")
    return all(part.isdigit() and len(part) <= 20 for part in (stamp, number))


def stream_entry(frame: bytes) -> StreamEntry:
    """A frame as an entry. Raises `ValueError` or a `MsgspecError` where it is none."""
    entry = _entries.decode(frame)
    if not is_entry_id(entry.id) or len(entry.flat) % 2:
        raise ValueError("no entry of a stream")
    return entry


def opened(path: Path) -> BinaryIO:
    """A plain file, opened without following a link and without waiting for anybody."""
    with told(path):
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise RecordingError(f"{path} is no plain file")
    return os.fdopen(number, "rb")
