"""What Alembic runs: the migrations, on the connection it was handed. In: Alembic's context. Out: nothing."""

from alembic import context

from linkeddata.tables import METADATA


def run() -> None:
    """Run the migrations that Alembic has chosen inside the caller's transaction."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name under which Alembic loads this file; others import it only to look at it
    run()
