"""The application starts and its schema is what the models say."""

from alembic import command

from examapp.db.schema import migration_config


def test_schema_of_the_migrations_is_the_schema_of_the_models(app):
    with app.app_context():
        command.check(migration_config())


def test_a_world_can_be_made(world):
    county = world.unit("某县", kind="county")
    person = world.person(world.unit("司法局", parent=county))
    assert person.id
    assert world.exam(world.blueprint()).id
    assert world.question().current_version.number == 1
