"""Alembic's environment: runs the migrations on the connection it is handed."""

from alembic import context

from compose.migrate.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
