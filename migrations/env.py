"""Alembic's entry: migrate the application's database, one transaction a migration, with a short wait for locks."""

from alembic import context
from sqlalchemy import text

from examapp.db.session import Base, db


def run() -> None:
    with db.engine.connect() as connection:
        # Who saves waits behind a migration that waits for a lock, so it gives up after two seconds, to be run again; once it holds
        # its locks it may take its time.
        connection.execute(text("SET lock_timeout = '2s'"))
        connection.execute(text("SET statement_timeout = 0"))
        connection.commit()
        context.configure(
            connection=connection, target_metadata=Base.metadata, compare_type=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()


run()
