"""Alembic's entry: migrate the application's database, one transaction a migration, with a short wait for locks."""

from alembic import context
from flask import current_app

from examapp.core.db import Base

config = context.config
engine = current_app.extensions["migrate"].db.engine


def run() -> None:
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


run()
