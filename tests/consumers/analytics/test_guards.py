"""What is written over what: never the older over the newer, nor one history over another."""

import asyncio
from collections.abc import Iterator

import pytest

from matchbox_tui.consumers import Place
from matchbox_tui.consumers.analytics import Figures
from matchbox_tui.consumers.analytics.poster import Poster
from matchbox_tui.consumers.analytics.state import dump_figures, load_figures
from matchbox_tui.engine import Exchange
from matchbox_tui.store import (
    AnalyticsBoard,
    Candle,
    Entry,
    HealthStats,
    MarketStats,
    Posted,
    SnapshotUnusable,
    StateHeader,
    StoreSetBack,
    Tip,
    VenueStats,
    keep_state,
    kept_state,
)
from matchbox_tui.store.analytics_state import DRAFT_MS
from tests.node.venue import QUIET, Venue, buy, sell


async def journal(venue: Venue, rounds: int = 4) -> list[Entry]:
    """A journal with some entries, each with a trade."""
    await venue.lead(settings=QUIET)
    for number in range(rounds):
        await venue.client.submit([sell(50 + number, 3, trader="ann")])
        await venue.client.submit([buy(50 + number, 2, trader="bob")])
        await venue.handled()
    return await venue.journal()


def folded(entries: list[Entry]) -> Figures:
    figures = Figures(Exchange())
    for entry in entries:
        figures.fold(entry)
    return figures


def head_of(entry: Entry) -> StateHeader:
    return StateHeader(entry.seq, entry.chain, entry.epoch, 1)


def place_of(entry: Entry) -> Place:
    return Place(entry.seq, entry.chain, entry.epoch)


async def keep(venue: Venue, entries: list[Entry], **other: object) -> None:
    head = StateHeader(**{**_fields(head_of(entries[-1])), **other})
    await keep_state(venue.link, venue.keys, "one", head, dump_figures(folded(entries)))


def _fields(head: StateHeader) -> dict[str, object]:
    return {"seq": head.seq, "chain": head.chain, "epoch": head.epoch, "since": head.since}


async def test_a_state_is_read_back_as_it_was_kept(venue: Venue) -> None:
    entries = await journal(venue)
    assert await kept_state(venue.link, venue.keys) is None
    await keep(venue, entries[:-1])
    await keep(venue, entries)
    found = await kept_state(venue.link, venue.keys)
    assert found is not None
    head, parts = found
    assert _fields(head) == _fields(head_of(entries[-1]))
    again, before = load_figures(head, parts), folded(entries)
    assert again.markets["MAIN"].stats() == before.markets["MAIN"].stats()
    assert again.exchange.state_hash() == before.exchange.state_hash()
    assert await venue.link.call("KEYS", venue.keys.analytics_draft("*")) == []


async def test_an_older_state_never_takes_the_place_of_a_newer_one(venue: Venue) -> None:
    entries = await journal(venue)
    await keep(venue, entries)
    with pytest.raises(SnapshotUnusable, match="there is a newer one"):
        await keep(venue, entries[:-1])
    found = await kept_state(venue.link, venue.keys)
    assert found is not None
    assert found[0].seq == entries[-1].seq


async def test_two_copies_of_one_name_don_t_mix_their_states(venue: Venue) -> None:
    entries = await journal(venue)
    older, newer = (head_of(entry) for entry in entries[-2:])
    parts = [b"%d" % number for number in range(100)]
    await asyncio.gather(
        keep_state(venue.link, venue.keys, "one", older, [part + b"older" for part in parts]),
        keep_state(venue.link, venue.keys, "one", newer, [part + b"newer" for part in parts]),
        return_exceptions=True,
    )
    found = await kept_state(venue.link, venue.keys)
    assert found is not None
    assert (found[0].seq, found[1][0], len(found[1])) == (newer.seq, b"0newer", 100)
    assert await venue.link.call("KEYS", venue.keys.analytics_draft("*")) == []


async def test_a_state_that_nobody_goes_on_writing_goes_by_itself(venue: Venue) -> None:
    (entry,) = (await journal(venue, 1))[-1:]

    def parts() -> Iterator[bytes]:
        yield from [b"part"] * 40
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await keep_state(venue.link, venue.keys, "one", head_of(entry), parts())
    (draft,) = await venue.link.call("KEYS", venue.keys.analytics_draft("*"))
    assert 0 < await venue.link.call("PTTL", draft) <= DRAFT_MS


async def test_a_state_beyond_the_journal_is_not_kept(venue: Venue) -> None:
    entries = await journal(venue)
    for other in ({"seq": entries[-1].seq + 1}, {"chain": "another"}):
        with pytest.raises(SnapshotUnusable, match="was set back"):
            await keep(venue, entries, **other)
    assert await kept_state(venue.link, venue.keys) is None


