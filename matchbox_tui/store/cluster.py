"""Who is there: heartbeats of the instances and the state of the lead."""

import msgspec

from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link


class InstanceStatus(msgspec.Struct, frozen=True):
    """One instance's heartbeat.

    `role` is follower, catching_up or leading; `seq` is the last command it applied;
    `connection` is the server's id of the connection that dies with the process; `started` is
    in ns since the epoch; `heard_ms` is how long ago it beat, by the server's clock.
    """

    id: str
    role: str
    epoch: int
    pid: int
    host: str
    seq: int
    connection: int
    started: int
    heard_ms: int = 0


class ClusterStatus(msgspec.Struct, frozen=True):
    """The venue as a whole: `seq` is the journal's tip, `queue_depth` counts commands waiting.

    `last_order_id` is the highest order id that was given out.
    """

    leader: str | None
    epoch: int
    seq: int
    queue_depth: int
    instances: tuple[InstanceStatus, ...]
    last_order_id: int = 0


class StateHash(msgspec.Struct, frozen=True):
    """The state hash that an instance published after command `seq`."""

    instance: str
    seq: int
    hash: str


async def read_hashes(link: Link, key: str, after: str) -> tuple[str, list[StateHash]]:
    """Hashes that were published after a place in the stream ("-" for all), and the next place.

    Raises `StoreError`.
    """
    found = []
    for entry_id, flat in await link.call("XRANGE", key, after, "+", "COUNT", 1000):
        after = f"({entry_id.decode()}"
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        name = fields.get(b"id", b"?").decode(errors="replace")
        text = fields.get(b"hash", b"").decode(errors="replace")
        found.append(StateHash(name, number(fields.get(b"seq")), text))
    return after, found


async def read_cluster(link: Link, keys: Keys) -> ClusterStatus:
    """Reads the venue's status in two round trips. Raises `StoreError`."""
    last_id, leader, epoch, seq, depth, ids = await link.calls(
        [
            # First: what was given out by then is in the queue or in the journal.
            ("GET", keys.order_id),
            ("GET", keys.leader),
            ("GET", keys.epoch),
            ("HGET", keys.cursor, "seq"),
            ("LLEN", keys.queue),
            ("ZRANGE", keys.instances, 0, -1),
        ]
    )
    for reply in (last_id, leader, epoch, seq, depth, ids):
        if isinstance(reply, Exception):
            raise reply
    names = sorted(name.decode(errors="replace") for name in ids)
    asked = [(word, keys.instance(name)) for name in names for word in ("HGETALL", "PTTL")]
    replies = await link.calls(asked) if asked else []
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    instances = tuple(
        parse_instance(name, flat, left_ms)
        for name, flat, left_ms in zip(names, replies[::2], replies[1::2], strict=True)
        if flat
    )
    return ClusterStatus(
        leader.decode(errors="replace") if leader is not None else None,
        number(epoch),
        number(seq),
        depth,
        instances,
        number(last_id),
    )


def number(text: bytes | None) -> int:
    """A counter as the server holds it; 0 where it holds none, or something else."""
    return int(text) if text is not None and text.isdigit() else 0


def parse_instance(name: str, flat: list[bytes], left_ms: int = -1) -> InstanceStatus:
    """An instance out of its hash, which has `left_ms` to live; -1 where that is not known.

    What is missing or no number counts as 0.
    """
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return InstanceStatus(
        name,
        fields.get(b"role", b"?").decode(errors="replace"),
        number(fields.get(b"epoch")),
        number(fields.get(b"pid")),
        fields.get(b"host", b"?").decode(errors="replace"),
        number(fields.get(b"seq")),
        number(fields.get(b"connection")),
        number(fields.get(b"started")),
        max(number(fields.get(b"ttl")) - left_ms, 0) if left_ms >= 0 else 0,
    )
