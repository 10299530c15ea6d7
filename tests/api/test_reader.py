"""The view keeps at the journal's tip, whatever becomes of the server and of the journal."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from matchbox_tui.api import Gateway
from matchbox_tui.api import reader as module
from matchbox_tui.api.view import Update
from matchbox_tui.engine import Event, Side
from matchbox_tui.store import Client, Keys, Server, StoreError
from tests.node.backups import Backup
from tests.node.venue import QUIET, Venue, buy, order, sell
from tests.servers import OwnServer
from tests.waiting import eventually


@contextlib.asynccontextmanager
async def reading(url: str, prefix: str, timeout_s: float = 1.5) -> AsyncIterator[Gateway]:
    client = Client(Server(url, timeout_s), Keys(prefix), "api")
    gateway = Gateway(client)
    task = asyncio.ensure_future(gateway.run())
    try:
        await gateway.reader.caught_up.wait()
        yield gateway
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()


@pytest.fixture
async def gateway(led: Venue) -> AsyncIterator[Gateway]:
    async with reading(led.url, led.prefix) as made:
        yield made


async def shows_all(gateway: Gateway, venue: Venue) -> None:
    """Waits until the view is what the journal says, order by order."""
    await venue.handled()
    expected = await venue.restored()

    async def tip() -> object:
        return gateway.view.replica.tip

    await eventually(tip, lambda seen: seen == expected.tip)
    assert gateway.view.exchange.state_hash() == expected.exchange.state_hash()
    for order_id, resting in expected.exchange.orders.items():
        record = gateway.view.orders.get(order_id)
        assert record is not None
        assert (record.status, record.leaves_qty) == ("open", resting.leaves_qty)


async def age_is(gateway: Gateway, low: int, high: int) -> None:
    async def age() -> int:
        return gateway.reader.age_ms or 0

    await eventually(age, lambda ms: low <= ms <= high)


async def test_it_follows(gateway: Gateway, led: Venue) -> None:
    for price in range(40, 60):
        await led.client.submit([buy(price), sell(price + 5)])
        await shows_all(gateway, led)
    assert gateway.reader.lag == 0


async def test_a_tip_that_was_ahead_is_known_to_be_reached(
    led: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under load the tip that is asked for is always ahead; asking again would not help."""
    await led.client.submit([buy(50)] * 20)
    await led.handled()
    monkeypatch.setattr(module, "PULSE_SECONDS", 3600)
    async with reading(led.url, led.prefix) as gateway:
        assert gateway.view.seq == (await led.client.cluster()).seq
        before = gateway.reader._fresh_at
        async with gateway.client._following._lock:
            await led.client.submit([buy(51)] * 5)
            await led.handled()
            assert (await gateway.cluster()).seq > gateway.view.seq
            assert gateway.reader.lag > 0
            assert gateway.reader._fresh_at == before
        await shows_all(gateway, led)
        assert gateway.reader.lag == 0
        assert gateway.reader._fresh_at != before


