"""Making an index, in one pass over a journal that somebody folds anyway."""

import contextlib
import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from matchbox_tui.engine import DEFAULT_MARKET, Exchange, dump_parts
from matchbox_tui.store import Entry
from sim.recording.checkpoints import Checkpoint, Index, Turn
from sim.recording.form import FileFacts, crc_of
from sim.recording.frames import At, FrameReader
from sim.recording.opening import Run
from sim.recording.run import CHECKPOINTS, INDEX
from sim.recording.run_clock import RunClock

EVERY = 10_000
"""Commands from one checkpoint to the next, at the least."""

GROWTH = 3
"""There is another checkpoint only where the journal, unpacked, has grown by so many times what the
last one takes: so all together take a third of that at the most, however large the books.
"""

TRADE = b'{"type":"trade.executed"'


class Indexer:
    """Hears of every commit of a run, and writes states into a file now and then."""

    def __init__(self, run: Run, states: BinaryIO) -> None:
        self._run = run
        self._file = states
        self._clock = RunClock.of_replay(run.facts, run.samples, run.base.seq)
        self._size = run.journal_bytes
        base = run.base
        self._seq, self._chain, self._epoch = base.seq, base.chain, base.epoch
        self._points = [Checkpoint(base.seq, base.chain, base.epoch, 0, At(), 0, 0)]
        self._turns: list[Turn] = []
        self._trades = self._last_id = self._cost = self._passed = 0
        self._encode = msgspec.msgpack.Encoder().encode

    def see(self, entry: Entry, reader: FrameReader, exchange: Exchange) -> None:
        """A commit that the exchange has just applied, and who has just read it."""
        at = self._clock.at(entry.seq, entry.events[-1].timestamp)
        if self._epoch and entry.epoch != self._epoch:
            self._turns.append(Turn(entry.seq, entry.epoch, at))
        self._seq, self._chain, self._epoch = entry.seq, entry.chain, entry.epoch
        self._trades += entry.blob.count(TRADE)
        self._last_id = max(self._last_id, max(map(_id, entry.events), default=0))
        if entry.seq - self._points[-1].seq < EVERY:
            return
        if reader.passed - self._passed < self._cost * GROWTH:
            return
        state, self._passed = self._file.tell(), reader.passed
        parts = self._dump(exchange)
        self._cost = self._file.tell() - state
        self._points.append(
            Checkpoint(entry.seq, entry.chain, entry.epoch, at, reader.next, state, parts)
        )

    def finish(self, path: Path, exchange: Exchange) -> Index:
        """The index of what was seen; `path` is the states' file."""
        self._file.flush()
        with path.open("rb") as written:
            states = FileFacts(self._file.tell(), crc_of(written), len(self._points))
        samples = self._run.samples
        index = Index(
            bytes=self._size,
            states=states,
            seq=self._seq,
            chain=self._chain,
            end=max(self._clock.now, samples[-1].at if samples else 0),
            last_order_id=self._last_id,
            trades=self._trades,
            markets=self._markets(exchange),
            checkpoints=self._points,
            turns=self._turns,
        )
        return msgspec.structs.replace(index, crc32=crc_of_index(index))

    def _markets(self, exchange: Exchange) -> list[str]:
        """The run's markets. The one that is there by default is of them only where it is used."""
        used = {trader.market for trader in self._run.roster}
        found = [
            symbol
            for symbol, book in exchange.books.items()
            if symbol != DEFAULT_MARKET or book.sequence or symbol in used
        ]
        return found or list(exchange.books)

    def _dump(self, exchange: Exchange) -> int:
        parts = 0
        with gzip.GzipFile("", "wb", 1, self._file, mtime=0) as packed:
            for part in dump_parts(exchange):
                raw = self._encode(part)
                packed.write(len(raw).to_bytes(4, "big") + raw)
                parts += 1
        return parts


class IndexWriter:
    """Puts the index of a run into its directory, while somebody else folds the run.

    As a context manager it leaves nothing where `keep` was not called. `OSError` is raised at the
    beginning and by `keep`, so that nobody who only folds the run is disturbed.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._draft = run.directory / f"{CHECKPOINTS}.new"
        self._draft.unlink(missing_ok=True)
        self._file = self._draft.open("xb")
        self._indexer = Indexer(run, self._file)
        self._failed: OSError | None = None

    def entries(self, exchange: Callable[[], Exchange]) -> Iterator[Entry]:
        """The journal from its beginning, for who has applied each entry to this exchange when it
        asks for the next one.
        """
        base = self._run.base
        for entry, reader in self._run.walk(At(), base.seq, base.chain):
            yield entry
            if self._failed is not None:
                continue
            try:
                self._indexer.see(entry, reader, exchange())
            except OSError as error:
                self._failed = error

    def keep(self, exchange: Exchange) -> Index:
        """All was folded: the index stays."""
        if self._failed is not None:
            raise self._failed
        index = self._indexer.finish(self._draft, exchange)
        self._file.close()
        self._draft.rename(self._run.directory / CHECKPOINTS)
        write_index(self._run.directory / INDEX, index)
        return index

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._draft.unlink(missing_ok=True)


def write_index(path: Path, index: Index) -> None:
    """Raises `OSError`."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with draft.open("xb") as file:
        file.write(msgspec.json.encode(index))
    draft.rename(path)


def crc_of_index(index: Index) -> int:
    """Of all that it tells but this."""
    return zlib.crc32(msgspec.json.encode(msgspec.structs.replace(index, crc32=0)))


def _id(event: object) -> int:
    return getattr(event, "order_id", 0)
