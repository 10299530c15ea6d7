"""Recovery snapshots as files, one a market: `<data-dir>/snapshots/<market>.json`.

All files of one snapshot name the same place in the journal. They are written beside the ones
before, synced, and then put in their place, while those before become `<market>.json.previous`: at
any moment, also in the middle of a kill, one of the two snapshots is whole. The last field of a
file is the checksum of all bytes before it.
"""

import asyncio
import contextlib
import fcntl
import os
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from matchbox_tui.engine import Exchange, Level, Order, OrderBook, Side, load_part
from matchbox_tui.store.errors import SnapshotUnusable
from matchbox_tui.store.market_file import FileHead, MarketFile, decode_file, file_order, part_of
from matchbox_tui.store.replica import Replica
from matchbox_tui.store.restore import Base
from matchbox_tui.store.snapshot import Header

SUFFIX = ".json"
PREVIOUS = ".previous"
DRAFT = ".draft"

PIECE = 500
"""Orders written at a time: a millisecond or two of work."""

Holding = tuple[str, int, int]

_PLACE = re.compile(rb'"engineSequence":(\d{1,16}),')


class SnapshotFiles:
    """The snapshot files of one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.directory = data_dir / "snapshots"

    async def write(self, head: Header, exchange: Exchange) -> bool:
        """Writes a snapshot in steps; the exchange must not move meanwhile.

        False, with nothing done, where another instance is writing here at this moment. Raises
        `OSError`, and then the snapshot before is still there.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with _locked(self.directory / ".lock") as mine:
            if mine:
                try:
                    await self._write_drafts(head, exchange)
                    await asyncio.to_thread(self._put_in_place, list(exchange.books))
                finally:
                    for draft in self.directory.glob(f"*{DRAFT}"):
                        draft.unlink(missing_ok=True)
            return mine

    def bases(self) -> list[Base]:
        """The whole snapshots that there are, newest first. Blocks; skips what is damaged."""
        found: dict[tuple[int, str], dict[str, MarketFile]] = defaultdict(dict)
        for path in self._paths():
            with contextlib.suppress(OSError, SnapshotUnusable):
                file = decode_file(path.read_bytes())
                found[file.engine_sequence, file.chain][file.market] = file
        return [
            _base(files)
            for _, files in sorted(found.items(), reverse=True)
            if set(next(iter(files.values())).markets) == set(files)
        ]

    def newest_place(self) -> int:
        """The highest sequence that a file names at its beginning, 0 where there is none."""
        places = [0]
        for path in self._paths():
            with contextlib.suppress(OSError), path.open("rb") as file:
                place = _PLACE.search(file.read(1024))
                places.append(int(place[1]) if place else 0)
        return max(places)

    async def _write_drafts(self, head: Header, exchange: Exchange) -> None:
        holdings = await _holdings(exchange)
        for symbol, book in exchange.books.items():
            beginning = FileHead(
                version=head.version,
                market=symbol,
                engine_sequence=head.seq,
                last_redis_stream_id=f"{head.seq}-0",
                created_at=head.created,
                chain=head.chain,
                epoch=head.epoch,
                order_id=head.order_id,
                markets=list(exchange.books),
                definition=book.market,
                positions=holdings[symbol],
            )
            await _write_file(self._path(symbol, DRAFT), _pieces(beginning, book))

    def _put_in_place(self, symbols: list[str]) -> None:
        for symbol in symbols:
            current = self._path(symbol)
            if current.exists():
                current.replace(self._path(symbol, PREVIOUS))
            self._path(symbol, DRAFT).replace(current)
        place = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)

    def _paths(self) -> list[Path]:
        patterns = (f"*{SUFFIX}", f"*{SUFFIX}{PREVIOUS}")
        return [path for pattern in patterns for path in self.directory.glob(pattern)]

    def _path(self, symbol: str, more: str = "") -> Path:
        return self.directory / f"{symbol}{SUFFIX}{more}"


async def _write_file(path: Path, pieces: Iterator[bytes]) -> None:
    crc = 0
    with path.open("wb") as file:
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
            await asyncio.to_thread(file.write, piece)
        file.write(b',"crc32":%d}\n' % crc)
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())


def _pieces(head: FileHead, book: OrderBook) -> Iterator[bytes]:
    """A file but its checksum, in pieces of a bounded size."""
    symbol = msgspec.json.encode(head.market)
    yield msgspec.json.encode(head)[:-1] + b',"orderBook":{"market":%s,"sequence":%d' % (
        symbol,
        book.sequence,
    )
    sequence = 0
    for name, side in ((b"bids", Side.BUY), (b"asks", Side.SELL)):
        yield b',"%s":[' % name
        for number, level in enumerate(book.side(side).best_first()):
            comma = b"," if number else b""
            yield comma + b'{"priceTicks":%d,"totalQtyLots":%d,"orders":[' % (
                level.price,
                level.qty,
            )
            orders = _queue(level)
            first = True
            while piece := list(islice(orders, PIECE)):
                texts = []
                for order in piece:
                    sequence += 1
                    texts.append(msgspec.json.encode(file_order(order, sequence)))
                yield (b"" if first else b",") + b",".join(texts)
                first = False
            yield b"]}"
        yield b"]"
    yield b"}"


def _queue(level: Level) -> Iterator[Order]:
    order = level.head
    while order is not None:
        yield order
        order = order.next


async def _holdings(exchange: Exchange) -> dict[str, list[Holding]]:
    """(trader, contracts, cash) by market."""
    held: dict[str, list[Holding]] = defaultdict(list)
    for number, (trader, market, position) in enumerate(exchange.positions.unsorted()):
        held[market].append((trader, position.qty, position.cash))
        if number % PIECE == 0:
            await asyncio.sleep(0)
    return held


def _base(files: dict[str, MarketFile]) -> Base:
    """The state that the files of one snapshot hold together."""
    one = next(iter(files.values()))
    exchange = Exchange(())
    exchange.seq = one.engine_sequence
    for symbol in one.markets:
        for part in part_of(files[symbol]):
            load_part(exchange, part)
    return Base(Replica(exchange, one.chain, one.epoch), one.order_id)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Whether nobody else holds the lock; it goes with the process that holds it."""
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(number)
