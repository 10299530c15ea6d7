"""A recorded run: what a venue's server held at one moment, in a directory of files.

    manifest.json   format, version, the moment's facts, and each file's size and checksum
    base.gz         the state that the journal begins at, in parts (none: an empty venue)
    journal.gz      the journal's entries up to the moment, as the server returned them
    after.gz        entries after it that answer what was waiting, as far as there were any
    fills.gz        the entries of `events_stream`
    queue.gz        the commands that were waiting, first to last
    hashes.gz       state hashes that instances and snapshots published
    record.json     what the traders were told (`FloorRecord`), where there is such a record

A `.gz` file holds frames: the length of one (4 bytes, big-endian), then the frame, and so on. The
manifest is written last and renamed to its name, so that a recording that was cut short has none.
A reader takes files of exactly the size and checksum that the manifest says, and never follows a
link. Whoever records more adds files and fields; a reader ignores those it doesn't know. What
would mislead an older reader needs another `VERSION`.
"""

import contextlib
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

FORMAT = "matchbox-recording"
VERSION = 1

MANIFEST = "manifest.json"
BASE, JOURNAL, AFTER, FILLS = "base.gz", "journal.gz", "after.gz", "fills.gz"
QUEUE, HASHES, RECORD = "queue.gz", "hashes.gz", "record.json"

MAX_FRAME = 256 * 1024 * 1024
MAX_JSON = 64 * 1024 * 1024
CHUNK = 1024 * 1024

T = TypeVar("T")


class RecordingError(Exception):
    """A directory that holds no recording that can be read, or can't take one; `str()` says why."""


class StreamEntry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An entry of a stream as the server returned it: id, then names and values in turn."""

    id: bytes
    flat: list[bytes]


class PublishedHash(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What somebody found the state's hash to be after command `seq`.

    `role` is an instance's, or `snapshot`. `chain` is empty where it was not published.
    """

    id: str
    role: str
    epoch: int
    seq: int
    hash: str
    chain: str = ""


class Place(msgspec.Struct, frozen=True):
    """Where the journal begins: after command `seq`, with what was known then.

    `order_id` is the highest id that was handed out by then, as far as anybody knew.
    """

    seq: int = 0
    chain: str = ""
    epoch: int = 0
    order_id: int = 0


class Moment(msgspec.Struct, frozen=True):
    """What the server said at one moment, all at once.

    `cursor` is (seq, chain, epoch) of the journal's tip as the leader left it; `last_entry` and
    `last_fill` are the ids of the last entries of the journal and of `events_stream`, empty where
    there are none; `counter` is the last order id handed out; `waiting` counts the commands in
    the queue. `leader` says who led when the last fill was looked for. `troubles` has the key that
    can't be read and why, by its use.
    """

    cursor: tuple[int, str, int] = (0, "", 0)
    last_entry: str = ""
    last_fill: str = ""
    counter: int = 0
    waiting: int = 0
    leader: str | None = None
    troubles: dict[str, str] = {}


class FileFacts(msgspec.Struct, frozen=True):
    """A file's size in bytes, its CRC-32, and how many frames it holds (0 for plain JSON)."""

    bytes: int
    crc32: int
    frames: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`created` is in ns since the epoch; `prefix` is the venue's keys'."""

    format: str = FORMAT
    version: int = VERSION
    created: int = 0
    prefix: str = ""
    base: Place = Place()
    moment: Moment = Moment()
    files: dict[str, FileFacts] = {}


class _Head(msgspec.Struct):
    format: str
    version: int


_entries = msgspec.msgpack.Decoder(StreamEntry)
_hashes = msgspec.msgpack.Decoder(PublishedHash)
_parts: msgspec.json.Decoder[Part] = msgspec.json.Decoder(Part)


class Recorder:
    """Writes a recording: files in any order, then `finish`. Raises `RecordingError`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, FileFacts] = {}
        with _told(directory):
            directory.mkdir(parents=True, exist_ok=True)
        if (directory / MANIFEST).exists():
            raise RecordingError(f"{directory} holds a recording already: choose another directory")

    @contextlib.contextmanager
    def frames(self, name: str) -> Iterator["FrameWriter"]:
        """A file of frames, whole and synced when the block ends. One of that name is replaced."""
        path = self._directory / name
        with _told(path):
            # Not through a link that somebody left there.
            path.unlink(missing_ok=True)
            with path.open("xb") as file:
                writer = FrameWriter(file)
                yield writer
                writer.close()
                file.flush()
                os.fsync(file.fileno())
            with path.open("rb") as file:
                self._files[name] = FileFacts(path.stat().st_size, _crc(file), writer.count)

    def json(self, name: str, value: object) -> None:
        """A file of plain JSON."""
        raw = msgspec.json.encode(value)
        path = self._directory / name
        with _told(path):
            path.unlink(missing_ok=True)
            _write(path, raw)
        self._files[name] = FileFacts(len(raw), zlib.crc32(raw), 0)

    def finish(self, manifest: Manifest) -> None:
        """Names the files that were written: only now this is a recording."""
        manifest = msgspec.structs.replace(manifest, files=self._files)
        raw = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        path = self._directory / MANIFEST
        draft = self._directory / f"{MANIFEST}.new"
        with _told(path):
            draft.unlink(missing_ok=True)
            _write(draft, raw)
            draft.rename(path)
            directory = os.open(self._directory, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)


