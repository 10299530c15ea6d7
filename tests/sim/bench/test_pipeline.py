"""The benchmark of the pipeline: what is sent, seen and counted, and its rows."""

from collections.abc import Iterator

import pytest

from matchbox_tui.engine import Exchange, NewOrder, TradeExecuted, decode_command, encode_command
from matchbox_tui.store import QUEUE_LIMIT, EmbeddedServer, Keys
from sim.bench.counting import Count
from sim.bench.line_jobs import (
    AddJob,
    Done,
    OriginalJob,
    PingJob,
    Produced,
    ProduceJob,
    Seen,
    SeenJob,
    WatchJob,
)
from sim.bench.line_venue import OFF, LineVenue, Run, open_line
from sim.bench.line_worker import LineWorker
from sim.bench.orders import make_orders
from sim.bench.original import BOOK, QUEUE, Book
from sim.bench.pipeline import bench_pipeline
from sim.bench.producing import ORDERS, Producer
from sim.bench.report import Plan
from sim.bench.wire import Wire

KEYS = Keys()
MS = 1_000_000


@pytest.fixture
def alone() -> Iterator[EmbeddedServer]:
    """A server of a test's own, for the benchmark's venues have the plain names."""
    with EmbeddedServer() as server:
        yield server


@pytest.fixture
def wire(alone: EmbeddedServer) -> Iterator[Wire]:
    connected = Wire(alone.url)
    yield connected
    connected.close()


def produced(job: ProduceJob) -> Produced:
    outcome = LineWorker().work(job)
    assert isinstance(outcome, Produced)
    return outcome


async def test_a_tiny_run_loses_nothing_and_compares_everything() -> None:
    said: list[str] = []
    report = await bench_pipeline(Plan(rounds=1, seconds=0.1), said.append)
    assert report.problems == []
    assert len(said) == 1
    rows = {(row.what, row.against): row for row in report.rows}
    assert len(rows) == len(report.rows) == 18
    for how in ("off", "everysec", "always"):
        for other in ("XADD, 256 in flight", "the original's loop"):
            row = rows[f"saturated, append-only {how}", other]
            assert row.value > 0
            assert row.ratio == pytest.approx(row.value / (row.base or 0), rel=0.01, abs=0.001)
            assert row.goal
    twice = rows["at twice that, always", "offered"]
    assert twice.more["refused"] > 0
    assert 0 < twice.more["most queued"] <= QUEUE_LIMIT
    for row in report.rows:
        if row.what.startswith(("lone", "at 60%")):
            assert row.latency is not None
            assert 0 < row.latency.p50 <= row.latency.p99 <= row.more["p99.9 ms"]
    assert [row.what for row in report.rows if row.what.endswith(" adds")] == [
        "the sync at every write adds",
        "the collector adds",
    ]


async def test_every_order_is_seen_in_its_place_and_timed() -> None:
    async with open_line(OFF) as venue:
        full = await venue.run(ProduceJob(venue.url, 0.1, 64, 0, QUEUE_LIMIT, 512))
        lone = await venue.run(ProduceJob(venue.url, 0.1, 1, 500, QUEUE_LIMIT))
        assert venue.wrong == []
        # The window is looked at after each call.
        assert full.orders % 64 == 0
        assert 0 < full.most_queued <= 512 + 64
        assert len(full.times) == full.orders / 64
        assert (lone.orders, lone.refused, len(lone.times)) == (50, 0, 50)
        assert min(full.times + lone.times) > 0
        assert 0.09 < lone.seconds < 30
        with Told(venue) as told:
            told.check(Produced(10, 0, 0, 1.0, [], []), 10, Count(9, 0, []))
            assert told.words == ["10 orders were acknowledged, 9 are in the journal"]
            told.check(Produced(10, 0, 0, 1.0, [], []), 8, Count(10, 0, []))
            assert told.words[1:] == [
                f"the subscriber saw up to {told.seq + 8}, not {told.seq + 10}"
            ]


class Told:
    """What a venue complains of."""

    def __init__(self, venue: LineVenue) -> None:
        self._venue = venue
        self.seq = venue._seq

    @property
    def words(self) -> list[str]:
        return self._venue.wrong

    def check(self, done: Produced, seen: int, count: Count) -> None:
        self._venue._check(done, Seen([(self.seq + seen, 1)]), count)

    def __enter__(self) -> "Told":
        return self

    def __exit__(self, *_: object) -> None:
        self._venue.wrong = []


def test_times_are_from_a_call_to_its_last_order() -> None:
    done = Produced(6, 2, 0, 2.0, [(2, 1 * MS), (5, 2 * MS), (6, 3 * MS)], [])
    run = Run(done, Seen([(101, 4 * MS), (104, 7 * MS), (106, 9 * MS)]), 100)
    assert run.times == [6 * MS, 7 * MS, 6 * MS]
    assert (run.orders, run.refused, run.offered) == (6, 2, 4.0)
    assert run.seconds == 0.009
    assert run.rate == pytest.approx(6 / 0.009)
    # What was not seen has no time.
    assert Run(done, Seen([(104, 7 * MS)]), 100).times == [6 * MS]
    assert Run(done, Seen([]), 100).rate == 0


