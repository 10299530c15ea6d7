"""Recovery snapshots as files, one a market: `<data-dir>/snapshots/<market>.json`.

All files of one snapshot name the same place in the journal. They are written beside the ones
before, synced, and then put in their place, while those before become `<market>.json.previous`: at
any moment, also in the middle of a kill, one of the two snapshots is whole. The last field of a
file is the checksum of all bytes before it.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from matchbox_tui.engine import Exchange, Level, Order, OrderBook, Side, load_part
from matchbox_tui.store.errors import SnapshotUnusable
from matchbox_tui.store.market_file import (
    FileHead,
    MarketFile,
    Stamp,
    decode_file,
    file_order,
    is_sealed,
    parts_of,
    read_stamp,
    seal,
)
from matchbox_tui.store.replica import Replica
from matchbox_tui.store.restore import Base
from matchbox_tui.store.snapshot import Header

log = logging.getLogger(__name__)

SUFFIX = ".json"
PREVIOUS = ".previous"
DRAFT = ".draft"

PIECE = 200
"""Most orders that are encoded at a time."""

WRITE_BYTES = 64 * 1024
"""What is written at a time: a millisecond or two of work."""

Holding = tuple[str, int, int]

Place = tuple[int, str]
"""A sequence and the chain up to it."""


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
                    await self._put_in_place(list(exchange.books))
                finally:
                    for draft in self.directory.glob(f"*{SUFFIX}{DRAFT}"):
                        draft.unlink(missing_ok=True)
            return mine

    async def bases(self) -> AsyncIterator[Base]:
        """The whole snapshots that there are, newest first. What can't be used is said."""
        stamps = await asyncio.to_thread(self._stamps)
        for path, stamp in stamps:
            if stamp is None:
                log.warning("%s is torn, altered or no snapshot file", path)
        tried: set[Place] = set()
        # Once more where others were put in their place meanwhile.
        while (found := _by_place(stamps)).keys() - tried:
            for place in sorted(found.keys() - tried, reverse=True):
                try:
                    yield await _load(place, found[place])
                except SnapshotUnusable as error:
                    where = (place[0], self.directory)
                    log.warning("The snapshot files of %d in %s can't be used: %s", *where, error)
            tried |= found.keys()
            stamps = await asyncio.to_thread(self._stamps)

    def newest_place(self) -> int:
        """The highest sequence that a file names at its beginning, 0 where there is none."""
        return max((seq for seq, _ in _by_place(self._stamps())), default=0)

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

    async def _put_in_place(self, symbols: list[str]) -> None:
        """Market by market, each in one go, so that it can be dropped between two of them.

        Only files of the snapshot to keep become the previous ones: after a kill in the middle of
        this there are newer ones beside them, which are of no use without the rest.
        """
        keep = await asyncio.to_thread(self._whole)
        for symbol in symbols:
            current = self._path(symbol)
            stamp = _stamp(current)
            if stamp is not None and stamp.place == keep:
                current.replace(self._path(symbol, PREVIOUS))
            self._path(symbol, DRAFT).replace(current)
            await asyncio.sleep(0)
        await asyncio.to_thread(_sync, self.directory)

    def _whole(self) -> Place | None:
        """The snapshot that is whole: the one in place, or the one that was when it was last."""
        found = _by_place(self._stamps())

        def rank(place: Place) -> tuple[bool, Place]:
            in_place = {stamp.market for path, stamp in found[place] if path.suffix == SUFFIX}
            return in_place.issuperset(found[place][0][1].markets), place

        for place in sorted(found, key=rank, reverse=True):
            sealed = {stamp.market for path, stamp in found[place] if is_sealed(path)}
            if sealed.issuperset(found[place][0][1].markets):
                return place
        return None

    def _stamps(self) -> list[tuple[Path, Stamp | None]]:
        """The files, and what they say of themselves."""
        patterns = (f"*{SUFFIX}", f"*{SUFFIX}{PREVIOUS}")
        paths = [path for pattern in patterns for path in sorted(self.directory.glob(pattern))]
        return [(path, _stamp(path)) for path in paths]

    def _path(self, symbol: str, more: str = "") -> Path:
        return self.directory / f"{symbol}{SUFFIX}{more}"


def _by_place(stamps: list[tuple[Path, Stamp | None]]) -> dict[Place, list[tuple[Path, Stamp]]]:
    found: dict[Place, list[tuple[Path, Stamp]]] = defaultdict(list)
    for path, stamp in stamps:
        if stamp is not None:
            found[stamp.place].append((path, stamp))
    return found


def _stamp(path: Path) -> Stamp | None:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return read_stamp(file)
    return None


async def _load(place: Place, files: list[tuple[Path, Stamp]]) -> Base:
    """The state that the files of one snapshot hold together, a market at a time.

    Raises `SnapshotUnusable`.
    """
    one = files[0][1]
    exchange = Exchange(())
    exchange.seq = one.engine_sequence
    for symbol in one.markets:
        paths = [path for path, stamp in files if stamp.market == symbol]
        file = await _usable(place, symbol, paths)
        for part in parts_of(file):
            try:
                load_part(exchange, part)
            except ValueError as error:
                raise SnapshotUnusable(f"{symbol} contradicts itself ({error})") from None
            await asyncio.sleep(0)
    return Base(Replica(exchange, one.chain, file.epoch), file.order_id)


async def _usable(place: Place, symbol: str, paths: list[Path]) -> MarketFile:
    """The first of the files that holds. Raises `SnapshotUnusable`."""
    trouble = SnapshotUnusable(f"there is none of {symbol}")
    for path in paths:
        try:
            file = await asyncio.to_thread(_read, path)
        except (OSError, SnapshotUnusable) as error:
            trouble = SnapshotUnusable(f"{path.name}: {error}")
        else:
            if (file.market, file.engine_sequence, file.chain) == (symbol, *place):
                return file
    raise trouble


def _read(path: Path) -> MarketFile:
    return decode_file(path.read_bytes())


async def _write_file(path: Path, pieces: Iterator[bytes]) -> None:
    crc = 0
    waiting = bytearray()
    with path.open("wb") as file:
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
            waiting += piece
            if len(waiting) >= WRITE_BYTES:
                await asyncio.to_thread(file.write, bytes(waiting))
                waiting.clear()
        file.write(waiting + seal(crc))
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


def _sync(directory: Path) -> None:
    """Makes the renames last."""
    place = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Whether nobody else holds the lock; it goes with the process that holds it."""
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(number)
