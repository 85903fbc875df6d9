"""Alembic's way in: `reviews.open_database` hands over the connection that it holds."""

from alembic import context

from callanalytics.store.reviews.tables import Table

connection = context.config.attributes["connection"]
# SQLite can't alter a column; Alembic then makes the table anew.
context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
