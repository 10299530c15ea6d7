"""Where the ``matchbox`` command begins: a signal that comes while it loads ends it without a word.

Loading takes some tenths of a second, and Python would answer a Ctrl-C in it with a traceback out
of whatever is being imported. To turn the exception into an exit code would not be enough: raised
in the midst of an import it is now and then wrapped into another one, or printed and forgotten. As
long as there is nothing to clear away, the process therefore ends at the signal itself.
`cli.running` takes over once there is.
"""

import os
import sys

EXIT_INTERRUPTED = 130

try:
    import signal
except (KeyboardInterrupt, RuntimeError):
    # Python 3.11 makes the latter of whatever is raised while a class is put together.
    sys.exit(EXIT_INTERRUPTED)


def main() -> None:
    """Runs the command line and exits with its code."""
    end_at_once()
    try:
        from matchbox_tui.cli import main as run

        run()
    except KeyboardInterrupt:
        # One more Ctrl-C, while the first was being answered.
        sys.exit(EXIT_INTERRUPTED)
    finally:
        # What Python does at its end can be interrupted too.
        end_at_once()


def end_at_once() -> None:
    """From now on a signal ends the process; one that is ignored, as under nohup, stays ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, frame: object) -> None:
    os._exit(EXIT_INTERRUPTED)