async def test_a_tip_that_is_lost_is_waited_for_no_longer(
    led: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PULSE_SECONDS", 0.05)
    async with reading(led.url, led.prefix) as gateway:
        await led.client.submit([buy(50)])
        await shows_all(gateway, led)
        gateway.reader._goal = 1000, 0.0
        before = gateway.reader._fresh_at

        async def fresher() -> bool:
            return gateway.reader._fresh_at != before

        await eventually(fresher)


async def test_a_store_that_was_set_back_and_went_another_way(gateway: Gateway, led: Venue) -> None:
    resets: list[int] = []
    gateway.view.on_reset.append(lambda: resets.append(gateway.view.seq))
    await led.client.submit([buy(50), sell(60)])
    await shows_all(gateway, led)
    backup = await Backup.of(led.link, led.prefix)
    await gateway.place([order(40 + n) for n in range(8)])
    await shows_all(gateway, led)
    lost = gateway.view.orders.get(10)
    assert lost is not None
    await led.stop()
    await backup.restore()
    assert not resets
    await led.lead("b", settings=QUIET)
    await led.client.submit([buy(51, 7)])
    await shows_all(gateway, led)
    assert resets
    # What the lost history told of is told no longer.
    assert gateway.view.orders.get(10) is None
    assert [record.price for record in gateway.view.orders.after(0)] == [50, 60, 51]


async def test_an_acknowledged_order_that_the_store_lost_is_forgotten(
    gateway: Gateway, led: Venue
) -> None:
    """It is in nobody's journal and in no queue: no read may go on calling it pending."""
    await led.client.submit([buy(50)])
    await shows_all(gateway, led)
    await led.stop()
    (placed,) = await gateway.place([order(45)])
    waiting = await gateway.order(placed.order_id)
    assert waiting is not None
    assert waiting.status == "pending"
    await led.link.call("DEL", led.keys.queue)
    await led.lead("b", settings=QUIET)
    (later,) = await gateway.place([order(46)])
    await shows_all(gateway, led)
    assert await gateway.order(placed.order_id) is None
    known = await gateway.order(later.order_id)
    assert known is not None
    assert known.status == "open"


async def test_a_journal_that_was_trimmed_past_the_view(gateway: Gateway, led: Venue) -> None:
    await led.client.submit([buy(50)])
    await shows_all(gateway, led)
    follow = gateway.client._following
    async with follow._lock:
        for price in range(30, 40):
            await led.client.submit([buy(price), order(90 - price, 3, Side.SELL)])
            await led.handled()
        last = await led.snapshot()
        await led.link.call("XTRIM", led.keys.log, "MINID", f"{last}-0")
        assert gateway.view.seq < last
    await led.client.submit([buy(51)])
    await shows_all(gateway, led)


async def test_a_listener_that_fails_stops_no_reading(
    gateway: Gateway, led: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []
    resets: list[str] = []

    def fails(_: Update) -> None:
        raise ZeroDivisionError

    def fails_at_events(_: Event) -> None:
        raise KeyError

    def fails_again() -> None:
        resets.append("fails")
        raise ZeroDivisionError

    view = gateway.view
    view.on_event.append(fails_at_events)
    view.on_update += [fails, lambda update: heard.append(update.seq)]
    view.on_reset += [fails_again, lambda: resets.append("whole")]
    with caplog.at_level(logging.CRITICAL):
        for price in (50, 51):
            await led.client.submit([buy(price)])
            await shows_all(gateway, led)
    assert heard == sorted(set(heard))
    assert heard[-1] == view.seq
    assert resets.count("whole") == resets.count("fails") >= 4


async def test_the_leaders_restart_is_only_more_of_the_journal(
    gateway: Gateway, led: Venue
) -> None:
    for name in ("b", "c"):
        await led.client.submit([buy(50), sell(55)])
        await shows_all(gateway, led)
        await led.stop()
        await led.lead(name, settings=QUIET)
    await led.client.submit([buy(49)])
    await shows_all(gateway, led)


# The server goes away and comes back.


@pytest.fixture
def own() -> Iterator[OwnServer]:
    with TemporaryDirectory(prefix="mb", dir="/tmp") as name, OwnServer(Path(name)) as server:
        yield server


@pytest.fixture
async def away(own: OwnServer) -> AsyncIterator[Venue]:
    client = Client(Server(own.url), Keys(""))
    link = Server(own.url, timeout_s=10).link("matchbox-test")
    venue = Venue(own.url, "", client, link)
    await venue.lead("a", settings=QUIET)
    yield venue
    await venue.stop()
    await client.close()
    await link.close()


async def test_a_server_that_hangs(own: OwnServer, away: Venue) -> None:
    async with reading(own.url, "", timeout_s=0.3) as gateway:
        await away.client.submit([buy(50)])
        await shows_all(gateway, away)
        own.signal(signal.SIGSTOP)
        try:
            await age_is(gateway, 900, 30_000)
            assert gateway.view.exchange.book().best_bid == 50
        finally:
            own.signal(signal.SIGCONT)
        await age_is(gateway, 0, 600)
        await eventually(lambda: submitted(away), bool)
        await shows_all(gateway, away)


async def test_a_server_that_is_killed_and_comes_back(own: OwnServer, away: Venue) -> None:
    async with reading(own.url, "", timeout_s=0.3) as gateway:
        await away.client.submit([buy(50)])
        await shows_all(gateway, away)
        own.kill()
        await age_is(gateway, 900, 30_000)
        own.start()
        await eventually(lambda: submitted(away), bool)
        await shows_all(gateway, away)
        await age_is(gateway, 0, 600)


async def submitted(venue: Venue) -> bool:
    try:
        await venue.client.submit([buy(47)])
    except StoreError:
        return False
    return True
