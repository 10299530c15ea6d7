"""What a venue's server says at one moment, all at once."""

from matchbox_tui.store import Keys, Link, StoreError
from matchbox_tui.store.scripts import PEEK
from sim.audit.replies import whole
from sim.recording import Moment

QUEUE_ELEMENTS = 250_000
QUEUE_BYTES = 64 * 1024 * 1024


async def read_moment(link: Link, keys: Keys) -> tuple[Moment, list[bytes]]:
    """The moment, and the commands that waited then; who leads is left open.

    What can't be read is among its `troubles`. Raises a `StoreError`.
    """
    replies = await link.calls(
        [
            ("MULTI",),
            ("HMGET", keys.cursor, "seq", "chain", "epoch"),
            ("GET", keys.order_id),
            ("LLEN", keys.queue),
            ("EVAL", PEEK.text, 1, keys.queue, QUEUE_ELEMENTS, QUEUE_BYTES),
            ("XREVRANGE", keys.log, "+", "-", "COUNT", 1),
            ("XREVRANGE", keys.fills_stream, "+", "-", "COUNT", 1),
            ("EXEC",),
        ]
    )
    for reply in replies:
        if isinstance(reply, StoreError):
            raise reply
    troubles: dict[str, str] = {}
    for name, reply in zip(
        ("cursor", "counter", "queue", "queue", "journal", "fills"), replies[-1], strict=True
    ):
        if isinstance(reply, Exception):
            troubles.setdefault(name, " ".join(str(reply).split()))
    cursor, counter, waiting, queue, log, fills = (
        None if isinstance(reply, Exception) else reply for reply in replies[-1]
    )
    seq, chain, epoch = cursor or (None, None, None)
    moment = Moment(
        cursor=(whole(seq), (chain or b"").decode(errors="replace"), whole(epoch)),
        last_entry=log[0][0].decode() if log else "",
        last_fill=fills[0][0].decode() if fills else "",
        counter=whole(counter),
        waiting=waiting or 0,
        troubles=troubles,
    )
    return moment, queue or []
