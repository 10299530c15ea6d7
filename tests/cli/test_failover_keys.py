"""The market on a real terminal: keys kill, freeze, stop and restart real processes."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.cli.processes import Marked
from tests.cli.terminal import Terminal
from tests.waiting import soon


@pytest.fixture
def marked() -> Iterator[Marked]:
    with Marked() as started:
        yield started


def test_somebody_trades_and_kills_the_leader(marked: Marked) -> None:
    with Terminal(["play", "--rate", "300"], marked.env) as terminal:
        terminal.await_words("● live")
        soon(marked.market_runs)
        terminal.await_words("node-")
        terminal.press(b"a")
        terminal.await_words("armed:")
        terminal.press(b"b7\r")
        terminal.await_words("matchbox buy 7")
        terminal.await_words("buy 7 @")
        terminal.press(b"K")
        terminal.await_words("kill -9")
        terminal.await_words("without a leader")
        terminal.await_words("lost 0, doubled 0")
        terminal.await_words("book hash equal")
        soon(lambda: marked.count("engine") == 2)
        terminal.press(b"R")
        soon(lambda: marked.count("engine") == 3)
        terminal.press(b"q")
        assert terminal.wait() == 0
    marked.leave_nothing()


def test_a_frozen_leader_is_refused_when_it_goes_on(marked: Marked) -> None:
    with Terminal(["play", "--rate", "300"], marked.env) as terminal:
        terminal.await_words("● live")
        terminal.await_words("node-")
        terminal.press(b"F")
        terminal.await_words("kill -STOP")
        terminal.await_words("without a leader")
        terminal.press(b"F")
        terminal.await_words("kill -CONT")
        terminal.await_words("epoch 2 leads")
        terminal.press(b"q")
        assert terminal.wait() == 0
    marked.leave_nothing()


def test_the_server_dies_and_the_market_goes_on(marked: Marked) -> None:
    with Terminal(["play", "--rate", "300"], marked.env) as terminal:
        terminal.await_words("● live")
        soon(marked.market_runs)
        terminal.press(b"D")
        terminal.await_words("kill -9 of the server")
        terminal.await_words("lost 0, doubled 0")
        terminal.press(b"q")
        assert terminal.wait() == 0
    marked.leave_nothing()


def test_keys_in_a_hurry_leave_a_market_that_runs(marked: Marked) -> None:
    with Terminal(["play", "--rate", "100"], marked.env) as terminal:
        terminal.await_words("live")
        soon(marked.market_runs)
        terminal.await_words("node-")
        terminal.press(b"F")
        terminal.await_words("kill -STOP")
        terminal.press(b"S")
        terminal.await_words("is frozen and hears nothing")
        terminal.press(b"K")
        terminal.await_words("kill -9")
        terminal.await_words("without a leader")
        # Nobody is frozen any more: this freezes the next leader.
        terminal.press(b"F")
        terminal.await_words("failover 3")
        terminal.press(b"DDD")
        terminal.await_words("failover 4")
        terminal.await_words("kill -9 of the server")
        terminal.press(b"q")
        assert terminal.wait() == 0
        assert "internal error" not in terminal.words()
    marked.leave_nothing()


def test_the_traders_die_and_r_brings_them_back(marked: Marked) -> None:
    with Terminal(["play", "--rate", "100"], marked.env) as terminal:
        terminal.await_words("● live")
        soon(marked.market_runs)
        (traders,) = [pid for pid, line in marked.processes().items() if "traders" in line.split()]
        os.kill(traders, signal.SIGKILL)
        terminal.await_words("the traders ended: killed by SIGKILL")
        assert marked.count("traders") == 0
        terminal.press(b"R")
        terminal.await_words("started traders again")
        soon(marked.market_runs)
        terminal.press(b"q")
        assert terminal.wait() == 0
    marked.leave_nothing()
