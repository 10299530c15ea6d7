"""The analytics at work: they follow the journal and post what they find, copy by copy in turn."""

import asyncio
import contextlib
import logging

from matchbox_tui.consumers.analytics.figures import Figures
from matchbox_tui.consumers.analytics.past import PastAway, PastTrades
from matchbox_tui.consumers.analytics.poster import Poster
from matchbox_tui.consumers.analytics.state import dump_figures, load_figures
from matchbox_tui.consumers.draining import Drain
from matchbox_tui.consumers.duty import LEASE_MS, RENEWALS_A_LEASE, Duty
from matchbox_tui.consumers.reader import JournalReader, Place
from matchbox_tui.store import (
    Client,
    JournalBroken,
    Registration,
    Replica,
    SnapshotUnusable,
    StateHeader,
    StoreError,
    StoreSetBack,
    keep_state,
    kept_state,
)

log = logging.getLogger(__name__)

NAME = "analytics"

EVENTS_AT_ONCE = 5000
WAIT_MS = 200
POST_SECONDS = 0.5
"""Figures are posted so often, at most."""

KEEP_SECONDS = 10.0
"""The state is kept so often, at most: the journal since then is read again after a restart."""

PAUSE_FACTOR = 20
"""A state that took long to keep is followed by a pause of so many times as long."""

FIRST_RETRY_SECONDS = 0.05
LAST_RETRY_SECONDS = 1.0