def test_a_full_queue_refuses_what_is_counted(alone: EmbeddedServer, wire: Wire) -> None:
    done = produced(ProduceJob(alone.url, 0.1, 100, 50_000, 1000))
    assert done.wrong == []
    assert done.orders + done.refused == 5000
    # No call of up to a hundred fitted any more.
    assert 900 < done.orders <= 1000
    assert done.sent[-1][0] == done.orders
    queued = [decode_command(raw) for raw in wire.call("LRANGE", KEYS.queue, 0, -1)]
    assert len(queued) == done.orders
    for number, (order, made) in enumerate(zip(queued, make_orders(ORDERS, 1), strict=False), 1):
        assert isinstance(order, NewOrder)
        assert order.order_id == number
        # Beyond that calls were refused, and smaller ones that came later were not.
        if number <= 900:
            assert (order.side, order.price, order.qty) == (made.side, made.price, made.qty)


def test_a_refusal_for_another_reason_is_wrong(alone: EmbeddedServer, wire: Wire) -> None:
    wire.call("SET", KEYS.queue, "no list")
    done = produced(ProduceJob(alone.url, 0.05, 100, 2000, 1000))
    assert (done.orders, done.refused) == (0, 100)
    assert done.wrong[0].startswith("refused for no reason: ")


def test_an_id_that_is_not_the_next_one_is_wrong(alone: EmbeddedServer) -> None:
    producer = Producer(ProduceJob(alone.url, 0.1, 2, 100, 1000))
    for ids in ([8, 9], [10, 11], [13, 14], [15, 17]):
        producer._waiting.append((2, 0))
        producer._take([ids])
    assert producer._wrong == [
        "orders got the ids [13, 14]..., not 12 and on",
        "orders got the ids [15, 17]..., not 15 and on",
    ]


def test_a_watch_tells_what_came_since_it_was_asked(alone: EmbeddedServer, wire: Wire) -> None:
    wire.call("XADD", KEYS.log, "3-0", "b", "[]")
    worker = LineWorker()
    worker.work(WatchJob(alone.url))
    wire.call("XADD", KEYS.log, "5-0", "b", "[]")
    first = worker.work(SeenJob(5, 30))
    assert isinstance(first, Seen)
    wire.call("XADD", KEYS.log, "6-0", "b", "[]")
    wire.call("XADD", KEYS.log, "9-0", "b", "[]")
    second = worker.work(SeenJob(9, 30))
    assert isinstance(second, Seen)
    assert [seq for seq, _ in first.entries + second.entries] == [5, 6, 9]
    times = [at for _, at in first.entries + second.entries]
    assert times == sorted(times)
    assert worker.work(SeenJob(10, 0.01)) == Seen([])


def test_the_server_s_own_rates_leave_nothing_behind(alone: EmbeddedServer, wire: Wire) -> None:
    worker = LineWorker()
    pings, added = (
        worker.work(PingJob(alone.url, 0.05, 1000)),
        worker.work(AddJob(alone.url, 0.05, 16)),
    )
    assert isinstance(pings, Done)
    assert isinstance(added, Done)
    assert pings.count == len(pings.times) == 50
    assert added.count % 16 == 0
    assert added.rate > 0
    assert wire.call("DBSIZE") == 0


def test_the_original_s_loop_trades_as_the_engine_does(alone: EmbeddedServer, wire: Wire) -> None:
    book, exchange = Book(), Exchange()
    for number, order in enumerate(make_orders(300, 5), 1):
        message = decode_command(encode_command(order).replace(b'"id":1,', b'"id":%d,' % number))
        trades = [one for one in exchange.apply(message) if isinstance(one, TradeExecuted)]
        fills = book.match(
            {
                "id": number,
                "side": order.side.value,
                "price": order.price,
                "qty": order.qty,
                "timestamp": order.timestamp,
            }
        )
        assert [(one["maker_order_id"], one["price"], one["qty"]) for one in fills] == [
            (one.maker_order_id, one.price, one.qty) for one in trades
        ]
    shown, real = book.shown(), exchange.book().snapshot()
    for name, levels in (("bids", real.bids), ("asks", real.asks)):
        assert shown[name] == [{"price": one.price, "qty": one.qty} for one in levels]
    done = LineWorker().work(OriginalJob(alone.url, 0.1, 1000))
    assert isinstance(done, Done)
    assert 0 < done.count <= 1000
    assert wire.call("EXISTS", QUEUE, BOOK) == 0
