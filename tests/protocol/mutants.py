"""The protocol without one of its guards: each must be caught by the simulator.

A mutant is the smallest change that takes the guard away: a method of the server's double, or one
function of the production code, replaced for the time of a run.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

from matchbox_tui.node.leader import Leader
from matchbox_tui.store import Entry, InDoubt, Link, Replica
from matchbox_tui.store import replica as replica_module
from matchbox_tui.store.link import Argument, Reply
from tests.protocol.scripts import Args
from tests.protocol.server import ServerDouble
from tests.protocol.wire import Exit
from tests.protocol.world import Parts


@dataclass(frozen=True)
class Mutant:
    """What is replaced, a word of what must give it away, and a seed in which that is seen.

    Where schedules have changed and it no longer is, the first such seed is searched for.
    """

    parts: Parts
    word: str
    seed: int
    patches: tuple[Any, ...] = ()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[Parts]:
        with contextlib.ExitStack() as stack:
            for patch in self.patches:
                stack.enter_context(patch)
            yield self.parts


class PopFirst(ServerDouble):
    """Whoever looks at the queue takes out what it sees, as the original did."""

    def peek(self, names: Args, argv: Args) -> Reply:
        found = super().peek(names, argv)
        super().drop(names[0], len(found))
        return found

    def head(self, queue: bytes) -> bytes | None:
        found = super().head(queue)
        super().drop(queue, 1)
        return found

    def is_other_input(self, head: list[bytes], n: int, digest: bytes) -> bool:
        return False

    def drop(self, queue: bytes, n: int) -> None:
        pass


class NoCompareAndSet(ServerDouble):
    def has_moved(self, at: tuple[bytes, bytes], before: tuple[bytes, bytes]) -> bool:
        return False


class NoDigest(ServerDouble):
    def is_other_input(self, head: list[bytes], n: int, digest: bytes) -> bool:
        return False


class EpochOnly(NoCompareAndSet, NoDigest):
    pass


class NoEpoch(ServerDouble):
    def is_old(self, current: bytes | None, epoch: bytes) -> bool:
        return False


class NoDup(ServerDouble):
    def is_in(self, at: tuple[bytes, bytes], after: tuple[bytes, bytes]) -> bool:
        return False


class SameEpoch(ServerDouble):
    def next_epoch(self, key: bytes) -> int:
        return int(self.keys.string(key) or self.keys.incrby(key, 1))


class AnybodyRenews(ServerDouble):
    def may_renew(self, names: Args, argv: Args) -> bool:
        return True


class OwnFillIds(ServerDouble):
    def fill_id(self, entry_id: bytes) -> bytes:
        return b"*"


class UndoneFills(ServerDouble):
    def is_undone(self, log: bytes, entry_id: bytes, chain: bytes) -> bool:
        return False


class FillsAfterAny(ServerDouble):
    def is_overtaken(self, last: bytes, expected: bytes) -> bool:
        return False


class CounterLeft(ServerDouble):
    def raise_(self, names: Args, argv: Args) -> Reply:
        return 0


class ForgottenNames(ServerDouble):
    def remember(self, name: bytes, order_id: bytes, ms: int) -> None:
        pass


class RepeatingLink(Link):
    """Sends again what may have arrived, as redis-py does unless it is told not to."""

    async def calls(
        self, commands: Sequence[Sequence[Argument]], timeout_s: float | None = None
    ) -> list[Reply]:
        try:
            return await super().calls(commands, timeout_s)
        except InDoubt:
            return await super().calls(commands, timeout_s)


class RepeatingExit(Exit):
    def link(self, name: str = "matchbox") -> Link:
        return RepeatingLink(self, name)


def _trusting(self: Replica, entry: Entry) -> None:
    with mock.patch.object(replica_module, "chained", return_value=entry.chain):
        _apply(self, entry)


_apply = Replica.apply

ALWAYS_CLEAN = property(lambda self: True, lambda self, value: None)

MUTANTS: dict[str, Mutant] = {
    "pop first": Mutant(Parts(PopFirst), "I", 0),
    "no cursor compare-and-set": Mutant(Parts(NoCompareAndSet), "I3", 4),
    "no input digest": Mutant(Parts(NoDigest), "I2", 101),
    "the epoch alone": Mutant(Parts(EpochOnly), "I", 4),
    "no epoch": Mutant(Parts(NoEpoch), "had been elected", 2671),
    "no DUP": Mutant(Parts(NoDup), "met CAS", 18),
    "elections in the same epoch": Mutant(Parts(SameEpoch), "epoch", 0),
    "a lease that anybody renews": Mutant(Parts(AnybodyRenews), "instances lead", 121),
    "fills without own ids": Mutant(Parts(OwnFillIds), "I5", 0),
    "fills of undone commits": Mutant(Parts(UndoneFills), "I5", 194),
    "fills after any other": Mutant(Parts(FillsAfterAny), "I5", 1315),
    "an id counter that is left behind": Mutant(Parts(CounterLeft), "the id counter is", 9),
    "a client_order_id that is forgotten": Mutant(Parts(ForgottenNames), "I1", 0),
    "a retry that repeats a write": Mutant(Parts(exit=RepeatingExit), "I1", 13),
    "a chain that is not verified": Mutant(
        Parts(), "I", 48, (mock.patch.object(Replica, "apply", _trusting),)
    ),
    "a deposed leader that keeps its state": Mutant(
        Parts(),
        "a false alarm",
        193,
        (mock.patch.object(Leader, "clean", ALWAYS_CLEAN, create=True),),
    ),
}
