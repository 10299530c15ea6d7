"""``matchbox play --api-port``: the market's instances answer for it over HTTP."""

import json
import signal
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.command import Result, call
from tests.cli.processes import Marked
from tests.cli.terminal import Terminal
from tests.ports import free_port
from tests.waiting import soon


@pytest.fixture
def marked() -> Iterator[Marked]:
    with Marked() as started:
        yield started


def book(port: int, market: str = "MAIN") -> dict[str, Any] | None:
    """The book as an instance shows it; None where nobody answers."""
    url = f"http://127.0.0.1:{port}/orderbook?market={market}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            shown: dict[str, Any] = json.load(answer)
    except OSError:
        return None
    return shown


def sell(port: int, price: int, qty: int) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/orders",
        json.dumps({"side": "sell", "price": price, "qty": qty}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        number: int = json.load(answer)["order_id"]
    return number


def test_every_instance_of_a_headless_market_takes_orders_for_it(marked: Marked) -> None:
    first = free_port(2)
    process = marked.start(
        *("--headless", "--json", "--duration", "300", "--instances", "2", "--traders", "0"),
        *("--markets", "RAIN", "--api-port", str(first)),
    )
    assert process.stderr is not None
    assert process.stderr.readline() == (
        f"Serving at http://127.0.0.1:{first}, http://127.0.0.1:{first + 1}\n"
    )
    ports = (first, first + 1)
    for port in ports:
        soon(lambda port=port: book(port))
    assert [sell(port, 60 + n, 7) for n, port in enumerate(ports)] == [1, 2]
    asks = [{"price": 60, "qty": 7}, {"price": 61, "qty": 7}]
    for port in ports:
        soon(lambda port=port: (book(port) or {})["asks"], asks.__eq__)
    # The time begins when somebody leads; a signal before that would be no market.
    assert "1 s" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    done = Result(process.returncode, out, err)
    assert done.code == 130
    summary = done.json()
    assert (summary["orders"], summary["errors"]) == (2, [])
    assert summary["books"][0]["asks"] == [[60, 7], [61, 7]]
    assert [book(port) for port in ports] == [None, None]
    marked.leave_nothing()


def test_the_screens_market_serves_too(marked: Marked) -> None:
    port = free_port()
    command = ["play", "--instances", "1", "--markets", "RAIN", "--api-port", str(port)]
    with Terminal(command, marked.env) as terminal:
        terminal.await_words("live")
        shown = soon(lambda: terminal.read() and book(port, "RAIN"))
        assert shown is not None
        terminal.press(b"q")
        assert terminal.wait() == 0
        assert f"Serving at http://127.0.0.1:{port}" in terminal.words()
    assert book(port) is None
    marked.leave_nothing()


def test_a_port_that_is_taken_is_told_before_anything_starts(marked: Marked) -> None:
    first = free_port(2)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", first + 1))
        taken.listen()
        words = call(
            *("play", "--headless", "--instances", "2", "--api-port", str(first)), env=marked.env
        ).refusal(2)
    assert words.startswith(f"matchbox: --api-port {first}: can't listen on 127.0.0.1:{first + 1}")
    assert "use another of which 2 in a row are free" in words
    marked.leave_nothing()


def test_without_the_option_nothing_listens(marked: Marked) -> None:
    process = marked.start("--headless", "--duration", "300", "--instances", "1")
    soon(lambda: marked.market_runs(1))
    assert marked.count("serve") == 0
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert "Serving at" not in err
    marked.leave_nothing()
