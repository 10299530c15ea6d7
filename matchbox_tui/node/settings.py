"""How an instance keeps time, and how much it keeps."""

import msgspec

from matchbox_tui.store import FILLS_KEPT


class Settings(msgspec.Struct, frozen=True):
    """Times in ms. `lease_ms` without a sign of life ends a lead; it is renewed every `renew_ms`
    and by each commit; a follower looks every `poll_ms`, or half as often where nothing happens.

    A snapshot is taken every `snapshot_ms`, or earlier where the journal has grown by a quarter of
    `history`; so many commands, and what comes between two snapshots, stay in the journal for
    whoever looks back, and the newest `fills_kept` fills in `events_stream`. With
    `hash_every` the instance publishes its state hash at the first commit end at or after each
    multiple of that sequence (0: never).
    """

    lease_ms: int = 2000
    renew_ms: int = 500
    poll_ms: int = 20
    snapshot_ms: int = 10_000
    history: int = 100_000
    hash_every: int = 0
    fills_kept: int = FILLS_KEPT

    def __post_init__(self) -> None:
        """Raises `ValueError` for values that could not work."""
        if not 100 <= self.lease_ms <= 600_000:
            raise ValueError("MATCHBOX_LEASE_MS must be between 100 and 600000")
        if not 10 <= self.renew_ms <= self.lease_ms // 2:
            raise ValueError("MATCHBOX_RENEW_MS must be between 10 and half of MATCHBOX_LEASE_MS")
        if not 1 <= self.poll_ms <= self.lease_ms:
            raise ValueError("MATCHBOX_POLL_MS must be between 1 and MATCHBOX_LEASE_MS")
        if not 100 <= self.snapshot_ms <= 86_400_000:
            raise ValueError("MATCHBOX_SNAPSHOT_INTERVAL_MS must be between 100 and 86400000")
        if self.history < 0:
            raise ValueError("MATCHBOX_HISTORY must be 0 or more")
        if self.fills_kept < 0:
            raise ValueError("fills_kept must be 0 or more")
        if self.hash_every < 0:
            raise ValueError("MATCHBOX_HASH_EVERY must be 0 or more")
