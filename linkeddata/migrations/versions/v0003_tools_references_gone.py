"""Version 0003: with which tool and on what ground a tag was made, and since when a file is known to be gone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

COLUMNS = (("tag", "tool"), ("tag", "reference"), ("media_file", "gone"))
"""The new columns, empty for what is there."""


def upgrade() -> None:
    """Add the columns."""
    kind = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    for table, name in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=""))


def downgrade() -> None:
    """Take them away."""
    for table, name in COLUMNS:
        op.drop_column(table, name)