class FrameWriter:
    """Frames into a compressed file."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0)
        self._encoder = msgspec.msgpack.Encoder()
        self.count = 0

    def raw(self, frame: bytes) -> None:
        self._zip.write(len(frame).to_bytes(4, "big"))
        self._zip.write(frame)
        self.count += 1

    def value(self, value: StreamEntry | PublishedHash) -> None:
        self.raw(self._encoder.encode(value))

    def part(self, part: Part) -> None:
        self.raw(msgspec.json.encode(part))

    def close(self) -> None:
        self._zip.close()


class Recording:
    """A recording that was found whole. Its files are read as they are asked for.

    Everything raises `RecordingError` where a file is not what the manifest says.
    """

    def __init__(self, directory: Path) -> None:
        """Checks every file's size and checksum. O(bytes)."""
        self._directory = directory
        if not directory.is_dir():
            raise RecordingError(f"{directory} is no directory: name one that holds a recording")
        with _opened(directory / MANIFEST) as file:
            raw = file.read(MAX_JSON)
        self.manifest = _manifest(directory / MANIFEST, raw)
        for name in self.manifest.files:
            if name in (BASE, JOURNAL, AFTER, FILLS, QUEUE, HASHES, RECORD):
                self._check(name)

    def base(self) -> Iterator[Part]:
        """The parts of the state that the journal begins at; none for an empty venue."""
        return self._decoded(BASE, _parts.decode)

    def journal(self) -> Iterator[StreamEntry]:
        return self._decoded(JOURNAL, _entry)

    def after(self) -> Iterator[StreamEntry]:
        return self._decoded(AFTER, _entry)

    def fills(self) -> Iterator[StreamEntry]:
        return self._decoded(FILLS, _entry)

    def queue(self) -> Iterator[bytes]:
        return self._frames(QUEUE)

    def hashes(self) -> Iterator[PublishedHash]:
        return self._decoded(HASHES, _hashes.decode)

    def record(self) -> FloorRecord | None:
        """The traders' record, None where there is none."""
        if RECORD not in self.manifest.files:
            return None
        path = self._directory / RECORD
        with _opened(path) as file:
            raw = file.read(MAX_JSON)
        try:
            return msgspec.json.decode(raw, type=FloorRecord)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise RecordingError(f"{path} holds no traders' record ({error})") from None

    def _check(self, name: str) -> None:
        path = self._directory / name
        facts = self.manifest.files[name]
        with _opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size != facts.bytes:
                raise RecordingError(
                    f"{path} has {size} bytes instead of {facts.bytes}: it is torn or was altered"
                )
            if _crc(file) != facts.crc32:
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
            with _opened(path) as file, gzip.GzipFile(fileobj=file, mode="rb") as opened:
                while head := opened.read(4):
                    size = int.from_bytes(head, "big")
                    if len(head) < 4 or size > MAX_FRAME:
                        raise RecordingError(f"{path} has no length before frame {count + 1}")
                    frame = opened.read(size)
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
        return msgspec.json.decode(raw, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path} can't be read ({error})") from None


def _entry(frame: bytes) -> StreamEntry:
    entry = _entries.decode(frame)
    stamp, dash, number = entry.id.partition(b"-")
    if not (stamp.isdigit() and dash and number.isdigit()) or len(entry.flat) % 2:
        raise ValueError("no entry of a stream")
    return entry


def _opened(path: Path) -> BinaryIO:
    """A plain file, opened without following a link and without waiting for anybody."""
    with _told(path):
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise RecordingError(f"{path} is no plain file")
    return os.fdopen(number, "rb")


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns errors of the file system into words."""
    try:
        yield
    except FileNotFoundError:
        raise RecordingError(f"{path} is missing: there is no whole recording here") from None
    except OSError as error:
        raise RecordingError(f"{path}: {os.strerror(error.errno or 0)}") from None


def _write(path: Path, raw: bytes) -> None:
    with path.open("xb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def _crc(file: BinaryIO) -> int:
    crc = 0
    while chunk := file.read(CHUNK):
        crc = zlib.crc32(chunk, crc)
    return crc
