"""How an instance keeps time. All in milliseconds."""

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """`lease_ms` without a sign of life ends a lead; it is renewed every `renew_ms` and by each
    commit; a follower looks every `poll_ms`.
    """

    lease_ms: int = 2000
    renew_ms: int = 500
    poll_ms: int = 20

    def __post_init__(self) -> None:
        """Raises `ValueError` for times that could not work."""
        if not 100 <= self.lease_ms <= 600_000:
            raise ValueError("MATCHBOX_LEASE_MS must be between 100 and 600000")
        if not 10 <= self.renew_ms <= self.lease_ms // 2:
            raise ValueError("MATCHBOX_RENEW_MS must be between 10 and half of MATCHBOX_LEASE_MS")
        if not 1 <= self.poll_ms <= self.lease_ms:
            raise ValueError("MATCHBOX_POLL_MS must be between 1 and MATCHBOX_LEASE_MS")
