"""What several clients are to get, byte for byte the same, and how far each of them is.

The bytes are kept once for all, and only while somebody has yet to get them. A client whose own
buffer is full is passed over, and goes on where it was once it has read; one that falls behind by
more than is kept is disconnected.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from operator import itemgetter

from matchbox_tui.api.feeds.connection import CHUNK, TOO_SLOW, Connection
from matchbox_tui.api.feeds.pacer import Pacer

FAILED = 1011

MOST_PENDING = 64 << 20
"""Bytes that may wait to be written to anybody: beyond that nobody keeps up."""

_start_of = itemgetter(0)


class Channel:
    """A stream of frames with members, each at a place in it.

    Places are counted in bytes from the channel's beginning and lie between frames.
    """

    def __init__(self, pacer: Pacer, backlog: int, when_empty: Callable[[], None]) -> None:
        self._pacer = pacer
        self._backlog = backlog
        self._when_empty = when_empty
        self._members: dict[Connection, int] = {}
        self._written: deque[tuple[int, bytes]] = deque()
        self._kept_from = 0
        self._end = 0
        self._pending: deque[bytes] = deque()
        self._tip = 0

    def __len__(self) -> int:
        return len(self._members)

    @property
    def has_more(self) -> bool:
        return bool(self._members and self._pending)

    def push(self, frame: bytes) -> None:
        """Adds a frame for all members. O(1)."""
        self.add(frame)
        self._pacer.wake(self)

    def add(self, frame: bytes) -> None:
        """As `push`, without waking anybody."""
        self._pending.append(frame)
        self._tip += len(frame)

    def wake(self) -> None:
        self._pacer.wake(self)

    def join(self, connection: Connection, place: int | None = None) -> None:
        """Makes it a member: it gets what is pushed from now on, or what comes after a place."""
        self._members[connection] = self._tip if place is None else place
        connection.listen(self)

    def drained(self, connection: Connection) -> None:
        """A member can be written to again."""
        if connection in self._members:
            self._catch_up(connection)

    def gone(self, connection: Connection) -> None:
        """A member has left."""
        if self._members.pop(connection, None) is not None and not self._members:
            self._pacer.forget(self)
            self._when_empty()

    def close(self, code: int, reason: str) -> None:
        """Disconnects all members."""
        for connection in tuple(self._members):
            connection.close(code, reason)

    def fail(self) -> None:
        self.close(FAILED, "internal error")

    @property
    def tip(self) -> int:
        """The place after all that was pushed."""
        return self._tip

    def reaches_back_to(self, place: int) -> bool:
        """Whether what comes after a place is still there, for who joins at it."""
        return place >= self._kept_from

    @property
    def kept_for_newcomers(self) -> int:
        """How many of the last bytes are kept though every member has them."""
        return 0

    def compose(self) -> None:
        """Called before anything is written: adds what is made up only then."""

    def flush(self) -> Iterator[None]:
        """Writes what is pending, up to `CHUNK` bytes or one frame, stopping after each member."""
        if not self._members:
            return
        self.compose()
        if self._tip - self._end > MOST_PENDING:
            self.close(TOO_SLOW, "more is happening than can be sent: connect again")
            self._pending.clear()
            self._end = self._tip
            return
        start, data = self._end, self._take()
        if not data:
            return
        end = self._end = start + len(data)
        self._written.append((start, data))
        self._keep(max(self._backlog, len(data)))
        for connection in tuple(self._members):
            place = self._members.get(connection)
            if place is None:
                continue
            if place == start and not connection.paused:
                self._members[connection] = end
                connection.write(data)
            elif place < end:
                self._catch_up(connection)
            yield
        # Those who came meanwhile are counted as well.
        if all(place >= self._end for place in self._members.values()):
            self._keep(self.kept_for_newcomers)

    def _keep(self, size: int) -> None:
        """Forgets what was written before the last so many bytes."""
        while self._written and self._end - self._kept_from > size:
            start, data = self._written.popleft()
            self._kept_from = start + len(data)

    def _take(self) -> bytes:
        frames: list[bytes] = []
        size = 0
        while self._pending and (not frames or size + len(self._pending[0]) <= CHUNK):
            frames.append(self._pending.popleft())
            size += len(frames[-1])
        return b"".join(frames)

    def _catch_up(self, connection: Connection) -> None:
        """Writes what is kept from a member's place on, as far as its buffer takes it."""
        while (place := self._members.get(connection, self._end)) < self._end:
            if place < self._kept_from:
                connection.close(TOO_SLOW, "too slow: connect again")
            elif connection.paused:
                return
            else:
                data = self._read(place)
                self._members[connection] = place + len(data)
                connection.write(data)

    def _read(self, place: int) -> bytes:
        """What was written from `place` on, up to `CHUNK` bytes or to the end of one write."""
        index = bisect_right(self._written, place, key=_start_of) - 1
        start, first = self._written[index]
        parts = [first[place - start :]]
        size = len(parts[0])
        for number in range(index + 1, len(self._written)):
            size += len(self._written[number][1])
            if size > CHUNK:
                break
            parts.append(self._written[number][1])
        return b"".join(parts)
