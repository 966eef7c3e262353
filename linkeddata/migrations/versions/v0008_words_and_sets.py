"""Version 0008: in which word an answer is given, how sure each rank is, what the truth lies within, what was known."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns, empty for what is there."""
    text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    op.add_column("identification", sa.Column("word", text, nullable=False, server_default=""))
    for name in ("masses", "within", "priors"):
        op.add_column("identification", sa.Column(name, text, nullable=False, server_default="[]"))
    op.add_column("identification", sa.Column("coverage", sa.Float(53), nullable=False, server_default="0"))


def downgrade() -> None:
    """Take them away."""
    for name in ("word", "masses", "within", "priors", "coverage"):
        op.drop_column("identification", name)
