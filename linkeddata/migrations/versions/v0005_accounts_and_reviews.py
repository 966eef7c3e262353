"""Version 0005: accounts, what opens them, the queue of reviews, and what a review says beside its verdict."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

TABLES: dict[str, tuple[list[str], list[str]]] = {
    "account": (["id"], ["name", "agent", "role", "branches", "password", "wikimedia", "created", "disabled"]),
    "session": (["key"], ["account", "form", "created", "expires"]),
    "token": (["id"], ["key", "account", "label", "scopes", "created", "expires", "used", "revoked"]),
    "attempt": (["id"], ["subject", "moment"]),
    "queue": (
        ["target"],
        ["kind", "file", "campaign", "concept", "institution", "place", "reasons", "wanted", "disputed"],
    ),
    "hold": (["target", "account"], ["until"]),
    "followed": (["name"], ["seq"]),
}
"""Each table with its key and its other columns."""
INDEXES: dict[str, tuple[str, list[str], bool]] = {
    "account_by_name": ("account", ["name"], True),
    "account_by_agent": ("account", ["agent"], False),
    "account_by_wikimedia": ("account", ["wikimedia"], False),
    "session_by_account": ("session", ["account", "key"], False),
    "token_by_key": ("token", ["key"], True),
    "token_by_account": ("token", ["account", "id"], False),
    "attempt_by_subject": ("attempt", ["subject", "moment"], False),
    "attempt_by_moment": ("attempt", ["moment"], False),
    "queue_by_place": ("queue", ["place", "target"], False),
    "queue_by_campaign": ("queue", ["campaign", "place", "target"], False),
    "queue_by_institution": ("queue", ["institution", "place", "target"], False),
    "queue_by_concept": ("queue", ["concept", "place", "target"], False),
    "queue_by_file": ("queue", ["file", "target"], False),
    "hold_by_account": ("hold", ["account", "target"], False),
    "review_by_file": ("review", ["file", "id"], False),
    "review_by_agent": ("review", ["agent", "id"], False),
}
"""Each index with its table and columns, and whether it is unique."""
OF_REVIEW = ("kind", "file", "concept", "campaign", "seen", "undone")


def upgrade() -> None:
    """Make the tables, add the columns and indexes."""
    text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    types: dict[str, Any] = {"place": sa.Float(53), "wanted": number, "disputed": number, "seq": number}
    for name, (keys, others) in TABLES.items():
        columns = [sa.Column(column, text, primary_key=True) for column in keys]
        columns += [sa.Column(column, types.get(column, text), nullable=False) for column in others]
        op.create_table(name, *columns)
    op.add_column("label", sa.Column("counted", text, nullable=False, server_default=""))
    for column in OF_REVIEW:
        op.add_column("review", sa.Column(column, text, nullable=False, server_default=""))
    op.add_column("review", sa.Column("decides", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, (table, on, unique) in INDEXES.items():
        op.create_index(name, table, on, unique=unique)


def downgrade() -> None:
    """Drop them."""
    for name, (table, _, _) in INDEXES.items():
        op.drop_index(name, table)
    for table in TABLES:
        op.drop_table(table)
    for column in (*OF_REVIEW, "decides"):
        op.drop_column("review", column)
    op.drop_column("label", "counted")
