"""Several instances that all believe to lead, at once and without end: the journal stays exact."""

import msgspec
import pytest

from matchbox_tui.engine import NewOrder, encode_events
from matchbox_tui.node import Node, Role
from matchbox_tui.store import Keys, LeaderView, Outcome, Server, Store, Tenure
from sim.naive import NaiveExchange
from tests.node.venue import PATIENT, Instance, Venue, buy, sell
from tests.waiting import eventually

EPOCH = 1


class Believer(Store):
    """Takes itself for the leader of one epoch, whoever else does, as copies of one process would.

    They have the same name and the same epoch, so that nothing but the journal's place and the
    queue's head tells one's commit from another's.
    """

    async def view(self) -> LeaderView:
        return LeaderView(None, EPOCH, gone=False, tip=await self.tip())

    async def elect(self, lease_ms: int) -> Tenure | None:
        return Tenure(EPOCH, await self.tip())

    async def renew(self, epoch: int, lease_ms: int) -> bool:
        return True

    async def release(self, epoch: int) -> bool:
        return False


async def _believers(venue: Venue, count: int) -> list[Instance]:
    first = Store(Server(venue.url), venue.keys, "a")
    assert await first.elect(600_000) == Tenure(EPOCH, await first.tip())
    await first.close()
    for n in range(count):
        store = Believer(Server(venue.url), Keys(venue.prefix), "a")
        venue.instances[f"a{n}"] = Instance(Node(store, PATIENT))

    async def leading() -> list[Role]:
        return [instance.node.role for instance in venue.instances.values()]

    await eventually(leading, lambda roles: roles == [Role.LEADING] * count)
    return list(venue.instances.values())


def _orders(n: int) -> list[NewOrder]:
    """One more each time, so that a leader that is behind comes to a number that is not taken."""
    return [
        (buy if (n + k) % 3 else sell)(48 + (n * 7 + k) % 5, 1 + k % 4, trader=f"t{k % 3}")
        for k in range(n + 1)
    ]


async def test_leaders_of_the_same_name_and_epoch_leave_an_exact_journal(venue: Venue) -> None:
    await _believers(venue, 4)
    asked: list[NewOrder] = []
    for n in range(30):
        orders = _orders(n)
        ids = await venue.client.submit(orders)
        assert ids == list(range(len(asked) + 1, len(asked) + len(orders) + 1))
        asked += orders
        if n % 2:
            await venue.handled()
    assert await venue.handled() == len(asked)
    naive = NaiveExchange()
    expected = [
        event
        for order_id, order in enumerate(asked, 1)
        for event in naive.apply(msgspec.structs.replace(order, order_id=order_id))
    ]
    assert encode_events(await venue.events()) == encode_events(expected)


async def test_one_of_them_commits_and_the_others_are_refused(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[Outcome] = []
    commit = Store.commit

    async def noted(self: Store, *args: object) -> tuple[Outcome, list[bytes]]:
        outcome, batch = await commit(self, *args)  # type: ignore[arg-type]
        met.append(outcome)
        return outcome, batch

    monkeypatch.setattr(Store, "commit", noted)
    await _believers(venue, 3)
    for n in range(20):
        await venue.client.submit(_orders(n))
        await venue.handled()
    entries = await venue.journal()
    # A commit that is the same as another's, byte for byte, is in already.
    assert met.count(Outcome.OK) == len(entries)
    assert set(met) - {Outcome.OK} <= {Outcome.CAS, Outcome.INPUT, Outcome.DUP}
    assert set(met) != {Outcome.OK}
