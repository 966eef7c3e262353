"""Alembic migrations of the store: one file a version of the schema. In: a connection. Out: the newest schema in it.

To write the next one: change ``records.py``, add ``versions/vNNNN_what.py`` that says the same as operations, and set
``tables.SCHEMA``; a test compares the tables that the migrations make with those that ``tables.py`` derives.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from linkeddata.errors import StoreError


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for these migrations, without any file."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    found.set_main_option("path_separator", "os")
    found.attributes["connection"] = connection
    return found


def head() -> str:
    """Return the newest version there is a migration for."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date inside the connection's transaction. Raises ``StoreError`` for an unknown version."""
    try:
        command.upgrade(config(connection), "head")
    except CommandError as error:
        raise StoreError(f"the store was written by another version of De Boodt: {error}") from error
