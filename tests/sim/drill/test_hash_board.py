"""Hashes side by side: who agrees with whom, and at which place."""

from collections.abc import AsyncIterator

import pytest

from matchbox_tui.store import Client, Keys, Link
from sim.drill.hash_board import HashBoard, HashCheck


class Pen:
    """Writes on the board as instances do."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._key = keys.hashes

    async def write(self, name: str, seq: int, text: str) -> None:
        await self._link.call(
            *("XADD", self._key, "*", "id", name, "role", "follower", "epoch", 1),
            *("seq", seq, "hash", text),
        )


@pytest.fixture
async def board(client: Client) -> AsyncIterator[HashBoard]:
    made = HashBoard(client)
    yield made
    await made.close()


@pytest.fixture
def pen(link: Link, keys: Keys) -> Pen:
    return Pen(link, keys)


async def test_the_last_place_that_both_told_of_counts(board: HashBoard, pen: Pen) -> None:
    assert await board.opinions("a", "b") is None
    for name, seqs in (("a", (10, 20, 30)), ("b", (10, 20)), ("c", (10, 20, 30))):
        for seq in seqs:
            await pen.write(name, seq, f"state {seq}")
    assert await board.opinions("a", "b") == HashCheck(20, "a", "state 20", "b", "state 20")
    # The leader stayed: a standby's opinion is heard.
    assert await board.opinions("a", "a") == HashCheck(30, "a", "state 30", "c", "state 30")
    assert await board.opinions("a", "d") is None
    assert board.count == 8
    assert board.seqs() == [10, 20, 30]


async def test_only_what_is_new_is_read(board: HashBoard, pen: Pen) -> None:
    await pen.write("a", 10, "x")
    await board.refresh()
    await board.refresh()
    await pen.write("b", 10, "x")
    await board.refresh()
    assert board.count == 2


def test_three_opinions_must_be_one() -> None:
    assert HashCheck(1, "a", "x", "b", "x", "x").equal
    assert not HashCheck(1, "a", "x", "b", "x").equal
    assert not HashCheck(1, "a", "x", "b", "y", "x").equal
    assert not HashCheck(1, "a", "x", "b", "x", "y").equal


async def test_what_differs_from_the_replay_is_named(board: HashBoard, pen: Pen) -> None:
    await pen.write("a", 10, "x")
    await pen.write("b", 10, "y")
    await pen.write("b", 20, "z")
    await board.refresh()
    assert board.differing({10: "x"}) == ["b had another state than the replay at 10"]
    assert board.differing({10: "x", 20: "z"}) == ["b had another state than the replay at 10"]
    assert len(board.differing({10: "w", 20: "w"})) == 3


async def test_an_instance_of_two_opinions_contradicts_itself(board: HashBoard, pen: Pen) -> None:
    for text in ("x", "x", "y"):
        await pen.write("a", 10, text)
    await board.refresh()
    assert board.contradictions == ["a had two different states at 10"]
    assert board.differing({10: "x"}) == board.contradictions
