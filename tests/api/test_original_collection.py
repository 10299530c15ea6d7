"""What was written for the original Matchbox goes on working: requests, answers, scenarios.

Its clients post bare orders, look at two instances of one venue that was empty, and know no field
and no status that the original did not have.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from websockets.sync.client import connect

from tests.api.processes import Instance, instances
from tests.waiting import soon

EMPTY = {"bids": [], "asks": []}

# As a desktop client sends them, with a body that was typed over several lines.
HEADERS = {
    "User-Agent": "PostmanRuntime/7.43.0",
    "Accept": "*/*",
    "Cache-Control": "no-cache",
    "Postman-Token": "4d6a6f8e-0000-4000-8000-1b2c3d4e5f60",
    "Accept-Encoding": "gzip, deflate, br",
    "Connection": "keep-alive",
}


@pytest.fixture
def pair(url: str, prefix: str) -> Iterator[list[Instance]]:
    """Two instances on a venue where nothing has happened."""
    with instances(url, prefix, "a", "b") as started:
        yield started


def book(instance: Instance) -> dict[str, Any]:
    shown = instance.get("/orderbook")
    return {side: shown[side] for side in EMPTY}


def levels(*pairs: tuple[int, int]) -> list[dict[str, int]]:
    return [{"price": price, "qty": qty} for price, qty in pairs]


# Requests, one by one


class Request(NamedTuple):
    name: str
    method: str
    path: str
    body: str | None
    status: int
    """What the answer has; for a refusal of the client's, 4 stands for any of those."""
    says: str
    """A field of the answer, or a word of its error."""


REQUESTS = [
    Request("health", "GET", "/health", None, 200, "status"),
    Request("a buy", "POST", "/orders", '{"side":"buy","price":50,"qty":10}', 201, "order_id"),
    Request(
        *("a sell over several lines", "POST", "/orders"),
        '{\n    "side": "sell",\n    "price": 60,\n    "qty": 5\n}',
        *(201, "order_id"),
    ),
    Request("the book", "GET", "/orderbook", None, 200, "sequence"),
    Request("one order", "GET", "/orders/1", None, 200, "id"),
    Request("no such order", "GET", "/orders/999999", None, 4, "order"),
    Request("qty 0", "POST", "/orders", '{"side":"buy","price":50,"qty":0}', 400, "qty"),
    Request("price 0", "POST", "/orders", '{"side":"buy","price":0,"qty":10}', 400, "price"),
    Request("qty -1", "POST", "/orders", '{"side":"buy","price":50,"qty":-1}', 400, "qty"),
    Request("no JSON", "POST", "/orders", "{side: buy", 4, "JSON"),
    Request("nothing in it", "POST", "/orders", "{}", 4, "missing"),
    Request("no price", "POST", "/orders", '{"side":"buy","qty":10}', 4, "price"),
    Request("no qty", "POST", "/orders", '{"side":"buy","price":50}', 4, "qty"),
    Request("no side", "POST", "/orders", '{"price":50,"qty":10}', 4, "side"),
    Request("no such side", "POST", "/orders", '{"side":"hold","price":50,"qty":10}', 4, "side"),
]


