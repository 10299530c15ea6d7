"""What a recording's files hold: their names and types, and how an error of theirs is told."""

import contextlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

FORMAT = "matchbox-recording"
VERSION = 1

MANIFEST = "manifest.json"
BASE, JOURNAL, AFTER, FILLS = "base.gz", "journal.gz", "after.gz", "fills.gz"
QUEUE, HASHES, RECORD = "queue.gz", "hashes.gz", "record.json"

MAX_FRAME = 256 * 1024 * 1024
MAX_JSON = 64 * 1024 * 1024
CHUNK = 1024 * 1024

MEMBER_BYTES = 4 * 1024 * 1024
"""Uncompressed bytes after which a new gzip member begins."""


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


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns errors of the file system into words."""
    try:
        yield
    except FileNotFoundError:
        raise RecordingError(f"{path} is missing: there is no whole recording here") from None
    except OSError as error:
        raise RecordingError(f"{path}: {os.strerror(error.errno or 0)}") from None


def crc_of(file: BinaryIO) -> int:
    crc = 0
    while chunk := file.read(CHUNK):
        crc = zlib.crc32(chunk, crc)
    return crc
