"""A consumer of the journal as the server knows it: how far it is, and which copy of it works.

Its place is a consumer group on the journal, so that what it has not read yet is not trimmed.
"""

from matchbox_tui.store.errors import Refused
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link, Server
from matchbox_tui.store.refusals import NoGroup
from matchbox_tui.store.scripts import LEAVE_DUTY, TAKE_DUTY

GROUP_PREFIX = "consumer:"
"""What the names of our consumers' groups begin with."""


class Registration:
    """One copy of the consumer `name`, over a connection of its own. All calls raise `StoreError`.

    `copy` names this copy among others of the same consumer.
    """

    def __init__(self, server: Server, keys: Keys, name: str, copy: str) -> None:
        self.name = name
        self.copy = copy
        self.group = f"{GROUP_PREFIX}{name}"
        self._keys = keys
        self._link: Link = server.link(f"matchbox-consumer:{name}")

    async def close(self) -> None:
        await self._link.close()

    async def has_read(self, seq: int) -> None:
        """Notes that the journal up to `seq` is not needed any more; registers at the first call.

        Call it only once the results up to there are safe.
        """
        log, place = self._keys.log, f"{seq}-0"
        # What was delivered to this name and not acknowledged: nothing ever, but by asking for it
        # the server knows when this consumer was last heard.
        show = ("XREADGROUP", "GROUP", self.group, self.name, "COUNT", 1, "STREAMS", log, 0)
        replies = await self._link.calls([("XGROUP", "SETID", log, self.group, place), show])
        if isinstance(replies[0], NoGroup):
            create = ("XGROUP", "CREATE", log, self.group, place, "MKSTREAM")
            replies = await self._link.calls([create, show])
        if isinstance(replies[0], Refused):
            raise replies[0]

    async def register(self) -> None:
        """Holds back trimming from the journal's beginning on, if it isn't registered already."""
        groups = await self._link.calls([("XINFO", "GROUPS", self._keys.log)])
        known = groups[0] if isinstance(groups[0], list) else []
        if not any(self.group.encode() in flat for flat in known):
            await self.has_read(0)

    async def take(self, ms: int) -> str:
        """Takes the work, or goes on with it, for `ms`; returns the copy whose it is then."""
        holder: bytes = await self._link.run(
            TAKE_DUTY, (self._keys.consumer(self.name),), (self.copy, ms)
        )
        return holder.decode(errors="replace")

    async def leave(self) -> None:
        """Gives the work up, if it is this copy's: another one may go on at once."""
        await self._link.run(LEAVE_DUTY, (self._keys.consumer(self.name),), (self.copy,))
