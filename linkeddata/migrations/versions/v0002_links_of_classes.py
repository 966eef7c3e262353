"""Version 0002: what a model's classes are linked to, from which checklist and when it was read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

COLUMNS = ("checklist_key", "aphia_id", "term", "moment")
"""The new columns of ``model_class``, empty for the classes that are there."""


def upgrade() -> None:
    """Add the columns."""
    kind = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    for name in COLUMNS:
        op.add_column("model_class", sa.Column(name, kind, nullable=False, server_default=""))


def downgrade() -> None:
    """Take them away."""
    for name in COLUMNS:
        op.drop_column("model_class", name)
