"""The store: everything that touches Redis. May import the engine.

`Server` and `Link` connect, `Keys` and the scripts say what lies where, `Store` is a node's
access to a venue, `Client` everybody else's, `Replica` the fold that both share, and
`EmbeddedServer` a private server for those who have none.
"""

from matchbox_tui.store.analytics import (
    CANDLE_SPANS,
    CANDLES_KEPT,
    ActivityStats,
    Candle,
    FlowStats,
    FlowWindow,
    HealthStats,
    HealthWindow,
    LeaderboardStats,
    MarketStats,
    PriceStats,
    QuoteStats,
    TraderStats,
    VenueStats,
)
from matchbox_tui.store.analytics_board import AnalyticsBoard, Posted
from matchbox_tui.store.analytics_state import StateHeader, keep_state, kept_state
from matchbox_tui.store.archive import FILLS_KEPT, Archive
from matchbox_tui.store.client import MAX_BATCH, QUEUE_LIMIT, Client, submission
from matchbox_tui.store.cluster import ClusterStatus, InstanceStatus, StateHash
from matchbox_tui.store.embedded import EmbeddedServer
from matchbox_tui.store.errors import (
    InDoubt,
    JournalBroken,
    Overloaded,
    Refused,
    SnapshotUnusable,
    StoreError,
    StoreSetBack,
    Unreachable,
    Unusable,
)
from matchbox_tui.store.fills import FillMessage, fill_message
from matchbox_tui.store.groups import ConsumerGroup
from matchbox_tui.store.journal import Entry, Tip, chained, parse_entry
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link, Server
from matchbox_tui.store.past import Extent, OrdersWanted, Past, PastOrder, PastUnknown
from matchbox_tui.store.registration import Registration
from matchbox_tui.store.replica import Replica
from matchbox_tui.store.restore import NO_PLACE, Base
from matchbox_tui.store.scripts import ID_MARGIN, SUBMIT
from matchbox_tui.store.server_check import check_server
from matchbox_tui.store.snapshot import Header, list_snapshots, load_snapshot
from matchbox_tui.store.snapshot_files import SnapshotFiles
from matchbox_tui.store.sparing import Sparing
from matchbox_tui.store.store import Commit, LeaderView, Outcome, Store, Tenure

__all__ = [
    "CANDLES_KEPT",
    "CANDLE_SPANS",
    "FILLS_KEPT",
    "ID_MARGIN",
    "MAX_BATCH",
    "NO_PLACE",
    "QUEUE_LIMIT",
    "SUBMIT",
    "ActivityStats",
    "AnalyticsBoard",
    "Archive",
    "Base",
    "Candle",
    "Client",
    "ClusterStatus",
    "Commit",
    "ConsumerGroup",
    "EmbeddedServer",
    "Entry",
    "Extent",
    "FillMessage",
    "FlowStats",
    "FlowWindow",
    "Header",
    "HealthStats",
    "HealthWindow",
    "InDoubt",
    "InstanceStatus",
    "JournalBroken",
    "Keys",
    "LeaderView",
    "LeaderboardStats",
    "Link",
    "MarketStats",
    "OrdersWanted",
    "Outcome",
    "Overloaded",
    "Past",
    "PastOrder",
    "PastUnknown",
    "Posted",
    "PriceStats",
    "QuoteStats",
    "Refused",
    "Registration",
    "Replica",
    "Server",
    "SnapshotFiles",
    "SnapshotUnusable",
    "Sparing",
    "StateHash",
    "StateHeader",
    "Store",
    "StoreError",
    "StoreSetBack",
    "Tenure",
    "Tip",
    "TraderStats",
    "Unreachable",
    "Unusable",
    "VenueStats",
    "chained",
    "check_server",
    "fill_message",
    "keep_state",
    "kept_state",
    "list_snapshots",
    "load_snapshot",
    "parse_entry",
    "submission",
]