class Analytics:
    """One copy of the service.

    A copy that stands by does nothing but wait; when its turn comes, it goes on from the state
    that the other one kept. The journal is held back from being trimmed up to that place.
    """

    def __init__(
        self,
        client: Client,
        copy: str,
        *,
        past: PastTrades | None = None,
        lease_ms: int = LEASE_MS,
        post_seconds: float = POST_SECONDS,
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        """`copy` names this copy among others; `past` knows what the journal has lost."""
        self.figures: Figures | None = None
        """What is known so far; None while this copy stands by or begins."""
        self._client = client
        self._copy = copy
        self._past = past
        self._link = client.server.link(f"matchbox-{NAME}:post")
        self._registration = Registration(client.server, client.keys, NAME, copy)
        self._lease_ms = lease_ms
        self._duty = Duty(self._registration, lease_ms)
        self._poster = Poster(self._link, client.keys)
        self._reader = JournalReader(client, Place())
        self._post_seconds = post_seconds
        self._keep_seconds = keep_seconds
        self._post_at = self._keep_at = 0.0
        self._posted = self._kept = Place(-1)
        self._distrusted = False
        self._stopping = asyncio.Event()
        self._drain = Drain(client)

    def stop(self) -> None:
        """Has `run` post and keep what there is, and end."""
        self._stopping.set()

    def drain(self) -> None:
        """Ends `run` once all is read that is in the journal, or where another copy works."""
        self._drain.ask()

    async def run(self) -> None:
        """Works, or waits for its turn, until it is to stop; through every loss of the server.

        Raises `Unread` where it was to read all and can't, and `PastUnusable`.
        """
        pause, said = FIRST_RETRY_SECONDS, ""
        try:
            while not self._stopping.is_set() and not await self._drained(said):
                try:
                    await self._step()
                    pause, said = FIRST_RETRY_SECONDS, ""
                    continue
                except JournalBroken as error:
                    # A state that contradicts the journal may itself be wrong. One that was
                    # set back with the store is of the journal that there is now.
                    self._distrusted = not isinstance(error, StoreSetBack)
                    self.figures = None
                    if str(error) != said:
                        log.error("Reading the journal anew: %s", error)
                        said = str(error)
                except StoreError as error:
                    if str(error) != said:
                        log.warning("The analytics wait for the server: %s", error)
                        said = str(error)
                except PastAway as error:
                    if str(error) != said:
                        log.warning("The analytics wait for the past: %s", error)
                        said = str(error)
                await self._rest(pause)
                pause = min(2 * pause, LAST_RETRY_SECONDS)
            await self._finish()
        finally:
            with contextlib.suppress(StoreError):
                await self._duty.leave()
            await self._registration.close()
            await self._link.close()

    async def _drained(self, trouble: str) -> bool:
        if not self._drain.asked:
            return False
        if self._duty.is_anothers:
            return True
        place = self._reader.place.seq if self.figures is not None else -1
        return await self._drain.is_over(place, trouble)

    async def _step(self) -> None:
        """One turn of the loop. Raises a `StoreError`."""
        if not await self._duty.look():
            self.figures = None
            await self._rest(self._lease_ms / 1000 / RENEWALS_A_LEASE)
            return
        if self.figures is None:
            async with self._duty.renewed():
                self.figures = await self._begin()
        await self._read(self.figures)
        clock = asyncio.get_running_loop().time
        if clock() >= self._post_at and self._posted != self._reader.place:
            await self._post(self.figures)
        if clock() >= self._keep_at and self._kept != self._reader.place:
            await self._keep(self.figures)

    async def _rest(self, seconds: float) -> None:
        """Waits so long, or until it is to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _begin(self) -> Figures:
        """Figures from the state that was kept, or from as far back as the journal goes."""
        await self._registration.register()
        self._poster.forget()
        self._posted = Place(-1)
        clock = asyncio.get_running_loop().time
        self._keep_at = clock() + self._keep_seconds
        kept = None if self._distrusted else await kept_state(self._link, self._client.keys)
        if kept is not None:
            head, parts = kept
            try:
                # In a thread: on the loop it would hold up what keeps this copy its turn.
                figures = await asyncio.to_thread(load_figures, head, parts)
            except ValueError as error:
                log.warning("The analytics begin anew, their state can't be used: %s", error)
            else:
                log.info("Going on at %d, counting from %d on", head.seq, head.since)
                self._kept = Place(head.seq, head.chain, head.epoch)
                self._reader = JournalReader(self._client, self._kept)
                return figures
        replica = await self._client.restore(oldest=True)
        place = Place(replica.seq, replica.chain, replica.epoch)
        self._kept = Place(-1)
        self._reader = JournalReader(self._client, place)
        if not replica.seq:
            log.info("Counting from the journal's beginning on")
            return Figures(replica.exchange)
        log.warning("Counting from command %d on: the journal before it was trimmed", place.seq + 1)
        return await self._recall(replica)

    async def _recall(self, replica: Replica) -> Figures:
        """Figures from a snapshot on, and the trades before it as far as a database knows them.

        Raises `PastAway` and `PastUnusable`.
        """
        figures = Figures(replica.exchange)
        if self._past is None:
            return figures
        recalled = await asyncio.to_thread(self._past.recall, figures, self._stopping.is_set)
        why_not = recalled.why_not
        if recalled.place is not None:
            try:
                await self._client.check_continued(recalled.place)
            except SnapshotUnusable as error:
                why_not = f"the database is of another history: {error}"
            else:
                log.info(
                    "Prices, candles and traders count from command %d on", figures.history_from
                )
                return figures
        log.warning("The past before %d is not known: %s", replica.seq + 1, why_not)
        return Figures(replica.exchange)

    async def _read(self, figures: Figures) -> None:
        for entry in await self._reader.batch(EVENTS_AT_ONCE, WAIT_MS):
            figures.fold(entry)
            await asyncio.sleep(0)

    async def _post(self, figures: Figures) -> None:
        if await self._poster.post(self._reader.place, figures):
            self._posted = self._reader.place
        self._post_at = asyncio.get_running_loop().time() + self._post_seconds

    async def _keep(self, figures: Figures) -> None:
        """Keeps the state. What goes wrong is said, and the state before stays."""
        clock = asyncio.get_running_loop().time
        began, place = clock(), self._reader.place
        head = StateHeader(place.seq, place.chain, place.epoch, figures.since, figures.history_from)
        try:
            parts = dump_figures(figures)
            async with self._duty.renewed():
                await keep_state(self._link, self._client.keys, self._copy, head, parts)
            self._kept = place
            self._distrusted = False
            await self._registration.has_read(place.seq)
        except StoreError as error:
            log.warning("The analytics' state was not kept: %s", error)
        took = clock() - began
        self._keep_at = clock() + max(self._keep_seconds, PAUSE_FACTOR * took)

    async def _finish(self) -> None:
        try:
            if self.figures is not None and self._duty.ours:
                await self._post(self.figures)
                if self._kept != self._reader.place:
                    await self._keep(self.figures)
        except StoreError as error:
            log.warning("The analytics end without the server: %s", error)
