"""Every Redis key of a venue, and nothing else.

A venue is one set of keys. Its prefix is empty by default; on a cluster it must be a hash tag
such as ``{venue}:`` so that all of them live on one shard.
"""

import re

from matchbox_tui.engine import DEFAULT_MARKET


class Keys:
    """The names of one venue's keys and channels."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.queue = f"{prefix}engine:order_queue"
        """List of commands as JSON, FIFO."""
        self.order_id = f"{prefix}engine:order_id_counter"
        """String, INCR: order ids."""
        self.leader = f"{prefix}engine:leader"
        """String with a time to live: the instance id of the leader."""
        self.epoch = f"{prefix}engine:epoch"
        """String, INCR at every election: the fencing token."""
        self.cursor = f"{prefix}engine:cursor"
        """Hash seq, chain, epoch: the tip of the journal."""
        self.log = f"{prefix}engine:log"
        """Stream, one entry per commit: the journal."""
        self.instances = f"{prefix}engine:instances"
        """Sorted set of instance ids by the time (ms) at which their heartbeat runs out."""
        self.snapshots = f"{prefix}engine:snapshots"
        """Sorted set of the recovery snapshots' sequence numbers."""
        self.snapshot_turn = f"{prefix}engine:snapshot:turn"
        """String with a time to live: who takes the next snapshot, so that one does."""
        self.hashes = f"{prefix}engine:hashes"
        """Capped stream of the state hashes that instances found at the same sequence."""
        self.analytics = f"{prefix}engine:analytics"
        """Hash seq, chain, stats: how far the analytics are, and the engine's health as JSON."""
        self.analytics_state = f"{prefix}engine:analytics:state"
        """List: what the analytics go on from after a restart, in parts, and then their header."""
        self.fills_stream = f"{prefix}events_stream"
        """Stream of fills, field `event`."""
        self.fills_channel = f"{prefix}fills:events"
        """Pub/Sub channel of fills."""

    def instance(self, instance_id: str) -> str:
        """Hash with a time to live: an instance's heartbeat."""
        return f"{self.prefix}engine:instance:{instance_id}"

    def snapshot(self, seq: int) -> str:
        """List: a recovery snapshot's parts, and at its end the header that proves them whole."""
        return f"{self.prefix}engine:snapshot:{seq}"

    def snapshot_draft(self, instance_id: str) -> str:
        """List with a time to live: a snapshot that is being written."""
        return f"{self.prefix}engine:snapshot:draft:{instance_id}"

    def consumer(self, name: str) -> str:
        """String with a time to live: which copy of a journal's consumer works; others stand by."""
        return f"{self.prefix}engine:consumer:{name}"

    def analytics_draft(self, copy: str) -> str:
        """List with a time to live: a state of the analytics that is being written."""
        return f"{self.prefix}engine:analytics:draft:{copy}"

    def analytics_market(self, market: str) -> str:
        """Hash seq, chain, stats: a market's figures as JSON, and the place that they are of."""
        return f"{self.prefix}engine:analytics:market:{market}"

    def analytics_candles(self, market: str, interval: str) -> str:
        """Hash of candles as JSON by their beginning in ns."""
        return f"{self.prefix}engine:analytics:candles:{interval}:{market}"

    def client_order(self, trader: str, client_order_id: str) -> str:
        """String with a time to live: the order id that a client_order_id stands for."""
        # A colon in the name would let two traders meet in one key.
        name = trader.replace("%", "%25").replace(":", "%3A")
        return f"{self.prefix}engine:client_order:{name}:{client_order_id}"

    def book(self, market: str) -> str:
        """String: the best levels of a market's book as JSON."""
        name = f"{self.prefix}orderbook:snapshot"
        return name if market == DEFAULT_MARKET else f"{name}:{market}"


_VALUE_TYPES = {
    "list": r"engine:order_queue|engine:snapshot:\d+|engine:snapshot:draft:.*"
    r"|engine:analytics:state|engine:analytics:draft:.*",
    "stream": r"engine:log|engine:hashes|events_stream",
    "hash": r"engine:cursor|engine:instance:.*|engine:analytics"
    r"|engine:analytics:market:.*|engine:analytics:candles:.*",
    "zset": r"engine:instances|engine:snapshots",
    "number": r"engine:order_id_counter|engine:epoch|engine:client_order:.*",
    "string": r"engine:leader|engine:snapshot:turn|engine:consumer:.*|orderbook:snapshot.*",
}


def value_type(key: str) -> str | None:
    """What a venue keeps in a key of this name, whatever its prefix; None if it is not ours.

    As the server names its types, and "number" for a string of digits.
    """
    for name, pattern in _VALUE_TYPES.items():
        if re.search(f"(?:{pattern})$", key):
            return name
    return None
