"""An engine instance out of the options of a command."""

import socket
import uuid
from pathlib import Path
from urllib.parse import quote

from matchbox_tui.cli.markets import named_markets
from matchbox_tui.cli.running import UsageError, say
from matchbox_tui.engine import Market
from matchbox_tui.node import Node, Settings
from matchbox_tui.store import Keys, Server, SnapshotFiles, Store, check_server


class Instance:
    """An instance that is described and checked, and not started yet."""

    def __init__(
        self,
        url: str,
        prefix: str,
        name: str,
        settings: Settings,
        markets: tuple[Market, ...],
        data_dir: Path | None,
    ) -> None:
        self.url = url
        self.prefix = prefix
        self.name = name
        self.settings = settings
        self.markets = markets
        self.data_dir = data_dir

    @classmethod
    def of(
        cls,
        url: str,
        prefix: str,
        name: str,
        markets: str,
        lease_ms: int,
        renew_ms: int,
        poll_ms: int,
        snapshot_ms: int,
        history: int,
        data_dir: Path | None,
        hash_every: int,
    ) -> "Instance":
        """From what the options hold. Raises `UsageError` for what can't be."""
        try:
            settings = Settings(lease_ms, renew_ms, poll_ms, snapshot_ms, history, hash_every)
        except ValueError as error:
            raise UsageError(str(error)) from None
        opened = tuple(named_markets(markets))
        name = name or f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        if not name.isascii() or not name.isprintable() or " " in name:
            raise UsageError(f"--id {name!r}: use letters, digits and dashes")
        _check_directory(data_dir)
        return cls(url, prefix, name, settings, opened, data_dir)

    async def start(self) -> Node:
        """A node that is ready to run, on a server that was looked at.

        Raises `Unreachable` or `Unusable`.
        """
        keys = Keys(self.prefix)
        server = Server(self.url, timeout_s=0.75 * self.settings.lease_ms / 1000)
        probe = server.link()
        try:
            for warning in await check_server(probe, keys):
                say(f"matchbox: warning: {warning}")
        finally:
            await probe.close()
        return Node(
            Store(server, keys, self.name), self.settings, self.markets, files=self._files()
        )

    def _files(self) -> SnapshotFiles | None:
        if self.data_dir is None:
            return None
        # Several venues may share the directory, as they may share the server.
        return SnapshotFiles(self.data_dir / quote(self.prefix, safe=""))


def _check_directory(path: Path | None) -> None:
    """Makes the data directory. Raises `UsageError` where there can be none."""
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--data-dir {path}: can't make that directory ({error.strerror}): name another"
        ) from None
