"""What the gateway tells of itself and of its venue."""

import msgspec


class HealthAnswer(msgspec.Struct, frozen=True):
    """The process is alive and answers."""

    status: str


class ReadyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the venue works, seen from here.

    `sequence` is the last command that reads show, `lag` how many more the journal is known to
    have, `age_ms` how long ago reads were last known to show all there was (null: never yet).
    """

    ready: bool
    leader: str | None
    epoch: int | None
    sequence: int
    lag: int
    age_ms: int | None
    queue_depth: int | None
    error: str | None


class InstanceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An instance's last heartbeat. `role` is follower, catching_up or leading; `started` in ns."""

    id: str
    role: str
    epoch: int
    seq: int
    lag: int
    pid: int
    host: str
    started: int


class ClusterAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The venue as a whole. `instance`, `pid` and `host` are of the process that answers."""

    instance: str
    pid: int
    host: str
    leader: str | None
    epoch: int
    tip: int
    queue_depth: int
    instances: list[InstanceAnswer]
