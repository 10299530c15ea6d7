"""The `matchbox` command without the cyclic garbage collector, to see what that adds.

Run as `python -m sim.bench.uncollected engine ...`.
"""

import gc

from matchbox_tui.entry import main

if __name__ == "__main__":
    gc.disable()
    main()
