"""Orders submitted by a client that costs next to nothing, and the server's own rates.

The orders and the calls that carry them are made before anything is timed, and nothing waits for
an acknowledgement: how late the server is shows in its answers, not in when it is asked.
"""

import re
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import hiredis

from matchbox_tui.engine import encode_command
from matchbox_tui.store import SUBMIT, Keys, submission
from sim.bench.line_jobs import AddJob, Done, PingJob, Produced, ProduceJob
from sim.bench.orders import make_orders
from sim.bench.wire import Argument, Wire, packed

ORDERS = 4096
"""Different orders; then the same ones come again."""

PAUSE_SECONDS = 0.0005
"""Calls are sent in steps of this, with what is due by then."""

WRONG_TOLD = 5

_HELD = re.compile(r"OVERLOADED the order queue holds (\d+) commands")


class Producer:
    """One connection that submits, and the account of what was answered."""

    def __init__(self, job: ProduceJob) -> None:
        self._job = job
        self._wire = Wire(job.url)
        self._wire.call("SCRIPT", "LOAD", SUBMIT.text)
        keys, args = submission(Keys(), make_orders(ORDERS, 1), 0, job.limit)
        self._head: tuple[Argument, ...] = ("EVALSHA", SUBMIT.sha, len(keys), *keys, *args[:3])
        self._texts = args[3:]
        self._waiting: deque[tuple[int, int]] = deque()
        self._last_id = 0
        self._orders = self._refused = 0
        self._sent: list[tuple[int, int]] = []
        self._wrong: list[str] = []

    def run(self) -> Produced:
        began = time.perf_counter_ns()
        if self._job.rate:
            self._keep_pace(began)
        else:
            self._keep_full(began)
        while self._waiting:
            self._take(self._wire.take(wait=True))
        seconds = (time.perf_counter_ns() - began) / 1e9
        self._wire.close()
        return Produced(
            self._orders, self._refused, began, seconds, self._sent, self._wrong[:WRONG_TOLD]
        )

    def _keep_pace(self, began: int) -> None:
        job, made = self._job, 0
        total = round(job.rate * job.seconds)
        pause = max(PAUSE_SECONDS, 1 / job.rate)
        while made < total:
            # Before sending: who has sent must sleep, as one does who waits for the answer. The
            # server is woken on the same core, and would wait for this process.
            self._take(self._wire.take())
            passed = (time.perf_counter_ns() - began) / 1e9
            due = min(total, int(passed * job.rate) + 1)
            while made < due:
                count = min(job.batch, due - made)
                self._send(self._call(made, count), count)
                made += count
            ahead = began / 1e9 + max(passed + pause, made / job.rate) - time.perf_counter()
            if ahead > 0:
                time.sleep(ahead)

    def _keep_full(self, began: int) -> None:
        job = self._job
        calls = [self._call(start, job.batch) for start in range(0, ORDERS, job.batch)]
        until = began + int(job.seconds * 1e9)
        length, number = packed(("LLEN", Keys().queue)), 0
        while (now := time.perf_counter_ns()) < until:
            self._waiting.append((job.batch, now))
            answers = self._wire.ask(calls[number % len(calls)] + length, 2)
            self._take(answers[:1])
            queued = answers[1]
            number += 1
            while queued > job.window:
                time.sleep(PAUSE_SECONDS)
                (queued,) = self._wire.ask(length, 1)

    def _call(self, start: int, count: int) -> bytes:
        start %= ORDERS
        texts = self._texts[start : start + count]
        return packed((*self._head, *texts, *self._texts[: count - len(texts)]))

    def _send(self, call: bytes, count: int) -> None:
        self._waiting.append((count, time.perf_counter_ns()))
        self._wire.send(call)

    def _take(self, replies: Sequence[Any]) -> None:
        for reply in replies:
            count, sent = self._waiting.popleft()
            if isinstance(reply, hiredis.ReplyError):
                self._refuse(str(reply), count)
                continue
            first = self._last_id + 1 if self._last_id else reply[0]
            if reply != list(range(first, first + count)):
                self._wrong.append(f"orders got the ids {reply[:3]}..., not {first} and on")
            self._last_id = reply[-1]
            self._orders += count
            self._sent.append((self._orders, sent))

    def _refuse(self, words: str, count: int) -> None:
        found = _HELD.search(words)
        if found is None or int(found[1]) + count <= self._job.limit:
            self._wrong.append(f"refused for no reason: {words}")
        self._refused += count


def ping(job: PingJob) -> Done:
    """Does the job."""
    wire, request, times = Wire(job.url), packed(("PING",)), []
    began = time.perf_counter()
    for number in range(round(job.rate * job.seconds)):
        ahead = began + number / job.rate - time.perf_counter()
        if ahead > 0:
            time.sleep(ahead)
        sent = time.perf_counter_ns()
        wire.ask(request, 1)
        times.append(time.perf_counter_ns() - sent)
    seconds = time.perf_counter() - began
    wire.close()
    return Done(len(times), seconds, times)


def add(job: AddJob) -> Done:
    """Does the job; the stream is gone afterwards."""
    wire, key, count = Wire(job.url), "bench:stream", 0
    commands = b"".join(
        packed(("XADD", key, "*", "order", encode_command(order)))
        for order in make_orders(job.depth, 1)
    )
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < job.seconds:
        wire.ask(commands, job.depth)
        count += job.depth
    wire.call("UNLINK", key)
    wire.close()
    return Done(count, passed)
