"""Trades can be found by their time."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("trades_by_time", "trades", ["timestamp", "seq"])


def downgrade() -> None:
    op.drop_index("trades_by_time", "trades")