def test_the_requests_one_after_the_other(pair: list[Instance]) -> None:
    one, other = pair
    for request in REQUESTS:
        answer = one.ask(request.method, request.path, request.body, HEADERS)
        where = f"{request.name}: {answer}"
        assert answer.headers["content-type"].startswith("application/json"), where
        if request.status == 4:
            assert 400 <= answer.status < 500, where
        else:
            assert answer.status == request.status, where
        if answer.status >= 400:
            assert request.says in answer.json["error"], where
        else:
            assert request.says in answer.json, where
        if answer.status == 201:
            number = answer.json["order_id"]
            assert isinstance(number, int)
            assert number > 0
            # The next request may ask for it at once, here or there.
            for instance in pair:
                assert instance.get(f"/orders/{number}")["id"] == number
    assert one.get("/health") == {"status": "ok"}
    asked = [("buy", 50, 10), ("sell", 60, 5)]
    for instance in pair:
        listed = soon(lambda instance=instance: instance.get("/orders"), lambda seen: len(seen) > 1)
        assert [(order["side"], order["price"], order["qty"]) for order in listed] == asked
        assert [order["id"] for order in listed] == [1, 2]
        assert all(isinstance(order["timestamp"], int) for order in listed)
    # What was refused is nowhere.
    assert soon(lambda: other.get("/orderbook"), lambda seen: seen["sequence"] == 2) == {
        "bids": levels((50, 10)),
        "asks": levels((60, 5)),
        "sequence": 2,
    }


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_the_readmes_commands(pair: list[Instance]) -> None:
    one, other = pair

    def curl(*arguments: str) -> str:
        done = subprocess.run(
            ["curl", "-sS", *arguments], capture_output=True, text=True, timeout=30, check=True
        )
        return done.stdout

    def post(where: Instance, order: str) -> str:
        return curl(
            *("-X", "POST", f"{where.base}/orders"),
            *("-H", "Content-Type: application/json", "-d", order),
        )

    def shows(expected: str) -> None:
        for instance in pair:
            soon(lambda at=instance.base: curl(f"{at}/orderbook"), expected.__eq__)

    assert curl(f"{one.base}/health") == '{"status":"ok"}'
    shows('{"bids":[],"asks":[],"sequence":0}')
    assert curl(f"{one.base}/orders") == "[]"
    assert post(one, '{"side":"sell","price":50,"qty":10}') == '{"order_id":1}'
    shows('{"bids":[],"asks":[{"price":50,"qty":10}],"sequence":1}')
    assert post(other, '{"side":"buy","price":50,"qty":10}') == '{"order_id":2}'
    shows('{"bids":[],"asks":[],"sequence":2}')
    refused = curl("-o", "/dev/null", "-w", "%{http_code}", f"{one.base}/orders/7")
    assert refused == "404"


# Scenarios, each on a venue that was empty


class Scenario(NamedTuple):
    orders: list[tuple[str, int, int]]
    """Side, quantity, price."""
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    fills: list[tuple[int, int]]
    """(price, qty) in the order in which they happen."""


SCENARIOS = {
    "an order meets its equal": Scenario(
        [("sell", 10, 100), ("buy", 10, 100)], [], [], [(100, 10)]
    ),
    "a larger one rests with what is left": Scenario(
        [("sell", 30, 100), ("buy", 50, 100)], [(100, 20)], [], [(100, 30)]
    ),
    "the best price comes first": Scenario(
        [("sell", 10, 490), ("sell", 10, 500), ("sell", 10, 510), ("buy", 25, 510)],
        [],
        [(510, 5)],
        [(490, 10), (500, 10), (510, 5)],
    ),
    "prices that don't meet": Scenario(
        [("sell", 10, 60), ("buy", 10, 40)], [(40, 10)], [(60, 10)], []
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario(pair: list[Instance], name: str) -> None:
    scenario = SCENARIOS[name]
    one, other = pair
    side, qty, price = scenario.orders[0]
    with connect(f"{one.websocket}/ws") as told:
        one.post(side, qty, price)
        alone = {"bids": [], "asks": levels((price, qty))}
        for instance in pair:
            soon(lambda instance=instance: book(instance), alone.__eq__)
        for side, qty, price in scenario.orders[1:]:
            one.post(side, qty, price)
        after = {"bids": levels(*scenario.bids), "asks": levels(*scenario.asks)}
        for instance in pair:
            soon(lambda instance=instance: book(instance), after.__eq__)
        fills = [json.loads(told.recv(timeout=20)) for _ in scenario.fills]
    assert [(fill["price"], fill["qty"]) for fill in fills] == scenario.fills
    last = len(scenario.orders)
    assert {fill["taker_order_id"] for fill in fills} <= {last}
    assert [(fill["price"], fill["qty"]) for fill in other.get("/trades")] == scenario.fills


def test_orders_that_meet_across_instances(pair: list[Instance]) -> None:
    one, other = pair
    assert other.get("/health") == {"status": "ok"}
    with connect(f"{one.websocket}/ws") as here, connect(f"{other.websocket}/ws") as there:
        maker = other.post("sell", 10, 75)
        taker = one.post("buy", 10, 75)
        heard = [json.loads(socket.recv(timeout=20)) for socket in (here, there)]
        for instance in pair:
            soon(
                lambda instance=instance: instance.get("/orderbook"),
                {"bids": [], "asks": [], "sequence": 2}.__eq__,
            )
        # Once, and nothing else.
        for socket in (here, there):
            with pytest.raises(TimeoutError):
                socket.recv(timeout=0.1)
    expected = {"maker_order_id": maker, "taker_order_id": taker, "price": 75, "qty": 10}
    for fill in heard:
        assert fill.items() >= expected.items()
        assert isinstance(fill["timestamp"], int)
        assert fill["timestamp"] > 10**18
    assert heard[0] == heard[1]
