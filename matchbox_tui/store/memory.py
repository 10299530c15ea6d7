"""What journal and fills take of the server's memory, what it may take, and who keeps them long."""

from collections.abc import Sequence

import msgspec

from matchbox_tui.store.archive import FILLS_KEPT, PUBLISHER
from matchbox_tui.store.errors import JournalBroken, Refused
from matchbox_tui.store.groups import ConsumerGroup, removal
from matchbox_tui.store.journal import parse_entry
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link, Reply

FULL_SHARE = 0.5
"""From this share of its limit on a server is warned of: there is as much left as was used up to
now, and a rewrite of its append-only file may take nearly that for a while.
"""

HELD_SHARE = 0.1
"""From this share of the limit on a stream is warned of that somebody keeps from being trimmed."""

MACHINE_SHARE = 2
"""A server without a limit may have this part of its machine's memory: a half. What it forks to
rewrite its file may need as much again.
"""

HELD_FILLS = FILLS_KEPT + FILLS_KEPT // 2
"""More fills than that are there only because somebody keeps them."""

SAMPLES = 50
"""Nodes of a stream that its size is reckoned from."""

Place = tuple[int, int]


class StreamMemory(msgspec.Struct, frozen=True):
    """A stream's entries and bytes, None where the server does not tell.

    `held_by` is the consumer group that keeps the most of what would be trimmed otherwise; the
    engine's own `publisher` where fills could not be published; empty for none.
    """

    stream: str
    entries: int
    bytes: int | None
    held_by: str


class MemoryStatus(msgspec.Struct, frozen=True):
    """Bytes of the whole server, None where it does not tell.

    `limit` says what `limit_bytes` is: the server's `maxmemory`, half of its `machine`'s memory, or
    `unknown`. The `warnings` name the fix.
    """

    used_bytes: int | None
    limit_bytes: int | None
    limit: str
    streams: tuple[StreamMemory, ...]
    warnings: tuple[str, ...] = ()


async def read_memory(link: Link, keys: Keys, groups: Sequence[ConsumerGroup]) -> MemoryStatus:
    """The streams' memory, with the groups that read them. Raises `StoreError`."""
    log, fills = keys.log, keys.fills_stream
    ends = ("-", "+", "COUNT", 1)
    info, *replies = await link.calls(
        [
            ("INFO", "memory"),
            *(("XLEN", stream) for stream in (log, fills)),
            *(("XRANGE", stream, *ends) for stream in (log, fills)),
            ("ZRANGE", keys.snapshots, 0, 1),
            *(("MEMORY", "USAGE", stream, "SAMPLES", SAMPLES) for stream in (log, fills)),
            ("XINFO", "GROUPS", log),
        ]
    )
    for reply in replies[:5]:
        if isinstance(reply, Exception):
            raise reply
    log_count, fill_count, first_entry, first_fill, kept, log_bytes, fill_bytes, facts = replies
    needs: dict[str, dict[str, Place]] = {log: {}, fills: {}}
    for group in groups:
        needs[group.stream][group.name] = _place(group.needs_from)
    published = _published(facts)
    if published is not None:
        needs[log][PUBLISHER] = published, 1
    begins = _first_seq(first_entry)
    held_log = held_fills = ""
    if len(kept) == 2 and first_entry:
        # Up to the older snapshot it would go.
        older = _seq(kept[0])
        if _place(first_entry[0][0].decode())[0] <= older:
            held_log = _holder(needs[log], older + 1)
    if fill_count > HELD_FILLS:
        older_ones = bool(first_fill) and _place(first_fill[0][0].decode())[0] < begins
        held_fills = (_holder(needs[fills], begins) if older_ones else "") or held_log
    streams = (
        StreamMemory(log, log_count, _size(log_bytes), held_log),
        StreamMemory(fills, fill_count, _size(fill_bytes), held_fills),
    )
    used, limit_bytes, limit = _limits(info)
    status = MemoryStatus(used, limit_bytes, limit, streams)
    return msgspec.structs.replace(status, warnings=tuple(_warnings(status, groups)))


