"""An event loop whose clock is a number: it jumps to the next timer instead of sleeping.

There is no input or output and there are no threads, only callbacks in a fixed order, so a run
is the same again and again. What belongs to one `Process` can be held up together, as a SIGSTOP
would.
"""

import asyncio
import contextvars
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

MOST_CALLBACKS = 500_000
"""A run that needs more is going round in circles."""


class Process:
    """What stops and ends together. Nothing that an ended one does reaches anybody."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.paused = False
        self.ended = False
        self.ready: list[Job] = []
        self.due: list[Job] = []

    def __repr__(self) -> str:
        return self.name


RUNS_IN: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


class Job:
    """A callback to come: what asyncio calls a handle."""

    __slots__ = ("args", "callback", "context", "gone", "time")

    def __init__(
        self,
        time: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> None:
        self.time = time
        self.callback = callback
        self.args = args
        self.context = contextvars.copy_context() if context is None else context
        self.gone = False

    def cancel(self) -> None:
        self.gone = True

    def cancelled(self) -> bool:
        return self.gone

    def when(self) -> float:
        return self.time


class VirtualLoop(asyncio.AbstractEventLoop):
    """As much of a loop as tasks, futures, locks and timeouts need."""

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[Job] = deque()
        self._timers: list[tuple[float, int, Job]] = []
        self._count = itertools.count()
        self._paused = 0
        self._ran = 0
        self._closed = False
        self.errors: list[str] = []
        """What went wrong in callbacks, where nobody else would notice."""

    # What asyncio asks of a loop

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> Job:
        job = Job(self._now, callback, args, context)
        self._ready.append(job)
        return job

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> Job:
        job = Job(when, callback, args, context)
        heapq.heappush(self._timers, (when, next(self._count), job))
        return job

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> Job:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return asyncio._get_running_loop() is self

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self._closed:
            self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    # Running

    def run_until_complete(self, main: Coroutine[Any, Any, T]) -> T:  # type: ignore[override]
        """Runs until `main` is done. Raises `RuntimeError` where that can never be."""
        task = self.create_task(main)
        asyncio._set_running_loop(self)
        try:
            self._run_until(task)
        finally:
            asyncio._set_running_loop(None)
        return task.result()

    def spawn(self, process: Process, main: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that, with all that it starts, belongs to the process."""
        context = contextvars.copy_context()
        context.run(RUNS_IN.set, process)
        return self.create_task(main, context=context)

    def pause(self, process: Process) -> None:
        """Holds up everything of the process from now on."""
        if not process.paused:
            process.paused = True
            self._paused += 1

    def resume(self, process: Process, *, timers_first: bool = False) -> None:
        """Lets it catch up: with what it heard meanwhile, and with the timers that ran out."""
        if not process.paused:
            return
        process.paused = False
        self._paused -= 1
        late = [process.due, process.ready] if timers_first else [process.ready, process.due]
        for jobs in late:
            self._ready.extend(jobs)
        process.ready, process.due = [], []

    def _run_until(self, task: "asyncio.Task[Any]") -> None:
        ready, timers = self._ready, self._timers
        while not task.done():
            if ready:
                job, timed = ready.popleft(), False
            elif timers:
                self._now, _, job = heapq.heappop(timers)
                timed = True
            else:
                raise RuntimeError("everybody waits and nothing will happen")
            if job.gone:
                continue
            if self._paused:
                process = job.context.get(RUNS_IN)
                if process is not None and process.paused:
                    (process.due if timed else process.ready).append(job)
                    continue
            self._ran += 1
            if self._ran > MOST_CALLBACKS:
                raise RuntimeError(f"no end after {MOST_CALLBACKS} callbacks")
            job.context.run(job.callback, *job.args)
