"""One engine instance: its roles, catching up, leading, publishing, heartbeats.

May import the store and the engine. The command line starts it, one process an instance.
"""

from matchbox_tui.node.node import Node, Role
from matchbox_tui.node.settings import Settings

__all__ = ["Node", "Role", "Settings"]
