"""The load generator counts what it was answered, and believes nothing that can't be."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from sim.bench import http_load
from sim.bench.http_load import split
from sim.bench.jobs import GetJob, OrdersJob
from tests.servers import listening

SECONDS = 0.2

Answer = Callable[[int, bytes], bytes | None]
"""What the server says to its n-th request, from 1 on; None hangs up."""


def said(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} Words\r\ncontent-type: x\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server's port, and the bodies that it was sent."""
    bodies: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            _, _, rest = head.partition(b"Content-Length: ")
            bodies.append(await reader.readexactly(int(rest.split(b"\r\n")[0] or b"0")))
            reply = answer(len(bodies), head)
            if reply is None:
                return
            # In two parts, as it may well come.
            writer.write(reply[:30])
            await asyncio.sleep(0)
            writer.write(reply[30:])

    async with listening(talk) as port:
        yield port, bodies


def orders(port: int, batch: int = 0) -> OrdersJob:
    return OrdersJob(port, 1, SECONDS, 1, batch)


async def test_requests_are_counted_and_timed() -> None:
    async with answering(lambda n, head: said(200, b"{}")) as (port, bodies):
        load = await http_load.get(GetJob(port, "/hello", 3, SECONDS))
    assert load.requests == len(bodies) > 3
    assert load.orders == 0
    assert (load.refused, load.wrong) == (0, [])
    assert load.seconds >= SECONDS
    assert load.latency is not None


async def test_orders_are_counted_by_their_ids() -> None:
    def answer(n: int, head: bytes) -> bytes:
        assert head.startswith(b"POST /orders HTTP/1.1\r\n")
        return said(201, b'{"order_id":%d}' % n)

    async with answering(answer) as (port, bodies):
        load = await http_load.place(orders(port))
    assert load.orders == load.requests == len(bodies)
    assert load.wrong == []
    assert {json.loads(body)["side"] for body in bodies} == {"buy", "sell"}


async def test_orders_of_a_batch_are_counted_one_by_one() -> None:
    def answer(n: int, head: bytes) -> bytes:
        assert head.startswith(b"POST /orders/batch HTTP/1.1\r\n")
        return said(201, json.dumps({"order_ids": [3 * n, 3 * n + 1, 3 * n + 2]}).encode())

    async with answering(answer) as (port, bodies):
        load = await http_load.place(orders(port, batch=3))
    assert load.orders == 3 * load.requests == 3 * len(bodies)
    assert load.wrong == []
    assert all(len(json.loads(body)["orders"]) == 3 for body in bodies)


@pytest.mark.parametrize(
    ("batch", "status", "body", "words"),
    [
        (0, 201, b'{"order_id":7}', "order id 7 came after 7"),
        (0, 201, b'{"id":7}', "missing required field"),
        (0, 201, b"[]", "Expected `object`"),
        (0, 200, b'{"order_id":7}', 'answered 200 {"order_id":7}'),
        (0, 422, b'{"error":"no"}', 'answered 422 {"error":"no"}'),
        (0, 500, b"", "answered 500"),
        (2, 201, b'{"order_ids":[5]}', "answered 1 ids to 2 orders"),
        (2, 201, b'{"order_ids":[6,5]}', "order id 5 came after 6"),
    ],
)
async def test_a_wrong_answer_is_told(batch: int, status: int, body: bytes, words: str) -> None:
    async with answering(lambda n, head: said(status, body)) as (port, _):
        load = await http_load.place(orders(port, batch))
    assert any(words in line for line in load.wrong), load.wrong
    assert len(load.wrong) <= 5


async def test_what_is_to_come_again_later_is_refused_and_not_wrong() -> None:
    def answer(n: int, head: bytes) -> bytes:
        return said(503, b"{}") if n < 3 else said(201, b'{"order_id":%d}' % n)

    async with answering(answer) as (port, bodies):
        load = await http_load.place(orders(port))
    assert load.refused == 2
    assert load.orders == len(bodies) - 2 > 0
    assert load.wrong == []


async def test_a_lost_connection_is_told() -> None:
    def answer(n: int, head: bytes) -> bytes | None:
        return said(201, b'{"order_id":%d}' % n) if n < 4 else None

    async with answering(answer) as (port, _):
        load = await http_load.place(orders(port))
    assert load.orders == 3
    assert load.wrong == ["a connection was lost: closed by the server"]


async def test_an_answer_that_never_comes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_load, "ANSWER_SECONDS", 0.1)
    async with answering(lambda n, head: b"") as (port, _):
        load = await http_load.place(orders(port))
    assert (load.requests, load.orders, load.latency) == (0, 0, None)
    assert load.wrong == ["1 requests were not answered"]


def test_an_answer_is_taken_when_it_is_whole() -> None:
    whole = said(201, b'{"order_id":1}')
    assert split(whole) == (b"201", b'{"order_id":1}')
    assert split(said(204, b"")) == (b"204", b"")
    for length in range(len(whole)):
        assert split(whole[:length]) is None
