"""Many callers and one connection: who shares a call, and what each is told when it fails."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from matchbox_tui.api import submitter as module
from matchbox_tui.api.meter import SIZES, Histogram
from matchbox_tui.api.submitter import Submitter
from matchbox_tui.engine import CancelOrder, NewOrder, decode_command
from matchbox_tui.store import (
    Client,
    InDoubt,
    Keys,
    Link,
    Overloaded,
    Refused,
    Server,
    StoreError,
    Unreachable,
)
from matchbox_tui.store import client as client_module
from tests.servers import OwnServer
from tests.store.build import buy, queued
from tests.waiting import eventually


def calls(sizes: Histogram) -> int:
    return sum(sizes.counts)


@pytest.fixture
def sizes() -> Histogram:
    return Histogram(SIZES)


@pytest.fixture
async def submitter(client: Client, sizes: Histogram) -> AsyncIterator[Submitter]:
    made = Submitter(client, sizes)
    yield made
    await made.finish()


@pytest.fixture(autouse=True)
async def nothing_unheard() -> AsyncIterator[None]:
    """No exception is lost: asyncio would tell of it only when it throws the future away."""
    heard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    yield
    gc.collect()
    await asyncio.sleep(0)
    assert heard == []


async def test_requests_that_come_together_share_calls(
    submitter: Submitter, sizes: Histogram, link: Link, keys: Keys
) -> None:
    requests = [[buy(50 + n, trader=f"t{n}")] * (1 + n % 5) for n in range(200)]
    answers = await asyncio.gather(*(submitter.submit(request) for request in requests))
    ids = [order_id for answer in answers for order_id in answer]
    assert [len(answer) for answer in answers] == [len(request) for request in requests]
    assert ids == list(range(1, len(ids) + 1))
    in_queue = {order.order_id: order.trader for order in await queued(link, keys)}
    for number, answer in enumerate(answers):
        assert {in_queue[order_id] for order_id in answer} == {f"t{number}"}
    assert calls(sizes) < 5
    assert sizes.total == len(ids)


async def test_what_one_caller_asks_for_in_turn_stays_in_turn(
    submitter: Submitter, link: Link, keys: Keys
) -> None:
    async def caller(name: str) -> None:
        for number in range(20):
            (order_id,) = await submitter.submit([buy(1 + number, trader=name)])
            assert await submitter.submit([CancelOrder(order_id)]) == [0]

    await asyncio.gather(*(caller(f"t{n}") for n in range(10)))
    seen: dict[str, list[int]] = {}
    orders: dict[int, str] = {}
    for command in await queued(link, keys):
        if isinstance(command, NewOrder):
            orders[command.order_id] = command.trader
            seen.setdefault(command.trader, []).append(command.price)
        else:
            seen[orders[command.order_id]].append(-1)
    assert set(seen) == {f"t{n}" for n in range(10)}
    assert all(
        kinds == [kind for n in range(20) for kind in (1 + n, -1)] for kinds in seen.values()
    )


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_request_has_a_size(submitter: Submitter, count: int) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        await submitter.submit([buy()] * count)
    assert await submitter.submit([buy()]) == [1]


async def test_a_request_is_queued_whole_or_not_at_all(
    submitter: Submitter, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "QUEUE_LIMIT", 10)
    assert len(await submitter.submit([buy()] * 8)) == 8
    with pytest.raises(Overloaded):
        await submitter.submit([buy()] * 3)
    assert len(await submitter.submit([buy()] * 2)) == 2
    assert len(await queued(link, keys)) == 10


async def test_a_caller_that_leaves_before_its_turn_queues_nothing(
    submitter: Submitter, link: Link, keys: Keys
) -> None:
    under_way = asyncio.ensure_future(submitter.submit([buy(1)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving = asyncio.ensure_future(submitter.submit([buy(2)]))
    staying = asyncio.ensure_future(submitter.submit([buy(3)]))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await under_way == [1]
    assert await staying == [2]
    assert [order.price for order in await queued(link, keys)] == [1, 3]
    assert leaving.cancelled()


async def test_a_caller_that_leaves_during_its_call_harms_nobody(
    submitter: Submitter, link: Link, keys: Keys
) -> None:
    leaving = asyncio.ensure_future(submitter.submit([buy(1)]))
    staying = asyncio.ensure_future(submitter.submit([buy(2)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == [2]
    assert await submitter.submit([buy(3)]) == [3]
    assert [order.price for order in await queued(link, keys)] == [1, 2, 3]


async def test_a_request_that_the_server_refuses_does_not_take_others_with_it(
    submitter: Submitter, link: Link, keys: Keys
) -> None:
    await link.call("SET", keys.client_order("eve", "x"), "no number")
    bad = buy(99, trader="eve", client_order_id="x")
    requests = [[buy(n)] for n in range(1, 6)] + [[buy(6), bad]] + [[buy(n)] for n in range(7, 11)]
    answers = await asyncio.gather(
        *(submitter.submit(request) for request in requests), return_exceptions=True
    )
    assert isinstance(answers[5], Refused)
    good = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert sorted(order_id for answer in good for order_id in answer) == list(range(1, 10))
    assert [order.price for order in await queued(link, keys)] == [1, 2, 3, 4, 5, 7, 8, 9, 10]


async def test_a_request_that_no_text_can_hold_does_not_take_others_with_it(
    submitter: Submitter,
) -> None:
    bad = buy(99, trader="\ud800", client_order_id="x")
    answers = await asyncio.gather(
        submitter.submit([buy(1)]),
        submitter.submit([bad]),
        submitter.submit([buy(2)]),
        return_exceptions=True,
    )
    assert answers[0] == [1]
    assert isinstance(answers[1], ValueError)
    assert answers[2] == [2]


async def test_where_all_are_refused_not_each_is_tried(
    submitter: Submitter, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    await link.call("SET", keys.order_id, "no number")
    tried: list[int] = []
    submit = submitter._client.submit

    async def counted(commands: Any) -> list[int]:
        tried.append(len(commands))
        return await submit(commands)

    monkeypatch.setattr(submitter._client, "submit", counted)
    answers = await asyncio.gather(
        *(submitter.submit([buy(n)]) for n in range(1, 101)), return_exceptions=True
    )
    assert all(isinstance(answer, Refused) for answer in answers)
    assert sum(tried) < 110
    await link.call("DEL", keys.order_id)
    assert await submitter.submit([buy()]) == [1]


# The server hangs, goes away, and comes back.


@pytest.fixture
def own() -> Iterator[OwnServer]:
    with TemporaryDirectory(prefix="mb", dir="/tmp") as name, OwnServer(Path(name)) as server:
        yield server


class Hanging:
    """A submitter on a server that can be stopped and let go on."""

    def __init__(self, own: OwnServer) -> None:
        self.own = own
        self.keys = Keys("")
        self.client = Client(Server(own.url, timeout_s=0.6), self.keys)
        self.submitter = Submitter(self.client, Histogram(SIZES))
        self.link = Server(own.url, timeout_s=10).link("matchbox-test")

    def submit(self, price: int) -> "asyncio.Task[list[int]]":
        return asyncio.ensure_future(self.submitter.submit([buy(price)]))

    async def prices(self) -> list[int]:
        found = await self.link.call("LRANGE", self.keys.queue, 0, -1)
        return [order.price for order in map(decode_command, found) if isinstance(order, NewOrder)]

    async def healed(self) -> None:
        async def takes() -> bool:
            try:
                await self.submitter.submit([buy(777)])
            except StoreError:
                return False
            return True

        await eventually(takes)


@pytest.fixture
async def hanging(own: OwnServer) -> AsyncIterator[Hanging]:
    made = Hanging(own)
    await made.submitter.submit([buy(1)])
    yield made
    await made.submitter.finish()
    await made.client.close()
    await made.link.close()


async def outcome(task: "asyncio.Task[list[int]]") -> type:
    try:
        await task
    except StoreError as error:
        return type(error)
    return list


async def test_a_server_that_hangs(hanging: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    submit = hanging.client.submit

    async def counted(commands: Any) -> list[int]:
        asked.append(len(commands))
        return await submit(commands)

    monkeypatch.setattr(hanging.client, "submit", counted)
    hanging.own.signal(signal.SIGSTOP)
    first = hanging.submit(10)
    await asyncio.sleep(0.01)
    waiting = [hanging.submit(20 + n) for n in range(30)]
    assert await outcome(first) is InDoubt
    # Their turn has not come, and they don't each wait for one that hangs as well.
    assert {await outcome(task) for task in waiting} == {Unreachable}
    assert asked == [1]
    probe = hanging.submit(60)
    await asyncio.sleep(module.HANGING_SECONDS * 1.5)
    assert await outcome(hanging.submit(61)) is Unreachable
    assert not probe.done()
    hanging.own.signal(signal.SIGCONT)
    taken = await outcome(probe)
    await hanging.healed()
    prices = await hanging.prices()
    assert prices.count(10) <= 1
    assert not set(range(20, 51)) & set(prices)
    assert prices.count(60) == (taken is list)
    assert 61 not in prices


async def test_those_who_wait_behind_a_probe_are_told_before_it_ends(hanging: Hanging) -> None:
    hanging.own.signal(signal.SIGSTOP)
    assert await outcome(hanging.submit(10)) is InDoubt
    probe = hanging.submit(11)
    behind = [hanging.submit(20 + n) for n in range(5)]
    assert {await outcome(task) for task in behind} == {Unreachable}
    assert not probe.done()
    assert await outcome(probe) is Unreachable
    hanging.own.signal(signal.SIGCONT)
    await hanging.healed()
    assert not {11, 20, 21, 22, 23, 24} & set(await hanging.prices())


async def test_a_server_that_is_killed_and_comes_back(hanging: Hanging) -> None:
    hanging.own.kill()
    assert {await outcome(hanging.submit(10 + n)) for n in range(5)} <= {Unreachable, InDoubt}
    hanging.own.start()
    await hanging.healed()
    answers = await asyncio.gather(*(hanging.submit(30 + n) for n in range(20)))
    assert len({order_id for answer in answers for order_id in answer}) == 20
    prices = await hanging.prices()
    assert [price for price in prices if price != 777] == [1, *range(30, 50)]


async def test_a_connection_that_is_cut_costs_those_who_wait_nothing(hanging: Hanging) -> None:
    await hanging.link.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    first = hanging.submit(10)
    waiting = [hanging.submit(20 + n) for n in range(30)]
    assert await outcome(first) in (list, InDoubt)
    assert {await outcome(task) for task in waiting} <= {list, InDoubt}
    await hanging.healed()
    prices = await hanging.prices()
    assert len(prices) == len(set(prices))


async def test_too_many_that_wait_are_refused(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 25)
    hanging.own.signal(signal.SIGSTOP)
    under_way = hanging.submit(10)
    await asyncio.sleep(0.01)
    waiting = [hanging.submit(20 + n) for n in range(25)]
    await asyncio.sleep(0)
    assert await outcome(hanging.submit(60)) is Overloaded
    hanging.own.signal(signal.SIGCONT)
    await asyncio.wait((under_way, *waiting))
    for task in waiting:
        await outcome(task)
    await outcome(under_way)
    assert 60 not in await hanging.prices()


async def test_the_end_waits_for_what_was_taken(submitter: Submitter) -> None:
    taken = [asyncio.ensure_future(submitter.submit([buy(n)] * 400)) for n in range(1, 6)]
    await asyncio.sleep(0)
    await submitter.finish()
    await asyncio.sleep(0)
    assert all(task.done() for task in taken)
    assert sum([len(await task) for task in taken]) == 2000


async def test_the_loops_end_leaves_nobody_waiting(hanging: Hanging) -> None:
    hanging.own.signal(signal.SIGSTOP)
    under_way = hanging.submit(10)
    await asyncio.sleep(0.01)
    waiting = hanging.submit(11)
    await asyncio.sleep(0)
    sending = hanging.submitter._sending
    assert sending is not None
    sending.cancel()
    await asyncio.wait((under_way, waiting))
    assert under_way.cancelled()
    assert waiting.cancelled()
    hanging.own.signal(signal.SIGCONT)
    await hanging.healed()
