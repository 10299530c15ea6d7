"""Reading frames from any place of a file, as far as it goes."""

import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from sim.recording.form import MAX_FRAME, told
from sim.recording.reading import opened

READ_BYTES = 256 * 1024
UNPACKED_BYTES = 1024 * 1024
GZIP = 31


class At(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where a frame begins: so many unpacked bytes behind the gzip member at this byte."""

    member: int = 0
    skip: int = 0


class FrameReader:
    """Iterates over the frames of a file from a place on.

    A file that ends too early, or can't be unpacked from somewhere on, has the frames before that:
    then `torn` says why. Raises `RecordingError` where there is no such file.
    """

    def __init__(self, path: Path, at: At | None = None) -> None:
        self._path = path
        self._from = at or At()
        self.torn = ""
        self.read = 0
        """How many bytes of the file were read, or skipped before."""
        self._next = self._from.skip
        """The next frame's place, in unpacked bytes behind the first member that was read."""
        self._members: deque[tuple[int, int]] = deque([(0, self._from.member)])
        """Where members begin: in unpacked bytes, and in the file."""

    @property
    def next(self) -> At:
        """Where the frame after the last one begins."""
        members = self._members
        while len(members) > 1 and members[1][0] <= self._next:
            members.popleft()
        return At(members[0][1], self._next - members[0][0])

    @property
    def passed(self) -> int:
        """How many unpacked bytes the frames took so far."""
        return self._next - self._from.skip

    def __iter__(self) -> Iterator[bytes]:
        buffer = bytearray()
        skip = self._from.skip
        with opened(self._path) as file:
            for piece in self._unpacked(file):
                if skip:
                    piece, skip = piece[skip:], max(skip - len(piece), 0)
                buffer += piece
                start, size = 0, len(buffer)
                while start + 4 <= size:
                    end = start + 4 + int.from_bytes(buffer[start : start + 4], "big")
                    if end - start > MAX_FRAME:
                        self.torn = "it has no length before a frame"
                        return
                    if end > size:
                        break
                    self._next += end - start
                    yield bytes(buffer[start + 4 : end])
                    start = end
                del buffer[:start]
        if not self.torn and (buffer or skip):
            self.torn = "it ends within a frame"

    def _unpacked(self, file: BinaryIO) -> Iterator[bytes]:
        total = 0
        packed = b""
        began = False
        unzip = zlib.decompressobj(wbits=GZIP)
        with told(self._path):
            file.seek(self._from.member)
        while True:
            if not packed:
                with told(self._path):
                    packed = file.read(READ_BYTES)
                    self.read = file.tell()
                if not packed and not began:
                    return
                # Without any more input, what the last one left behind may still come.
            try:
                piece = unzip.decompress(packed, UNPACKED_BYTES)
            except zlib.error:
                self.torn = "it can't be unpacked"
                return
            if not packed and not piece and not unzip.eof:
                self.torn = "it ends within a member"
                return
            began, packed = True, unzip.unconsumed_tail
            total += len(piece)
            if unzip.eof:
                packed, began = unzip.unused_data, False
                unzip = zlib.decompressobj(wbits=GZIP)
                self._members.append((total, file.tell() - len(packed)))
            yield piece
