"""Run by alembic: brings the tables up to date over the connection that it is given."""

from alembic import context

from matchbox_tui.consumers.persistence.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The caller's transaction holds the whole of it.
    transactional_ddl=False,
)
context.run_migrations()
