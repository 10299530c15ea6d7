"""Who reads the journal and the fills by a consumer group: how far, and whether it still does."""

import shlex
from collections.abc import Sequence
from typing import Any

import msgspec

from matchbox_tui.store.archive import PUBLISHER
from matchbox_tui.store.cluster import number
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link
from matchbox_tui.store.refusals import NoGroup
from matchbox_tui.store.registration import GROUP_PREFIX

ALIVE_MS = 60_000
"""A group of which somebody was heard so short a time ago is at work."""

ABANDONED_MS = 3_600_000
"""A group with something unread of which nobody was heard for so long counts as abandoned."""

MOST_COUNTED = 10_000
"""Unread fills are counted up to here, where the server doesn't know how many they are."""


class ConsumerGroup(msgspec.Struct, frozen=True):
    """A consumer group on the journal or on the fills, other than the engine's own.

    `behind` counts commands of the journal or fills (those up to 10,000) that it was not given
    yet, `pending` entries that it was given and has not acknowledged. `idle_ms` is the time since
    one of its consumers was heard, None where there is none. `state` is alive, stopped or
    abandoned; `holds_trimming` says whether the stream keeps something for it, and `needs_from`
    from which id on.
    """

    name: str
    stream: str
    read_up_to: str
    behind: int
    pending: int
    consumers: int
    idle_ms: int | None
    state: str
    holds_trimming: bool
    needs_from: str


async def read_groups(link: Link, keys: Keys) -> list[ConsumerGroup]:
    """Every group on the journal, then those on the fills. Raises `StoreError`."""
    tip = number(await link.call("HGET", keys.cursor, "seq"))
    found = []
    for stream in (keys.log, keys.fills_stream):
        for facts in await _facts(link, stream):
            if stream == keys.log and facts[b"name"] == PUBLISHER.encode():
                continue
            last = facts[b"last-delivered-id"].decode()
            if stream == keys.log:
                behind = max(0, tip - int(last.partition("-")[0]))
            elif facts.get(b"lag") is not None:
                behind = facts[b"lag"]
            else:
                unread = ("XRANGE", stream, f"({last}", "+", "COUNT", MOST_COUNTED)
                behind = len(await link.call(*unread))
            heard = await _heard(link, keys, stream, facts[b"name"])
            if heard is None:
                continue
            idle_ms, works = heard
            unread_any = behind > 0 or facts[b"pending"] > 0
            needs_from = after(last)
            if facts[b"pending"] > 0:
                needs_from = await _first_pending(link, stream, facts[b"name"]) or needs_from
            found.append(
                ConsumerGroup(
                    facts[b"name"].decode(errors="replace"),
                    stream,
                    last,
                    behind,
                    facts[b"pending"],
                    facts[b"consumers"],
                    idle_ms,
                    _state(idle_ms, works=works, unread=unread_any),
                    unread_any,
                    needs_from,
                )
            )
    return found


async def remove_group(link: Link, group: ConsumerGroup) -> bool:
    """Removes a group and what it knows; whether it was there. Raises `StoreError`."""
    return bool(await link.call("XGROUP", "DESTROY", group.stream, group.name))


def removal(name: str, *, force: bool = False) -> str:
    """The command that removes a group, as a shell takes it."""
    # What begins with a dash would be an option.
    ends = "-- " if name.startswith("-") else ""
    return f"matchbox consume remove {'--force ' if force else ''}{ends}{shlex.quote(name)}"


def after(entry_id: str) -> str:
    """The id that comes next."""
    seq, _, n = entry_id.partition("-")
    return f"{seq}-{int(n) + 1}"


async def _first_pending(link: Link, stream: str, name: bytes) -> str | None:
    (pending,) = await link.calls([("XPENDING", stream, name)])
    if isinstance(pending, NoGroup):
        return None
    if isinstance(pending, Exception):
        raise pending
    return pending[1].decode() if pending[1] is not None else None


async def _facts(link: Link, stream: str) -> list[dict[bytes, Any]]:
    if not await link.call("EXISTS", stream):
        return []
    return [_fields(flat) for flat in await link.call("XINFO", "GROUPS", stream)]


async def _heard(
    link: Link, keys: Keys, stream: str, name: bytes
) -> tuple[int | None, bool] | None:
    """How long ago a consumer was heard, and whether one of our services works by this group.

    None where the group was removed meanwhile.
    """
    service = name.decode(errors="replace").removeprefix(GROUP_PREFIX)
    consumers, working = await link.calls(
        [("XINFO", "CONSUMERS", stream, name), ("EXISTS", keys.consumer(service))]
    )
    if isinstance(consumers, NoGroup):
        return None
    for reply in (consumers, working):
        if isinstance(reply, Exception):
            raise reply
    idle = min((int(_fields(flat)[b"idle"]) for flat in consumers), default=None)
    ours = stream == keys.log and name.startswith(GROUP_PREFIX.encode())
    return idle, ours and bool(working)


def _fields(flat: Sequence[bytes]) -> dict[bytes, Any]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _state(idle_ms: int | None, *, works: bool, unread: bool) -> str:
    if works or (idle_ms is not None and idle_ms < ALIVE_MS):
        return "alive"
    if unread and (idle_ms is None or idle_ms >= ABANDONED_MS):
        return "abandoned"
    return "stopped"
