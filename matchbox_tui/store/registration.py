"""A consumer of the journal as the server knows it: how far it is, and which copy of it works.

Its place is a consumer group on the journal, so that what it has not read yet is not trimmed.
"""

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
        try:
            await self._link.call("XGROUP", "SETID", self._keys.log, self.group, f"{seq}-0")
        except NoGroup:
            create = ("XGROUP", "CREATE", self._keys.log, self.group, f"{seq}-0", "MKSTREAM")
            await self._link.call(*create)

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
