"""What a snapshot file holds: one market at one place in the journal."""

import re
import zlib
from collections.abc import Iterator

import msgspec

from matchbox_tui.engine import (
    BookPart,
    Market,
    NewOrder,
    Order,
    OrderState,
    OrderType,
    Part,
    Position,
    PositionsPart,
    PositionState,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from matchbox_tui.store.errors import SnapshotUnusable
from matchbox_tui.store.snapshot import VERSION

_SEAL = re.compile(rb',"crc32":(\d{1,10})\}\n\Z')
_SEAL_BYTES = 24


class FileOrder(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A resting order: lots are contracts, `created_at` is in ns, `sequence` counts the book's
    orders as they would be filled. `original_*` is what the order came with, before a replace.
    """

    order_id: int
    user_id: str
    market: str
    side: Side
    type: OrderType
    qty_lots: int
    remaining_qty_lots: int
    price_ticks: int
    status: str
    time_in_force: TimeInForce
    reduce_only: bool
    post_only: bool
    created_at: int
    sequence: int
    client_order_id: str
    expires_at: int
    self_trade_prevention: SelfTradePrevention
    original_qty_lots: int
    original_price_ticks: int


class FileLevel(msgspec.Struct, frozen=True, rename="camel"):
    price_ticks: int
    total_qty_lots: int
    orders: list[FileOrder]


class FileBook(msgspec.Struct, frozen=True, rename="camel"):
    market: str
    sequence: int
    bids: list[FileLevel]
    asks: list[FileLevel]


class FileHead(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """How a file begins: its place in the journal, and the markets that belong together.

    `created_at` is in ms; positions are (trader, contracts, cash).
    """

    version: int
    market: str
    engine_sequence: int
    last_redis_stream_id: str
    created_at: int
    chain: str
    epoch: int
    order_id: int
    markets: list[str]
    definition: Market
    positions: list[tuple[str, int, int]]


class MarketFile(FileHead, frozen=True, rename="camel", kw_only=True):
    """A whole file."""

    order_book: FileBook


def decode_file(raw: bytes) -> MarketFile:
    """Raises `SnapshotUnusable` for bytes that are torn, altered or from a newer program."""
    seal = _SEAL.search(raw[-_SEAL_BYTES:])
    if seal is None:
        raise SnapshotUnusable("it is torn")
    if zlib.crc32(raw[: -len(seal[0])]) != int(seal[1]):
        raise SnapshotUnusable("its checksum differs")
    try:
        file = msgspec.json.decode(raw, type=MarketFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SnapshotUnusable(f"it can't be read ({error})") from None
    if file.version > VERSION:
        raise SnapshotUnusable(f"it has version {file.version}, this program reads up to {VERSION}")
    return file


def file_order(order: Order, sequence: int) -> FileOrder:
    return FileOrder(
        order_id=order.id,
        user_id=order.trader,
        market=order.market,
        side=order.side,
        type=order.type,
        qty_lots=order.qty,
        remaining_qty_lots=order.leaves_qty,
        price_ticks=order.price,
        status="open",
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        post_only=order.post_only,
        created_at=order.timestamp,
        sequence=sequence,
        client_order_id=order.client_order_id,
        expires_at=order.expires_at,
        self_trade_prevention=order.self_trade_prevention,
        original_qty_lots=order.message.qty,
        original_price_ticks=order.message.price,
    )


def part_of(file: MarketFile) -> Iterator[Part]:
    """The state that the file holds."""
    book = file.order_book
    states = (
        OrderState(_message(order), order.price_ticks, order.qty_lots, order.remaining_qty_lots)
        for level in (*book.bids, *book.asks)
        for order in level.orders
    )
    yield BookPart(file.definition, book.sequence, tuple(states))
    yield PositionsPart(
        tuple(
            PositionState(trader, file.market, Position(qty, cash))
            for trader, qty, cash in file.positions
        )
    )


def _message(order: FileOrder) -> NewOrder:
    return NewOrder(
        order_id=order.order_id,
        market=order.market,
        side=order.side,
        type=order.type,
        price=order.original_price_ticks,
        qty=order.original_qty_lots,
        timestamp=order.created_at,
        trader=order.user_id,
        time_in_force=order.time_in_force,
        expires_at=order.expires_at,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        client_order_id=order.client_order_id,
        self_trade_prevention=order.self_trade_prevention,
    )
