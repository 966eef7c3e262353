"""Version 0004: which taxa stand below which, which events are published and in which order, and indexes for lists."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

INDEXES = {
    "identification_by_item": ("identification", ["item", "id"]),
    "identification_by_gbif_key": ("identification", ["gbif_key", "id"]),
    "identification_by_moment": ("identification", ["moment", "id"]),
    "identification_by_taxon": ("identification", ["id", "item", "gbif_key"]),
    "label_by_item": ("label", ["item", "id"]),
    "label_by_gbif_key": ("label", ["gbif_key", "id"]),
    "label_by_moment": ("label", ["moment", "id"]),
    "label_by_taxon": ("label", ["id", "item", "gbif_key"]),
    "media_file_by_institution": ("media_file", ["institution", "iri"]),
}
"""Each index with its table and columns."""


def upgrade() -> None:
    """Make the tables, fill them from what is stored, add the indexes."""
    text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    below = op.create_table(
        "below",
        sa.Column("ancestor", text, primary_key=True),
        sa.Column("concept", text, primary_key=True),
        sa.Column("source", text, primary_key=True),
    )
    op.create_index("below_by_source", "below", ["source"])
    op.create_table(
        "feed",
        sa.Column("position", number, primary_key=True, autoincrement=False),
        sa.Column("seq", number, nullable=False),
    )
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    _fill_lineages(op.get_bind(), below)
    _fill_feed(op.get_bind())


def downgrade() -> None:
    """Drop them."""
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
    op.drop_table("feed")
    op.drop_table("below")


def _fill_lineages(connection: sa.Connection, below: sa.Table) -> None:
    from linkeddata.lineages import Placed, pairs

    rows = connection.execute(sa.text("SELECT query, concept, item, gbif_key, lineage FROM taxon ORDER BY query"))
    found: dict[str, set[tuple[str, str]]] = {}
    for query, concept, item, key, lineage in rows:
        steps = tuple(step.get("gbif_key", "") for step in json.loads(lineage))
        found.update(pairs(Placed(query, concept, item, key, steps)))
    values = [
        {"ancestor": ancestor, "concept": concept, "source": source}
        for source, placed in found.items()
        for ancestor, concept in placed
    ]
    for start in range(0, len(values), 1000):
        connection.execute(sa.insert(below), values[start : start + 1000])


def _fill_feed(connection: sa.Connection) -> None:
    connection.execute(
        sa.text(
            "INSERT INTO feed (position, seq) "
            "SELECT row_number() OVER (ORDER BY seq), seq FROM event WHERE kind IN :kinds"
        ).bindparams(sa.bindparam("kinds", expanding=True)),
        {
            "kinds": [
                f"{name}.{verb}"
                for name in ("agent", "media_file", "taxon", "label", "identification", "review")
                for verb in ("added", "changed", "removed")
            ]
        },
    )
