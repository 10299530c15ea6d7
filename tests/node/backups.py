"""A venue's keys, put away and put back: what an operator does who restores a backup."""

from matchbox_tui.store import Link


class Backup:
    """All keys of one venue at one moment."""

    def __init__(self, link: Link, prefix: str, kept: list[tuple[bytes, bytes, int]]) -> None:
        self._link = link
        self._prefix = prefix
        self._kept = kept

    @classmethod
    async def of(cls, link: Link, prefix: str) -> "Backup":
        names = await _names(link, prefix)
        kept = []
        if names:
            commands: list[tuple[str | bytes, ...]] = []
            for name in names:
                commands += [("DUMP", name), ("PTTL", name)]
            *_, replies = await link.calls([("MULTI",), *commands, ("EXEC",)])
            kept = [
                (name, dump, max(0, ttl))
                for name, dump, ttl in zip(names, replies[::2], replies[1::2], strict=True)
                if dump is not None
            ]
        return cls(link, prefix, kept)

    async def restore(self) -> None:
        """Puts the keys back as they were, and away what came since, in one step."""
        commands: list[tuple[str | bytes | int, ...]] = [("MULTI",)]
        commands += [("DEL", name) for name in await _names(self._link, self._prefix)]
        # What was made since the names were asked for is there again.
        commands += [("RESTORE", name, ttl, dump, "REPLACE") for name, dump, ttl in self._kept]
        *_, replies = await self._link.calls([*commands, ("EXEC",)])
        assert isinstance(replies, list)
        assert not any(isinstance(reply, Exception) for reply in replies), replies


async def _names(link: Link, prefix: str) -> list[bytes]:
    return sorted(await link.call("KEYS", f"{prefix}*"))
