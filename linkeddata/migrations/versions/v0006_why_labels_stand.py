"""Version 0006: why a label stands, how sure the taxa above it are, and what machines' suggestions would add."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns, empty for what is there."""
    text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for name in ("path", "voices"):
        op.add_column("label", sa.Column(name, text, nullable=False, server_default="[]"))
    op.add_column("label", sa.Column("machine", number, nullable=False, server_default="0"))
    op.add_column("label", sa.Column("machine_probability", sa.Float(53), nullable=False, server_default="0"))
    op.add_column("label", sa.Column("machine_status", text, nullable=False, server_default=""))


def downgrade() -> None:
    """Take them away."""
    for name in ("path", "voices", "machine", "machine_probability", "machine_status"):
        op.drop_column("label", name)