async def test_a_state_of_another_history_is_not_used_and_makes_way(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    entries = await journal(venue)
    await keep(venue, entries)
    instance = venue.instances.pop("a")
    await instance.crash()
    names = (venue.keys.log, venue.keys.cursor, venue.keys.leader)
    await venue.link.call("UNLINK", *names)
    fewer = await journal(venue, 2)
    assert fewer[-1].seq < entries[-1].seq
    assert await kept_state(venue.link, venue.keys) is None
    assert "the journal ends before it" in caplog.text
    await keep(venue, fewer)
    found = await kept_state(venue.link, venue.keys)
    assert found is not None
    assert found[0].chain == fewer[-1].chain


async def test_a_state_that_the_journal_does_not_continue_is_not_used(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    entries = await journal(venue)
    await keep(venue, entries[:2])
    await venue.link.call("XTRIM", venue.keys.log, "MINID", f"{entries[2].seq + 1}-0")
    assert await kept_state(venue.link, venue.keys) is None
    assert f"the journal after it begins at {entries[3].first_seq}" in caplog.text


async def test_a_state_of_a_newer_program_is_not_used(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    entries = await journal(venue)
    await keep(venue, entries, version=99)
    assert await kept_state(venue.link, venue.keys) is None
    assert "it has version 99, this program reads 2" in caplog.text


async def test_figures_beyond_the_journal_are_not_posted(venue: Venue) -> None:
    entries = await journal(venue)
    figures = folded(entries)
    poster = Poster(venue.link, venue.keys)
    last = place_of(entries[-1])
    for place in (Place(last.seq + 1, last.chain), Place(last.seq, "another")):
        with pytest.raises(StoreSetBack, match="was set back"):
            await poster.post(place, figures)
    assert await venue.client.analytics.stats("MAIN") is None
    assert await poster.post(last, figures)


async def test_what_was_not_posted_stays_to_be_posted(venue: Venue) -> None:
    entries = await journal(venue)
    newer, older = folded(entries), folded(entries[:-1])
    assert await Poster(venue.link, venue.keys).post(place_of(entries[-1]), newer)
    late = Poster(venue.link, venue.keys)
    assert not await late.post(place_of(entries[-2]), older)
    assert "MAIN" in older.changed
    older.fold(entries[-1])
    assert await late.post(place_of(entries[-1]), older)
    assert older.changed == set()
    # The next post sends what is new since this one, and no more.
    assert all(not candles.changed for candles in older.markets["MAIN"].candles.values())


async def test_a_writer_that_was_overtaken_brings_all_it_has(venue: Venue) -> None:
    """Else its changes would be put on candles that are not those that it knows of."""
    entries = await journal(venue)
    first, second = Poster(venue.link, venue.keys), Poster(venue.link, venue.keys)
    mine, others = folded(entries[:-2]), folded(entries[:-2])
    assert await first.post(place_of(entries[-3]), mine)
    others.fold(entries[-2])
    assert await second.post(place_of(entries[-2]), others)
    key = venue.keys.analytics_candles("MAIN", "1s")
    await venue.link.call("DEL", key)
    for entry in entries[-2:]:
        mine.fold(entry)
    assert await first.post(place_of(entries[-1]), mine)
    found = await venue.client.analytics.candles("MAIN", "1s", 100)
    assert found is not None
    assert found[1] == mine.markets["MAIN"].candles_of("1s")


async def test_candles_that_are_gone_are_taken_away(venue: Venue) -> None:
    entries = await journal(venue)
    board = AnalyticsBoard(venue.link, venue.keys)
    first, second, last = (Tip(entry.seq, entry.chain) for entry in entries[-3:])
    stats = MarketStats("MAIN")
    candles = [(time, Candle(time, 1, 1, 1, 1, 1, 1)) for time in (0, 10, 20, 30)]

    async def times() -> list[int]:
        found = await venue.client.analytics.candles("MAIN", "1s", 100)
        assert found is not None
        return [candle.time for candle in found[1]]

    await board.post_venue(last, VenueStats(last.seq, 1, HealthStats()))
    posts = [
        await board.post_market(first, stats, {"1s": candles[:3]}, None),
        await board.post_market(second, stats, {"1s": [(10, None), candles[3]]}, first),
    ]
    assert await times() == [0, 20, 30]
    posts.append(await board.post_market(last, stats, {"1s": candles[1:2]}, None))
    assert await times() == [10]
    assert posts == [Posted.OK] * 3
