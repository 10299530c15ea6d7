"""A connection as a channel sees it, without a socket."""

import json
from typing import Any


class Member:
    """A connection as a channel sees it: it may be told to stall after so many bytes."""

    def __init__(self, room: int = 1 << 40) -> None:
        self.got = b""
        self.room = room
        self.paused = False
        self.closed: int | None = None
        self.listener: Any = None

    def write(self, frames: bytes) -> None:
        assert self.closed is None
        assert frames
        self.got += frames
        self.room -= len(frames)
        self.paused = self.room <= 0

    def read(self, room: int) -> None:
        """Makes room for so many bytes."""
        self.room += room
        if self.paused and self.room > 0:
            self.paused = False
            if self.listener is not None:
                self.listener.drained(self)

    def close(self, code: int, reason: str) -> None:
        self.closed = code
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.gone(self)

    def listen(self, listener: Any) -> None:
        self.listener = listener

    def messages(self) -> list[Any]:
        """What it got, decoded."""
        found, data = [], self.got
        while data:
            assert data[0] == 0x81
            size, start = data[1], 2
            if size == 126:
                size, start = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, start = int.from_bytes(data[2:10], "big"), 10
            found.append(json.loads(data[start : start + size]))
            data = data[start + size :]
        return found
