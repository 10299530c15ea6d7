"""The virtual loop: time jumps, nothing is left to chance, and a paused process stands still."""

import asyncio

import pytest

from tests.protocol.loop import Process, VirtualLoop


@pytest.fixture
def loop() -> VirtualLoop:
    return VirtualLoop()  # type: ignore[abstract]  # as much as is needed


def test_sleeping_takes_no_time_and_moves_the_clock(loop: VirtualLoop) -> None:
    async def main() -> float:
        await asyncio.sleep(3600)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert loop.run_until_complete(main()) == 3660


def test_timers_go_off_by_time_and_then_in_the_order_in_which_they_were_set(
    loop: VirtualLoop,
) -> None:
    seen: list[str] = []

    async def main() -> None:
        for delay, name in ((2, "c"), (1, "a"), (2, "d"), (1, "b")):
            loop.call_later(delay, seen.append, name)
        loop.call_later(1.5, seen.append, "never").cancel()
        await asyncio.sleep(5)

    loop.run_until_complete(main())
    assert seen == ["a", "b", "c", "d"]


def test_nothing_left_to_wait_for_is_an_error_and_no_hang(loop: VirtualLoop) -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing will happen"):
        loop.run_until_complete(main())


def test_going_round_in_circles_is_an_error_and_no_hang(
    loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.protocol.loop.MOST_CALLBACKS", 1000)

    def again() -> None:
        loop.call_soon(again)

    async def main() -> None:
        again()
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="no end"):
        loop.run_until_complete(main())


@pytest.mark.parametrize(("timers_first", "expected"), [(True, "too late"), (False, "heard")])
def test_a_paused_process_stands_still_and_then_catches_up(
    loop: VirtualLoop, timers_first: bool, expected: str
) -> None:
    """What it was told and what has timed out meanwhile come at once, in either order."""
    process = Process("p")
    told = asyncio.Event()
    seen: list[tuple[str, float]] = []

    async def listen() -> None:
        try:
            async with asyncio.timeout(3):
                await told.wait()
            seen.append(("heard", loop.time()))
        except TimeoutError:
            seen.append(("too late", loop.time()))

    async def main() -> None:
        listening = loop.spawn(process, listen())
        await asyncio.sleep(1)
        loop.pause(process)
        told.set()
        await asyncio.sleep(9)
        assert seen == []
        loop.resume(process, timers_first=timers_first)
        await listening

    loop.run_until_complete(main())
    assert seen == [(expected, 10.0)]


def test_what_goes_wrong_in_a_callback_is_kept(loop: VirtualLoop) -> None:
    async def fail() -> None:
        raise ValueError("unheard")

    async def main() -> None:
        failing = asyncio.ensure_future(fail())
        await asyncio.sleep(1)
        del failing

    loop.run_until_complete(main())
    assert len(loop.errors) == 1
    assert "unheard" in loop.errors[0]
