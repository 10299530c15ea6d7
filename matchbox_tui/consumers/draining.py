"""Ending with nothing left unread."""

import asyncio

from matchbox_tui.store import Client, StoreError

PATIENCE_SECONDS = 10.0
"""How long a consumer that is to end may get on with nothing: then it ends all the same."""


class Unread(Exception):
    """A consumer ended before it had read all that it should; `str()` says how far it came."""


class Drain:
    """What a consumer that was asked to end has still to read."""

    def __init__(self, client: Client) -> None:
        self.asked = False
        self._client = client
        self._tip = -1
        self._place = -1
        self._give_up_at: float | None = None

    def ask(self) -> None:
        """Has the consumer end as soon as it has read what is in the journal."""
        self.asked = True

    async def is_over(self, place: int, trouble: str = "") -> bool:
        """Whether all up to the journal's tip, as it was when this was first asked, is read.

        To be asked again and again, with the sequence that was reached and what stands in the way.
        Raises `Unread` where there is no getting on.
        """
        clock = asyncio.get_running_loop().time()
        if self._give_up_at is None or place > self._place:
            self._give_up_at = clock + PATIENCE_SECONDS
            self._place = place
        if self._tip < 0:
            try:
                self._tip = (await self._client.cluster()).seq
            except StoreError as error:
                trouble = str(error)
        if 0 <= self._tip <= place:
            return True
        if clock >= self._give_up_at:
            goal = f" of {self._tip}" if self._tip >= 0 else ""
            why = f": {trouble}" if trouble else ""
            raise Unread(f"read up to command {max(place, 0)}{goal} only{why}")
        return False
