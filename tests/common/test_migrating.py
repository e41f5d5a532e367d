"""Migrations with few rendered models give the schema that Django's own executor gives."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField, RunPython
from django.db.migrations.state import ProjectState
from django.db.models import IntegerField

from missionsite.common.migrating import Executor, LazyState
from tests.migrating import databases_of, without_garbage_collection


@pytest.fixture(scope="module")
def plain() -> ProjectState:
    """The state after all migrations, of Django's own class."""
    return MigrationLoader(None).project_state()


@pytest.fixture
def lazy(plain):
    return LazyState(plain.models, plain.real_apps).clone()


def rendered(state: LazyState) -> int:
    return sum(len(models) for models in state.apps.all_models.values())


def columns(model) -> list:
    return [
        (field.name, field.deconstruct()[1], field.null, field.unique, field.db_parameters(connection))
        for field in model._meta.fields
    ]


def relations(model) -> set[tuple[str, str]]:
    return {(each.related_model._meta.label, each.field.name) for each in model._meta.related_objects}


def test_lazy_models_have_columns_and_relations_of_django(plain, lazy):
    for key in plain.models:
        ours, theirs = lazy.apps.get_model(*key), plain.apps.get_model(*key)
        assert columns(ours) == columns(theirs)
        # It asks for all models, so it comes last.
    for key in plain.models:
        assert relations(lazy.apps.get_model(*key)) == relations(plain.apps.get_model(*key))


def test_asking_for_a_model_renders_those_it_refers_to(lazy):
    membership = lazy.apps.get_model("groups.Membership")
    assert membership._meta.get_field("group").related_model is lazy.apps.get_model("groups", "Group")
    assert rendered(lazy) < len(lazy.models) / 4


def test_change_renders_a_model_anew_and_leaves_the_copy(lazy):
    lazy.apps.get_model("groups", "Member")
    before = lazy.clone()
    AddField("member", "height", IntegerField(null=True)).state_forwards("groups", lazy)
    assert rendered(lazy) == 0
    assert lazy.apps.get_model("groups", "Member")._meta.get_field("height").null
    assert "height" not in {field.name for field in before.apps.get_model("groups", "Member")._meta.fields}


def test_code_of_a_migration_gets_relations_from_other_models(lazy):
    found = []
    operation = RunPython(lambda apps, _editor: found.append(apps.get_model("groups", "Member").memberships))
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        operation.database_forwards("groups", editor, lazy, lazy)
    assert found


@pytest.mark.long
def test_schema_is_that_of_djangos_executor(request, django_db_setup, django_db_blocker):
    databases, schemas = databases_of(request.config, django_db_blocker), []
    for kind in (Executor, MigrationExecutor):
        database = databases.copy(None, "executor")
        with without_garbage_collection(), database.as_default():
            executor = kind(connection)
            executor.migrate(executor.loader.graph.leaf_nodes())
        schemas.append(database.schema())
    assert schemas[0] == schemas[1]
