"""The schema as `migrate` and the roles see it, over HTTP."""

import pytest

from ninelives.schema import apply_schema, connect_database, plan_schema
from ninelives.settings import Settings
from storage.client import Database
from storage.errors import DatabaseError

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(bridge, tmp_path):
    found = Settings(clickhouse=bridge.url("schema"), data=tmp_path)
    yield found
    Database(bridge.url("default")).command("DROP DATABASE IF EXISTS schema SYNC")


def test_a_role_works_only_with_all_tables_and_views_and_names_the_command_that_makes_them(bridge, settings):
    database = connect_database(settings)
    with pytest.raises(DatabaseError, match="run 'ninelives migrate'"):
        database.command("SELECT 1")
    applied = apply_schema(settings)
    assert database.command("SELECT 1") == 1, "the same role goes on as soon as they are there"
    database.close()
    assert applied[0].name.startswith("0001_")
    Database(bridge.url("schema")).command("DROP VIEW views_checksum SYNC")
    with pytest.raises(DatabaseError, match="run 'ninelives migrate'"):
        connect_database(settings).command("SELECT 1")


def test_a_plan_changes_nothing_and_is_empty_when_it_was_carried_out(bridge, settings):
    planned = plan_schema(settings)
    with pytest.raises(DatabaseError, match="does not exist"):
        Database(settings.clickhouse_url, create=False).command("SELECT 1")
    assert apply_schema(settings) == planned
    assert plan_schema(settings) == []
    assert apply_schema(settings) == []


def test_a_role_refuses_a_database_of_a_newer_version(settings):
    apply_schema(settings)
    Database(settings.clickhouse_url).insert("migrations", [("9999_from_tomorrow", "")], ["name", "checksum"])
    with pytest.raises(DatabaseError, match=r"9999_from_tomorrow.*use the newer version"):
        connect_database(settings).command("SELECT 1")
