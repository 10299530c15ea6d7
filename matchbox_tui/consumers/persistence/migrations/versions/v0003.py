"""A trader's orders can be found; a snapshot says how many orders were open."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("orders_by_trader", "orders", ["trader", "id"])
    op.add_column("snapshots", sa.Column("orders", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("snapshots", "orders")
    op.drop_index("orders_by_trader", "orders")
