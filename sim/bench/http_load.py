"""Load over HTTP, with as little of our own in the way as Python allows.

Requests are bytes that were made beforehand; of an answer only status and body are looked at.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from sim.bench.figures import latency
from sim.bench.jobs import GetJob, Load, OrdersJob
from sim.bench.orders import make_orders

REQUESTS_MADE = 32
"""Requests a connection has ready, and sends in turn."""

ANSWER_SECONDS = 10.0
"""How long an answer may take after the last request."""

REFUSED_SECONDS = 0.05
"""The pause of a connection that was told to come again later."""

WRONG_TOLD = 5


class _Placed(msgspec.Struct):
    order_id: int


class _AllPlaced(msgspec.Struct):
    order_ids: list[int]


_placed = msgspec.json.Decoder(_Placed)
_all_placed = msgspec.json.Decoder(_AllPlaced)


class Expectation:
    """What a good answer is: its status, and how many ids it carries; 0 where it is no order's."""

    def __init__(self, status: bytes, orders: int = 0, *, batch: bool = False) -> None:
        self.status = status
        self.orders = orders
        self._batch = batch

    def ids(self, body: bytes) -> list[int]:
        """Raises `msgspec.MsgspecError` for a body that is none."""
        if self._batch:
            return _all_placed.decode(body).order_ids
        return [_placed.decode(body).order_id]


class Caller(asyncio.Protocol):
    """One keep-alive connection in a closed loop: the next request goes when an answer came."""

    def __init__(self, requests: Sequence[bytes], expected: Expectation) -> None:
        self.times: list[int] = []
        self.orders = 0
        self.refused = 0
        self.wrong: list[str] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._expected = expected
        self._next = 0
        self._last_id = 0
        self._until = 0
        self._sent = 0
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def begin(self, until_ns: int) -> None:
        """Asks, and goes on asking until that time of the performance counter."""
        self._until = until_ns
        self._send()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self._complain(f"a connection was lost: {exc or 'closed by the server'}")
            self.finished.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        answer = split(data)
        if answer is None:
            self._buffer = data
            return
        self._buffer = b""
        status, body = answer
        now = time.perf_counter_ns()
        if status == self._expected.status:
            self.times.append(now - self._sent)
            if self._expected.orders:
                self._count(body)
        elif status == b"503":
            self.refused += 1
            asyncio.get_running_loop().call_later(REFUSED_SECONDS, self._go_on)
            return
        else:
            self._complain(f"answered {status.decode()} {body[:200].decode(errors='replace')}")
        self._go_on()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _go_on(self) -> None:
        if self.finished.done():
            return
        if time.perf_counter_ns() < self._until:
            self._send()
        else:
            self.finished.set_result(None)

    def _send(self) -> None:
        assert self._transport is not None
        request = self._requests[self._next]
        self._next = (self._next + 1) % len(self._requests)
        self._sent = time.perf_counter_ns()
        self._transport.write(request)

    def _count(self, body: bytes) -> None:
        try:
            ids = self._expected.ids(body)
        except msgspec.MsgspecError as error:
            self._complain(f"answered {body[:200].decode(errors='replace')}: {error}")
            return
        if len(ids) != self._expected.orders:
            self._complain(f"answered {len(ids)} ids to {self._expected.orders} orders")
        for number in ids:
            if number <= self._last_id:
                self._complain(f"order id {number} came after {self._last_id}")
            self._last_id = number
        self.orders += len(ids)

    def _complain(self, words: str) -> None:
        if len(self.wrong) < WRONG_TOLD:
            self.wrong.append(words)


def split(data: bytes) -> tuple[bytes, bytes] | None:
    """Status and body of an answer with a content-length; None while it is not whole."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return None
    _, _, rest = head.lower().partition(b"content-length:")
    length = int(rest.partition(b"\r\n")[0] or b"0")
    if len(body) < length:
        return None
    return data[9:12], body


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """A whole request, as browsers' libraries send it but for what nobody needs."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def get(job: GetJob) -> Load:
    """Does the job. Raises `OSError` where nobody listens."""
    asked = [request("GET", job.path)]
    caller = partial(Caller, asked, Expectation(b"200"))
    return await call([caller] * job.connections, job.port, job.seconds)


async def place(job: OrdersJob) -> Load:
    """As `get`."""
    expected = Expectation(b"201", job.batch or 1, batch=job.batch > 0)
    callers = [
        partial(Caller, _order_requests(job, number), expected) for number in range(job.connections)
    ]
    return await call(callers, job.port, job.seconds)


async def call(makers: Sequence[Callable[[], Caller]], port: int, seconds: float) -> Load:
    """Lets callers call for so long, and waits for their last answers."""
    loop = asyncio.get_running_loop()
    callers: list[Caller] = []
    try:
        for make in makers:
            _, caller = await loop.create_connection(make, "127.0.0.1", port)
            callers.append(caller)
        began = time.perf_counter_ns()
        until = began + int(seconds * 1e9)
        for caller in callers:
            caller.begin(until)
        finishing = [caller.finished for caller in callers]
        _, late = await asyncio.wait(finishing, timeout=seconds + ANSWER_SECONDS)
        took = time.perf_counter_ns() - began
    finally:
        for caller in callers:
            # Before it is closed by us, so that it does not complain of that.
            caller.finished.cancel()
            caller.close()
    wrong = [f"{len(late)} requests were not answered"] if late else []
    wrong += [words for caller in callers for words in caller.wrong]
    times = [taken for caller in callers for taken in caller.times]
    return Load(
        len(times),
        sum(caller.orders for caller in callers),
        took / 1e9,
        latency(times),
        sum(caller.refused for caller in callers),
        wrong[:WRONG_TOLD],
    )


def _order_requests(job: OrdersJob, number: int) -> list[bytes]:
    orders = [
        {"side": order.side, "price": order.price, "qty": order.qty}
        for order in make_orders(REQUESTS_MADE * max(job.batch, 1), job.seed + number)
    ]
    if not job.batch:
        return [request("POST", "/orders", msgspec.json.encode(order)) for order in orders]
    return [
        request(
            "POST",
            "/orders/batch",
            msgspec.json.encode({"orders": orders[start : start + job.batch]}),
        )
        for start in range(0, len(orders), job.batch)
    ]
