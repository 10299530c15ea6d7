"""What a server holds: keys with a type, and when they end. And the plain commands on them.

Written after the documentation of Redis, for as much of it as the project uses.
"""

from __future__ import annotations

import bisect
import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Reply = Any
Id = tuple[int, int]
"""A stream entry's id: milliseconds and number."""

LARGEST = (2**64 - 1, 2**64 - 1)


class ServerError(Exception):
    """An error reply, by its text on the wire: the code and what follows it."""


@dataclass
class Stream:
    """Entries by rising id; groups by name, each with the id that it was given last.

    `gone` counts the entries that were trimmed.
    """

    ids: list[Id] = field(default_factory=list)
    fields: list[list[bytes]] = field(default_factory=list)
    last: Id = (0, 0)
    groups: dict[bytes, Id] = field(default_factory=dict)
    gone: int = 0

    def drop(self, count: int) -> int:
        """Trims so many entries."""
        del self.ids[:count], self.fields[:count]
        self.gone += count
        return count


def copied(value: Any) -> Any:
    """A value that does not change with this one. What values are made of never changes."""
    if isinstance(value, Stream):
        groups = dict(value.groups)
        return Stream(list(value.ids), list(value.fields), value.last, groups, value.gone)
    return copy.copy(value)


class Keyspace:
    """The keys. `now_ms` is the server's clock."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.values: dict[bytes, Any] = {}
        self.expiries: dict[bytes, int] = {}
        self.touched: set[bytes] = set()
        """Keys that grew, for whoever waits for that."""

    def now_ms(self) -> int:
        return self._now_ms()

    def backup(self) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        values = {key: copied(value) for key, value in self.values.items()}
        return values, dict(self.expiries)

    def restore(self, backup: tuple[dict[bytes, Any], dict[bytes, int]]) -> None:
        values, expiries = backup
        self.values = {key: copied(value) for key, value in values.items()}
        self.expiries = dict(expiries)

    # Values by type. Raises `ServerError` for one of another type.

    def get(self, key: bytes) -> Any:
        expiry = self.expiries.get(key)
        if expiry is not None and expiry <= self._now_ms():
            self.delete(key)
        return self.values.get(key)

    def _typed(self, key: bytes, kind: type) -> Any:
        value = self.get(key)
        if value is not None and type(value) is not kind:
            raise ServerError("WRONGTYPE Operation against a key holding the wrong kind of value")
        return value

    def string(self, key: bytes) -> bytes | None:
        value: bytes | None = self._typed(key, bytes)
        return value

    def elements(self, key: bytes) -> list[bytes]:
        return self._typed(key, list) or []

    def hash(self, key: bytes) -> dict[bytes, bytes]:
        return self._typed(key, dict) or {}

    def zset(self, key: bytes) -> dict[bytes, float]:
        value = self._typed(key, ZSet)
        return value if value is not None else ZSet()

    def stream(self, key: bytes) -> Stream | None:
        value: Stream | None = self._typed(key, Stream)
        return value

    # Writing

    def delete(self, key: bytes) -> int:
        self.expiries.pop(key, None)
        return int(self.values.pop(key, None) is not None)

    def set(self, key: bytes, value: bytes, px: int | None = None) -> None:
        self.values[key] = value
        if px is None:
            self.expiries.pop(key, None)
        else:
            self.expiries[key] = self._now_ms() + px

    def incrby(self, key: bytes, by: int) -> int:
        text = self.string(key) or b"0"
        if not re.fullmatch(rb"0|-?[1-9]\d{0,18}", text) or abs(int(text) + by) >= 2**63:
            raise ServerError("ERR value is not an integer or out of range")
        value = int(text) + by
        # What it expires at stays.
        self.values[key] = b"%d" % value
        return value

    def rpush(self, key: bytes, elements: list[bytes]) -> int:
        held = self.elements(key)
        held.extend(elements)
        self.values[key] = held
        self.touched.add(key)
        return len(held)

    def ltrim(self, key: bytes, start: int) -> None:
        held = self.elements(key)
        del held[:start]
        if not held:
            self.delete(key)

    def hset(self, key: bytes, flat: list[bytes]) -> int:
        held = self.hash(key)
        before = len(held)
        held.update(zip(flat[::2], flat[1::2], strict=True))
        self.values[key] = held
        return len(held) - before

    def xadd(self, key: bytes, entry_id: bytes, flat: list[bytes]) -> bytes:
        stream = self.stream(key) or Stream()
        if entry_id == b"*":
            new = max((self._now_ms(), 0), (stream.last[0], stream.last[1] + 1))
        else:
            new = parse_id(entry_id, 0)
        if new == (0, 0):
            raise ServerError("ERR The ID specified in XADD must be greater than 0-0")
        if new <= stream.last:
            raise ServerError(
                "ERR The ID specified in XADD is equal or smaller than the target stream top item"
            )
        stream.ids.append(new)
        stream.fields.append(flat)
        stream.last = new
        self.values[key] = stream
        self.touched.add(key)
        return b"%d-%d" % new

    # Reading

    def lrange(self, key: bytes, start: int, stop: int) -> list[bytes]:
        held = self.elements(key)
        if start < 0:
            start = max(0, len(held) + start)
        if stop < 0:
            stop += len(held)
        return held[start : stop + 1]

    def xrange(self, key: bytes, after: bytes, limit: int | None) -> list[list[Any]]:
        """The entries from an id on, or with `(` after it."""
        stream = self.stream(key)
        if stream is None:
            return []
        if after.startswith(b"("):
            start = bisect.bisect_right(stream.ids, parse_id(after[1:], 0))
        else:
            start = bisect.bisect_left(stream.ids, parse_id(after, 0))
        stop = len(stream.ids) if limit is None else start + limit
        return [
            [b"%d-%d" % entry_id, flat]
            for entry_id, flat in zip(
                stream.ids[start:stop], stream.fields[start:stop], strict=True
            )
        ]


class ZSet(dict[bytes, float]):
    """Members and their scores."""

    def ordered(self) -> list[bytes]:
        return sorted(self, key=lambda member: (self[member], member))


def parse_id(text: bytes, missing: int) -> Id:
    if text == b"-":
        return (0, 0)
    if text == b"+":
        return LARGEST
    ms, _, n = text.partition(b"-")
    try:
        return int(ms), int(n) if n else missing
    except ValueError:
        raise ServerError("ERR Invalid stream ID specified as stream command argument") from None
