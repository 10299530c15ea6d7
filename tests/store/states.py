"""Venues with a past: journals of commits, random states, and snapshots of every make."""

import random
import zlib
from collections.abc import Sequence

import msgspec

from matchbox_tui.engine import (
    CreateMarket,
    Exchange,
    HaltMarket,
    Market,
    NewOrder,
    ReplaceOrder,
    ResumeMarket,
    SelfTradePrevention,
    Side,
    Tagged,
    TimeInForce,
    dump_parts,
)
from matchbox_tui.store import Header, Keys, Link, Outcome, Replica, Store
from matchbox_tui.store.snapshot import sealed, write_snapshot
from tests.engine.workload import MARKETS, Workload
from tests.store.build import LEASE, elected, match, order, put

HUGE = 10**12

SEQ = 4000
"""Where the random states stand."""

HEAD = Header(SEQ, "c", 3, 77, 1_700_000_000_000)


class Past:
    """A leader's commits, one by one, and the replica that they leave."""

    def __init__(self, store: Store, link: Link, keys: Keys, epoch: int) -> None:
        self.replica = Replica()
        self._store = store
        self._link = link
        self._keys = keys
        self._epoch = epoch
        self._ids = 0

    @classmethod
    async def of(cls, store: Store, link: Link, keys: Keys, commits: int = 0) -> "Past":
        past = cls(store, link, keys, (await elected(store)).epoch)
        await past.go_on(commits)
        return past

    async def go_on(self, commits: int, orders: int = 1) -> None:
        """So many commits of so many orders each. From 20 orders on, each fills a stream's node,
        which is what the server trims.
        """
        for _ in range(commits):
            await self.commit(*(self._order() for _ in range(orders)))

    def _order(self) -> NewOrder:
        self._ids += 1
        side = Side.BUY if self._ids % 3 else Side.SELL
        return order(45 + self._ids % 11, 3, side, order_id=self._ids, trader=f"t{self._ids % 4}")

    async def commit(self, *commands: NewOrder | Tagged) -> None:
        elements = await put(self._link, self._keys, *commands)
        commit = match(elements, self.replica, self._epoch)
        outcome, _ = await self._store.commit(commit, LEASE, 1)
        assert outcome is Outcome.OK

    async def snapshot(self) -> int:
        """Writes one of where the journal is; its sequence."""
        await write_snapshot(
            *(self._link, self._keys, "past", head_of(self.replica)),
            dump_parts(self.replica.exchange),
        )
        return self.replica.seq


NAMES = ("", "ann", "Zoë", "名前", 'a"b\\c', "\u2028\u0000\x7f", "😀" * 64, "engine:log", "%3A:")
"""Traders' names: whatever fits into JSON."""


def busy(seed: int, resting: int = 200) -> Exchange:
    """A random state: deep books, one of them halted, replaced orders, dated ones, positions."""
    exchange = Exchange(MARKETS)
    for command in Workload(seed).commands(200):
        exchange.apply(command)
    for symbol in ("DARK", "EMPTY"):
        exchange.apply(CreateMarket(Market(symbol, title='Zoë\'s "own"')))
    for symbol in exchange.books:
        exchange.apply(ResumeMarket(symbol))
    chance = random.Random(seed)
    for order_id in range(1000, 1000 + resting):
        side = chance.choice(list(Side))
        away = chance.randint(10, 60)
        dated = chance.random() < 0.2
        exchange.apply(
            order(
                *(100 - away if side is Side.BUY else 100 + away, chance.randint(2, 9), side),
                order_id=order_id,
                market=chance.choice(("MAIN", "DARK")),
                trader=chance.choice(NAMES),
                timestamp=chance.randrange(2**62),
                time_in_force=TimeInForce.GTD if dated else TimeInForce.GTC,
                expires_at=2**63 - 1 - order_id if dated else 0,
                post_only=chance.random() < 0.2,
                client_order_id=chance.choice(("", "mine", '"\\é')),
                self_trade_prevention=chance.choice(list(SelfTradePrevention)),
            )
        )
        if chance.random() < 0.3:
            exchange.apply(
                ReplaceOrder(
                    order_id=chance.randint(1000, order_id),
                    qty=chance.choice((None, 1, 30)),
                    price=chance.choice((None, 45, 155)),
                )
            )
    for n, symbol in enumerate(("MAIN", "DARK")):
        for side in Side:
            # What it takes leaves somebody partly filled.
            exchange.apply(
                order(*(1 if side is Side.SELL else 500, 10, side), order_id=900 + n, market=symbol)
            )
    exchange.apply(HaltMarket("DARK"))
    assert len(exchange.orders) > resting / 2
    exchange.seq = SEQ
    return exchange


def grown(orders: int, markets: Sequence[str] = ("MAIN", "RAIN")) -> Exchange:
    """So many orders, one after the other, in markets by turns; the same whoever asks."""
    exchange = Exchange([Market(symbol) for symbol in markets])
    for n in range(1, orders + 1):
        market = markets[n % len(markets)]
        exchange.apply(order(n % 40 + 1, n, order_id=n, market=market, trader=f"t{n % 3}"))
    return exchange


def rich() -> Exchange:
    """Trades of the largest orders: totals beyond what 64 bits hold."""
    exchange = Exchange()
    for n in range(1, 101, 2):
        for order_id, side in ((n, Side.SELL), (n + 1, Side.BUY)):
            exchange.apply(order(HUGE, HUGE, side, order_id=order_id, trader=side.value))
    exchange.apply(order(HUGE, HUGE, order_id=101))
    assert exchange.position("sell").cash > 2**64
    return exchange


def head_of(replica: Replica, order_id: int = 0) -> Header:
    return Header(replica.seq, replica.chain, replica.epoch, order_id, 1_700_000_000_000)


async def point_at(link: Link, keys: Keys, seq: int, chain: str = "c") -> None:
    """Makes this the journal's tip."""
    await link.call("HSET", keys.cursor, "seq", seq, "chain", chain, "epoch", 1)


async def write(link: Link, keys: Keys, exchange: Exchange, head: Header = HEAD) -> None:
    """Writes a snapshot, and makes its place the journal's tip."""
    await point_at(link, keys, head.seq, head.chain)
    await write_snapshot(link, keys, "a", head, dump_parts(exchange))


async def write_as_version_1(link: Link, keys: Keys, head: Header, exchange: Exchange) -> None:
    """A snapshot as the program before this one wrote it: its parts plain JSON."""
    parts = [msgspec.json.encode(part) for part in dump_parts(exchange)]
    crc = 0
    for raw in parts:
        crc = zlib.crc32(raw, crc)
    head = sealed(msgspec.structs.replace(head, version=1), len(parts), crc)
    await put_snapshot(link, keys, head.seq, [*parts, msgspec.json.encode(head)])


async def put_snapshot(link: Link, keys: Keys, seq: int, elements: Sequence[bytes]) -> None:
    """Puts these in the place of a snapshot, listed as whole."""
    await link.call("DEL", keys.snapshot(seq))
    if elements:
        await link.call("RPUSH", keys.snapshot(seq), *elements)
    await link.call("ZADD", keys.snapshots, seq, seq)


async def elements_of(link: Link, keys: Keys, seq: int) -> list[bytes]:
    """A snapshot's parts and its header."""
    return list(await link.call("LRANGE", keys.snapshot(seq), 0, -1))
