"""The state hashes that instances published, side by side."""

import contextlib

import msgspec

from matchbox_tui.store import Client, Server, StoreError


class HashCheck(msgspec.Struct):
    """One state in three opinions: after command `seq`, as its leader, another one and we had it.

    `old` is the instance that led when the fault came, `new` the one that led after it, or a
    standby where the leader stayed. `replayed` is the offline replay's.
    """

    seq: int
    old: str
    old_hash: str
    new: str
    new_hash: str
    replayed: str = ""

    @property
    def equal(self) -> bool:
        return self.old_hash == self.new_hash == self.replayed


class HashBoard:
    """Collects what instances say, by sequence. `contradictions` are of one and the same instance,
    which may have lived twice.
    """

    def __init__(self, client: Client) -> None:
        self._link = Server(client.server.url).link("matchbox-hashes:read")
        self._key = client.keys.hashes
        self._after = "-"
        self._said: dict[int, dict[str, str]] = {}
        self.contradictions: list[str] = []
        self.count = 0

    async def close(self) -> None:
        await self._link.close()

    async def refresh(self) -> None:
        """Reads what is new. Raises a `StoreError`."""
        for entry_id, flat in await self._link.call("XRANGE", self._key, self._after, "+"):
            self._after = f"({entry_id.decode()}"
            fields = dict(zip(flat[::2], flat[1::2], strict=True))
            self._note(fields[b"id"].decode(), int(fields[b"seq"]), fields[b"hash"].decode())

    def seqs(self) -> list[int]:
        """The sequences of which anybody told a hash."""
        return sorted(self._said)

    async def opinions(self, old: str, new: str) -> HashCheck | None:
        """The last state of which both told; with `new` the same as `old`, of any other.

        None where there is none yet, or the server can't be read now.
        """
        with contextlib.suppress(StoreError):
            await self.refresh()
        for seq in sorted(self._said, reverse=True):
            said = self._said[seq]
            others = sorted(name for name in said if name != old) if new == old else [new]
            if old in said and others and others[0] in said:
                return HashCheck(seq, old, said[old], others[0], said[others[0]])
        return None

    def differing(self, replayed: dict[int, str]) -> list[str]:
        """Every hash that is not the replay's, in words; and what contradicts itself."""
        return self.contradictions + [
            f"{name} had another state than the replay at {seq}"
            for seq, said in sorted(self._said.items())
            for name, text in said.items()
            if seq in replayed and replayed[seq] != text
        ]

    def _note(self, name: str, seq: int, text: str) -> None:
        self.count += 1
        before = self._said.setdefault(seq, {}).setdefault(name, text)
        if before != text:
            self.contradictions.append(f"{name} had two different states at {seq}")
