"""What a runner hands back when a run is over, whether virtual or live."""

import msgspec

from sim.floor import FloorRecord


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """`record` is what the traders were told, which the recording has too.

    `interrupted`: somebody ended it early, and the recording holds what was until then.
    `wall_seconds` is what the run took on the wall's clock, without starting and stopping;
    `simulated_ns` is how much of the scenario's time went by. `problems` are in words what the
    runner itself found wrong, such as an instance that did not come back.
    """

    record: FloorRecord
    interrupted: bool = False
    wall_seconds: float = 0.0
    simulated_ns: int = 0
    problems: tuple[str, ...] = ()
