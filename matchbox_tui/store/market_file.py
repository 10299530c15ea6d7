"""What a snapshot file holds: one market at one place in the journal."""

import os
import re
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

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

PART_SIZE = 500
"""Most orders or positions in one part of a file's state."""

_SEAL = re.compile(rb',"crc32":(\d{1,10})\}\n\Z')
_SEAL_BYTES = 24

_END_OF_STAMP = b',"definition":'
_LONGEST_STAMP = 16 * 1024 * 1024
_READ_BYTES = 64 * 1024


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


class Stamp(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """How a file begins: its place in the journal, and the markets that belong together.

    `created_at` is in ms.
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

    @property
    def place(self) -> tuple[int, str]:
        return self.engine_sequence, self.chain


class FileHead(Stamp, frozen=True, rename="camel", kw_only=True):
    """All but the book; positions are (trader, contracts, cash)."""

    definition: Market
    positions: list[tuple[str, int, int]]


class MarketFile(FileHead, frozen=True, rename="camel", kw_only=True):
    """A whole file."""

    order_book: FileBook


class _Version(msgspec.Struct):
    version: int


def seal(crc32: int) -> bytes:
    """How a file ends, given the checksum of all bytes before."""
    return b',"crc32":%d}\n' % crc32


def read_stamp(file: BinaryIO) -> Stamp | None:
    """What a file says of itself at its beginning, whether it holds or not."""
    raw = b""
    while _END_OF_STAMP not in raw and len(raw) < _LONGEST_STAMP:
        more = file.read(_READ_BYTES)
        if not more:
            break
        raw += more
    try:
        return msgspec.json.decode(raw.partition(_END_OF_STAMP)[0] + b"}", type=Stamp)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def is_sealed(path: Path) -> bool:
    """Whether the file is neither torn nor altered. Reads all of it."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _SEAL_BYTES))
            found = _SEAL.search(file.read())
            if found is None:
                return False
            file.seek(0)
            crc, left = 0, size - len(found[0])
            while left > 0:
                piece = file.read(min(left, _READ_BYTES))
                if not piece:
                    return False
                crc = zlib.crc32(piece, crc)
                left -= len(piece)
    except OSError:
        return False
    return crc == int(found[1])


def decode_file(raw: bytes) -> MarketFile:
    """Raises `SnapshotUnusable` for bytes that are torn, altered or from a newer program."""
    found = _SEAL.search(raw[-_SEAL_BYTES:])
    if found is None:
        raise SnapshotUnusable("it is torn")
    if zlib.crc32(memoryview(raw)[: -len(found[0])]) != int(found[1]):
        raise SnapshotUnusable("its checksum differs")
    try:
        version = msgspec.json.decode(raw, type=_Version).version
        if not 1 <= version <= VERSION:
            raise SnapshotUnusable(f"it has version {version}, this program reads up to {VERSION}")
        return msgspec.json.decode(raw, type=MarketFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SnapshotUnusable(f"it can't be read ({error})") from None


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


def parts_of(file: MarketFile) -> Iterator[Part]:
    """The state that the file holds, in pieces of a bounded size."""
    book = file.order_book
    states = (
        OrderState(_message(order), order.price_ticks, order.qty_lots, order.remaining_qty_lots)
        for level in (*book.bids, *book.asks)
        for order in level.orders
    )
    yield BookPart(file.definition, book.sequence, ())
    while piece := tuple(islice(states, PART_SIZE)):
        yield BookPart(file.definition, book.sequence, piece)
    held = iter(file.positions)
    while some := tuple(islice(held, PART_SIZE)):
        yield PositionsPart(
            tuple(
                PositionState(trader, file.market, Position(qty, cash))
                for trader, qty, cash in some
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
