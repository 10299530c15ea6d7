"""Frames into compressed files, by a thread of their own.

Whoever writes hands over whole chunks and goes on; zlib works on another core meanwhile. Each file
is made of gzip members, one after the other, so that a reader can begin at any of them, and within
a member what was compressed is flushed now and then: a process that is killed loses little more
than its last chunk.
"""

import contextlib
import os
import queue
import threading
import time
import zlib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from sim.recording.form import MAX_FRAME, MEMBER_BYTES, FileFacts, RecordingError

CHUNK_BYTES = 256 * 1024
"""What is handed over at once, before it is compressed."""

WAITING_CHUNKS = 16
"""Chunks that may wait for the thread; then the writer waits."""

QUIET_SECONDS = 0.5
"""How long a frame may wait in a chunk that doesn't fill up, where time is looked at."""

GZIP = 31
LEVEL = 1

LENGTH_BYTES = 4
_length = Struct(">I").pack


class Spool:
    """Some files of frames that are written together.

    With `by_time` a chunk that doesn't fill up is written after a while; without it the bytes of a
    file depend on its frames only. Raises `RecordingError` from any call once writing has failed.
    """

    def __init__(self, directory: Path, names: tuple[str, ...], *, by_time: bool) -> None:
        self._directory = directory
        self._chunks = {name: _Chunk() for name in names}
        self._files: dict[str, _Members] = {}
        self._queue: queue.Queue[tuple[str, bytes] | None] = queue.Queue(WAITING_CHUNKS)
        self._lock = threading.Lock()
        self._by_time = by_time
        self._failed: OSError | None = None
        self._ended = False
        try:
            for name in names:
                self._files[name] = _Members(directory / name)
        except OSError as error:
            for file in self._files.values():
                file.abandon()
            raise self._trouble(error) from None
        self._thread = threading.Thread(target=self._work, name="matchbox-spool", daemon=True)
        self._thread.start()

    def write(self, name: str, frames: Sequence[bytes]) -> None:
        """Takes some frames; waits where the thread is far behind."""
        if self._failed is not None:
            raise self._trouble(self._failed)
        if self._ended:
            raise RecordingError(f"the recording in {self._directory} is closed")
        if self._by_time:
            with self._lock:
                self._add(name, frames)
        else:
            self._add(name, frames)

    def _add(self, name: str, frames: Sequence[bytes]) -> None:
        size = sum(map(len, frames))
        if size > MAX_FRAME and (longest := max(map(len, frames))) > MAX_FRAME:
            raise RecordingError(f"{self._directory / name}: a frame of {longest} bytes")
        chunk = self._chunks[name]
        chunk.frames += frames
        chunk.size += size + LENGTH_BYTES * len(frames)
        if chunk.size >= CHUNK_BYTES:
            self._queue.put((name, chunk.take()))

    def close(self) -> dict[str, FileFacts]:
        """Writes what is left, syncs the files and says what they are; nothing the second time."""
        if self._ended:
            return {}
        self._ended = True
        with self._lock:
            for name, left in self._chunks.items():
                if left.frames:
                    self._queue.put((name, left.take()))
            self._queue.put(None)
        self._thread.join()
        facts = {}
        for name, file in self._files.items():
            try:
                facts[name] = file.close(self._chunks[name].taken)
            except OSError as error:
                self._failed = self._failed or error
                file.abandon()
        if self._failed is not None:
            raise self._trouble(self._failed)
        return facts

    def _trouble(self, error: OSError) -> RecordingError:
        why = os.strerror(error.errno or 0)
        return RecordingError(f"can't write the recording in {self._directory} ({why})")

    def _work(self) -> None:
        last = time.monotonic()
        while True:
            try:
                item = self._queue.get(timeout=QUIET_SECONDS if self._by_time else None)
            except queue.Empty:
                self._take_over()
                last = time.monotonic()
                continue
            if item is None:
                return
            self._put(*item)
            # What is written seldom must not wait for as long as another file is busy.
            if self._by_time and time.monotonic() - last > QUIET_SECONDS:
                self._take_over()
                last = time.monotonic()

    def _take_over(self) -> None:
        """Writes the chunks that did not fill up.

        Never waits for the lock: whoever holds it may be waiting for this thread.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            if not self._queue.empty():
                return
            taken = [(name, some.take()) for name, some in self._chunks.items() if some.frames]
        finally:
            self._lock.release()
        for name, chunk in taken:
            self._put(name, chunk)

    def _put(self, name: str, chunk: bytes) -> None:
        # After a failure the rest is taken and dropped, so that nobody waits for ever.
        if self._failed is not None:
            return
        try:
            self._files[name].put(chunk)
        except OSError as error:
            self._failed = error


class _Chunk:
    """The frames of a file that are not handed over yet.

    They are joined at the end: bytes that grow would be copied again and again.
    """

    __slots__ = ("frames", "size", "taken")

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.size = 0
        """Bytes of the frames, each with its length before it."""
        self.taken = 0
        """How many frames were handed over."""

    def take(self) -> bytes:
        """The bytes of what is there, which is gone then. O(frames)."""
        frames = self.frames
        lengths = map(_length, map(len, frames))
        whole = b"".join(chain.from_iterable(zip(lengths, frames, strict=True)))
        self.taken += len(frames)
        frames.clear()
        self.size = 0
        return whole


class _Members:
    """A file of gzip members, each with whole chunks."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("xb", buffering=0)
        self._zip = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
        self._in_member = 0
        self._size = 0
        self._crc = 0

    def put(self, chunk: bytes) -> None:
        self._in_member += len(chunk)
        packed = self._zip.compress(chunk)
        if self._in_member >= MEMBER_BYTES:
            packed += self._zip.flush()
            self._zip = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
            self._in_member = 0
        else:
            packed += self._zip.flush(zlib.Z_SYNC_FLUSH)
        self._write(packed)

    def close(self, frames: int) -> FileFacts:
        if self._in_member or not self._size:
            self._write(self._zip.flush())
        os.fsync(self._file.fileno())
        self._file.close()
        return FileFacts(self._size, self._crc, frames)

    def abandon(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()

    def _write(self, packed: bytes) -> None:
        left = memoryview(packed)
        while left:
            left = left[self._file.write(left) :]
        self._size += len(packed)
        self._crc = zlib.crc32(packed, self._crc)
