"""Version 0007: which identification took another's place is looked up by that other."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the index."""
    op.create_index("identification_by_supersedes", "identification", ["supersedes", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("identification_by_supersedes", "identification")