def in_words(size: int | None) -> str:
    """Bytes for a person."""
    if size is None:
        return "an unknown size"
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def limit_in_words(status: MemoryStatus) -> str:
    """The server's limit for a person, and what it is."""
    what = {"maxmemory": "its maxmemory", "machine": "half of its machine's memory"}
    if status.limit_bytes is None:
        return "unknown limit"
    return f"{in_words(status.limit_bytes)} ({what[status.limit]})"


def _warnings(status: MemoryStatus, groups: Sequence[ConsumerGroup]) -> list[str]:
    if not status.limit_bytes or status.used_bytes is None:
        return []
    full = status.used_bytes >= FULL_SHARE * status.limit_bytes
    held: dict[str, StreamMemory] = {}
    for one in status.streams:
        if one.held_by and (full or (one.bytes or 0) >= HELD_SHARE * status.limit_bytes):
            # Who holds the journal holds the fills as well: one word and one fix is enough.
            held.setdefault(one.held_by, one)
    found = []
    if full:
        sizes = ", ".join(f"{one.stream} {in_words(one.bytes)}" for one in status.streams)
        found.append(
            f"the server's memory holds {in_words(status.used_bytes)} of"
            f" {limit_in_words(status)}: {sizes}. Once it is full, new orders are refused."
        )
    found += [_held(one, groups) for one in held.values()]
    if full and not held:
        raising = "raise maxmemory" if status.limit == "maxmemory" else "give it more memory"
        found[0] += f" To prevent that: {raising}, or keep less with MATCHBOX_HISTORY"
    return found


def _held(stream: StreamMemory, groups: Sequence[ConsumerGroup]) -> str:
    if stream.held_by == PUBLISHER:
        return (
            f"{stream.stream} is kept because its fills can't be published: the leader's log says"
            " why"
        )
    kept = f"{stream.stream} ({in_words(stream.bytes)}) is kept for {stream.held_by}"
    # It may be the journal's group that keeps the fills, too.
    mine = [group for group in groups if group.name == stream.held_by]
    mine.sort(key=lambda group: group.stream != stream.stream)
    if not mine:
        return kept
    group = mine[0]
    behind = f"{group.behind:,} behind, {group.pending:,} not acknowledged"
    if group.state == "alive":
        return (
            f"{kept}, which is at work ({behind}): it must catch up, or be removed with"
            f" {removal(group.name, force=True)}"
        )
    heard = "never heard" if group.idle_ms is None else f"not heard for {_span(group.idle_ms)}"
    return f"{kept} ({behind}, {heard}): start it again, or {removal(group.name)}"


def _span(ms: int) -> str:
    for length, unit in ((86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes")):
        if ms >= 2 * length:
            return f"{ms // length} {unit}"
    return f"{ms // 1000} seconds"


def _holder(needs: dict[str, Place], seq: int) -> str:
    """Who needs the oldest entry of those before `seq`."""
    name = min(needs, key=lambda one: needs[one], default="")
    return name if name and needs[name] < (seq, 0) else ""


def _published(facts: Reply) -> int | None:
    """The sequence up to which the fills are known to be published."""
    if not isinstance(facts, list):
        return None
    for flat in facts:
        group = dict(zip(flat[::2], flat[1::2], strict=True))
        if group[b"name"] == PUBLISHER.encode():
            return _place(group[b"last-delivered-id"].decode())[0]
    return None


def _first_seq(entries: Reply) -> int:
    """The journal's first command; 0 where there is none, or one that can't be read."""
    try:
        return parse_entry(entries[0]).first_seq if entries else 0
    except JournalBroken:
        return 0


def _limits(info: Reply) -> tuple[int | None, int | None, str]:
    if isinstance(info, Refused):
        return None, None, "unknown"
    lines = info.decode(errors="replace").splitlines()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    used, limit, machine = (
        int(facts[name]) if facts.get(name, "").isdigit() else 0
        for name in ("used_memory", "maxmemory", "total_system_memory")
    )
    if limit:
        return used, limit, "maxmemory"
    return used, machine // MACHINE_SHARE or None, "machine" if machine else "unknown"


def _size(reply: Reply) -> int | None:
    if isinstance(reply, Exception):
        return None
    return int(reply or 0)


def _place(entry_id: str) -> Place:
    seq, _, n = entry_id.partition("-")
    return int(seq), int(n)


def _seq(member: bytes) -> int:
    return int(member) if member.isdigit() else 0
