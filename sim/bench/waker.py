"""What an idle follower is measured beside: a process that wakes up as often, and for nothing.

Run as `python -m sim.bench.waker`; ends when its standard input closes.
"""

import asyncio
import os
import sys

WAKE_SECONDS = 0.04
"""About what lies between two looks of a follower that has nothing to do."""


async def wake() -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def readable() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            ended.set()

    def tick() -> None:
        loop.call_later(WAKE_SECONDS, tick)

    loop.add_reader(sys.stdin.fileno(), readable)
    tick()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(wake())
