"""Writing a recording."""

import contextlib
import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from matchbox_tui.engine import Part
from sim.recording.form import (
    MANIFEST,
    MEMBER_BYTES,
    FileFacts,
    Manifest,
    PublishedHash,
    RecordingError,
    StreamEntry,
    crc_of,
    told,
)


class Recorder:
    """Writes a recording: files in any order, then `finish`. Raises `RecordingError`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, FileFacts] = {}
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise RecordingError(f"can't make the directory {directory} ({why})") from None
        if (directory / MANIFEST).exists():
            raise RecordingError(f"{directory} holds a recording already: choose another directory")

    @contextlib.contextmanager
    def frames(self, name: str) -> Iterator["FrameWriter"]:
        """A file of frames, whole and synced when the block ends. One of that name is replaced."""
        path = self._directory / name
        with told(path):
            # Not through a link that somebody left there.
            path.unlink(missing_ok=True)
            with path.open("xb") as file:
                writer = FrameWriter(file)
                yield writer
                writer.close()
                file.flush()
                os.fsync(file.fileno())
            with path.open("rb") as file:
                self._files[name] = FileFacts(path.stat().st_size, crc_of(file), writer.count)

    def json(self, name: str, value: object) -> None:
        """A file of plain JSON."""
        self.plain(name, msgspec.json.encode(value))

    def plain(self, name: str, raw: bytes) -> None:
        """A file of these bytes, in the place of one that is there already."""
        path = self._directory / name
        draft = self._directory / f"{name}.new"
        with told(path):
            draft.unlink(missing_ok=True)
            _write(draft, raw)
            draft.rename(path)
        self._files[name] = FileFacts(len(raw), zlib.crc32(raw), 0)

    def adopt(self, name: str, facts: FileFacts) -> None:
        """A file that somebody else has written and synced."""
        self._files[name] = facts

    def finish(self, manifest: Manifest) -> None:
        """Names the files that were written: only now this is a recording."""
        manifest = msgspec.structs.replace(manifest, files=self._files)
        raw = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        path = self._directory / MANIFEST
        draft = self._directory / f"{MANIFEST}.new"
        with told(path):
            draft.unlink(missing_ok=True)
            _write(draft, raw)
            draft.rename(path)
            directory = os.open(self._directory, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)


class FrameWriter:
    """Frames into a compressed file, with a new gzip member now and then to begin reading at."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._zip = _member(file)
        self._in_member = 0
        self._encoder = msgspec.msgpack.Encoder()
        self.count = 0

    def raw(self, frame: bytes) -> None:
        if self._in_member >= MEMBER_BYTES:
            self._zip.close()
            self._zip, self._in_member = _member(self._file), 0
        self._zip.write(len(frame).to_bytes(4, "big"))
        self._zip.write(frame)
        self._in_member += 4 + len(frame)
        self.count += 1

    def value(self, value: StreamEntry | PublishedHash) -> None:
        self.raw(self._encoder.encode(value))

    def part(self, part: Part) -> None:
        self.raw(msgspec.json.encode(part))

    def close(self) -> None:
        self._zip.close()


def _member(file: BinaryIO) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0)


def _write(path: Path, raw: bytes) -> None:
    with path.open("xb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
