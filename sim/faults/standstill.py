"""A process that stands still for a while."""

import os
import signal
import subprocess


class Stopped:
    """A process that can be made to stand still; it goes on at `resume`, or when we are gone.

    A process that stands still hears nothing, not even that its parent died. So another one
    waits for that, and wakes it.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._waker = subprocess.Popen(
            ["sh", "-c", 'read -r _; kill -CONT "$0"', str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._waker.stdin is not None
        self._waker.stdin.close()
        self._waker.wait()
