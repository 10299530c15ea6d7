"""Matchbox TUI: an exchange in a terminal.

``engine`` matches, ``store`` keeps it in Redis, ``node`` runs one instance, ``tui`` is the
screen and ``cli`` wires them together. The arrows of import point that way only.
"""

__version__ = "0.1.0"
