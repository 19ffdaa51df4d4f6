"""One line of migrations that leads to exactly the tables the models describe, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from app.core import db, migrate


def test_there_is_one_head():
    assert len(migrate.heads()) == 1


def test_the_migrated_database_is_what_the_models_describe(app):
    with app.extensions["hall_db"].write_engine.connect() as connection:
        kind = "sqlite" if connection.dialect.name == "sqlite" else "mysql"
        opts = {"compare_type": True, "include_object": migrate.only_on(kind)}
        context = MigrationContext.configure(connection, opts=opts)

        differences = compare_metadata(context, db.Model.metadata)

    assert differences == []


def test_migrating_twice_does_nothing(app):
    said = migrate.upgrade(app.extensions["hall_settings"].database_url)

    assert said.startswith("up to date")
