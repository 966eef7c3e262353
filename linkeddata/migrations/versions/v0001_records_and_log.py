"""Version 0001: a table for each record, and the log."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

TABLES = {
    "agent": "id kind name version homepage",
    "media_file": """
        iri title page original sha1 mime width_px:int height_px:int size_bytes:int licence credit creator created
        description inventory_number institution group revision:int simulated:bool""",
    "tag": """
        id file item verbatim language agent moment route campaign prominent:bool part region statement revision:int
        withdrawn withdrawn_by""",
    "taxon": """
        query concept name authorship rank item gbif_key col_id aphia_id checklist_key lineage vernaculars matched_name
        match_type confidence:int status source moment reason""",
    "label": """
        id campaign file concept name rank item gbif_key support:int dissent:int voters:int probability:float status
        method moment""",
    "model_class": "id model version index:int label rank item gbif_key col_id lineage relation",
    "identification": """
        id file sha1 model version weights label rank item gbif_key col_id certainty:float novelty:float rule
        alternatives region agent moment status supersedes campaign""",
    "review": "id target verdict agent moment correction comment",
    "failure": "id step subject reason detail campaign moment",
    "campaign_file": "id campaign file role",
    "step": "id campaign name fingerprint counts seconds:float moment",
    "event": "seq:int moment agent kind subject payload",
}
"""Columns in order, the primary key first; text unless it says otherwise."""

INDEXES = {
    "media_file": "sha1 inventory_number title",
    "tag": "file campaign",
    "taxon": "concept",
    "label": "campaign file",
    "model_class": "model",
    "identification": "file sha1 campaign",
    "review": "target",
    "failure": "campaign",
    "campaign_file": "campaign file",
    "step": "campaign",
    "event": "kind subject",
}
"""Columns looked up by; each index ends in the primary key."""


def upgrade() -> None:
    """Make the tables and their indexes."""
    for table, columns in TABLES.items():
        key, *rest = [_column(c) for c in columns.split()]
        op.create_table(table, key, *rest, sa.PrimaryKeyConstraint(key.name))
        for name in INDEXES.get(table, "").split():
            op.create_index(f"{table}_by_{name}", table, [name, key.name])


def downgrade() -> None:
    """Drop everything."""
    for table in TABLES:
        op.drop_table(table)


def _column(said: str) -> sa.Column[Any]:
    name, _, kind = said.partition(":")
    types: dict[str, sa.types.TypeEngine[Any]] = {
        "": sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql"),
        "int": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        "float": sa.Float(53),
        "bool": sa.Boolean(),
    }
    return sa.Column(name, types[kind], nullable=False, autoincrement=False)
