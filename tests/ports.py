"""Ports of this machine that nobody listens on."""

import os
import socket

APART = 61


def free_port(in_a_row: int = 1) -> int:
    """The first of so many free ports. They lie below those that the system hands out by itself,
    so that nobody gets one by chance between this look and the use, and those of test runs that
    go side by side lie apart.
    """
    first = 10_000 + os.getpid() * APART % 20_000
    while not all(_is_free(first + n) for n in range(in_a_row)):
        first += in_a_row
    return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As our servers do: what only waits for its last packets is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
