"""The `matchbox` command without the cyclic garbage collector, to see what that adds.

Run as `python -m sim.bench.uncollected engine ...`.
"""

import gc
import runpy

if __name__ == "__main__":
    gc.disable()
    # As a program: of its modules a benchmark may not import this one.
    runpy.run_module("matchbox_tui", run_name="__main__", alter_sys=True)
