"""Where the analytics' figures lie: posted by whoever works as analytics, read by everybody."""

import enum
from collections.abc import Mapping, Sequence

import msgspec

from matchbox_tui.store.analytics import Candle, MarketStats, VenueStats
from matchbox_tui.store.errors import Refused
from matchbox_tui.store.journal import Tip
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link, Reply
from matchbox_tui.store.scripts import POST

Changes = Mapping[str, Sequence[tuple[int, Candle | None]]]
"""By length: the beginning of each candle that changed, and the candle, None where it is gone."""

_venue = msgspec.json.Decoder(VenueStats)
_market = msgspec.json.Decoder(MarketStats)
_candle = msgspec.json.Decoder(Candle)


class Posted(enum.Enum):
    """What became of a post; nothing was changed but by OK."""

    OK = "OK"
    OTHER = "OTHER"
    NEWER = "NEWER"
    AHEAD = "AHEAD"


class AnalyticsBoard:
    """The figures of one venue, over one link. All calls raise `StoreError`."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    async def post_venue(self, place: Tip, stats: VenueStats) -> Posted:
        return await self._post(self._keys.analytics, None, place, stats, {}, ())

    async def post_market(
        self, place: Tip, stats: MarketStats, candles: Changes, before: Tip | None
    ) -> Posted:
        """Posts a market's figures of a place in the journal.

        `candles` are those that changed since this writer's last post, of the place `before`; or
        all, and `before` is None.
        """
        keys = [self._keys.analytics_candles(stats.market, name) for name in candles]
        key = self._keys.analytics_market(stats.market)
        return await self._post(key, before, place, stats, candles, keys)

    async def stats(self, market: str) -> tuple[VenueStats, MarketStats] | None:
        """How far the analytics are, and a market's figures; None where there are no analytics."""
        keys = self._keys
        commands = [
            ("HGET", keys.analytics, "stats"),
            ("HGET", keys.analytics_market(market), "stats"),
        ]
        venue, stats = _checked(await self._link.calls(commands))
        if venue is None:
            return None
        try:
            found = _market.decode(stats) if stats is not None else MarketStats(market)
            return _venue.decode(venue), found
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise _unreadable(keys.analytics, error) from None

    async def candles(
        self, market: str, interval: str, limit: int
    ) -> tuple[VenueStats, list[Candle]] | None:
        """How far the analytics are, and a market's newest candles by time; None for none.

        `interval` is one of `CANDLE_SPANS`.
        """
        keys = self._keys
        key = keys.analytics_candles(market, interval)
        venue, values = _checked(
            await self._link.calls([("HGET", keys.analytics, "stats"), ("HVALS", key)])
        )
        if venue is None:
            return None
        try:
            found = sorted((_candle.decode(raw) for raw in values), key=lambda one: one.time)
            return _venue.decode(venue), found[-limit:]
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise _unreadable(key, error) from None

    async def _post(
        self,
        key: str,
        before: Tip | None,
        place: Tip,
        stats: VenueStats | MarketStats,
        candles: Changes,
        keys: Sequence[str],
    ) -> Posted:
        args: list[str | bytes | int] = ["", ""] if before is None else [before.seq, before.chain]
        args += (place.seq, place.chain, msgspec.json.encode(stats))
        for changed in candles.values():
            args.append(len(changed))
            for start, candle in changed:
                args += (start, msgspec.json.encode(candle) if candle is not None else "")
        reply = await self._link.run(POST, (key, self._keys.cursor, *keys), args)
        return Posted(reply.decode())


def _checked(replies: list[Reply]) -> list[Reply]:
    for reply in replies:
        if isinstance(reply, Refused):
            raise reply
    return replies


def _unreadable(key: str, error: Exception) -> Refused:
    return Refused(
        f"{key} can't be read ({error}): start matchbox consume analytics of this version"
    )
