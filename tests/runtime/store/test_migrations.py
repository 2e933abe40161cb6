"""The schema's steps."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from crmkit.errors import ConfigError
from crmkit.values import Kind, Ref
from crmkit_runtime import migrations
from crmkit_runtime.database import Database
from crmkit_runtime.index import DeskIndex
from crmkit_runtime.migrations import REVISIONS, migrate, schema_state
from crmkit_runtime.tables import metadata


def schema(database: Database) -> set[tuple[str, str]]:
    """Every table and index as SQLite describes its columns, in words that do not depend on layout."""
    with database.read() as connection:
        names = connection.execute(
            text("select type, name from sqlite_master where name not like 'sqlite_%' and name != 'alembic_version'")
        )
        return {(row.type, row.name) for row in names}


def columns(url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            name: [tuple(row)[1:] for row in connection.execute(text(f"pragma table_info('{name}')"))]
            for name in metadata.tables
        }
    engine.dispose()
    return found


def test_steps_make_the_schema_that_the_rooms_use(database: Database) -> None:
    """After all steps the database has exactly the tables, columns and indexes of `tables.metadata`."""
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []


def test_steps_make_the_same_as_the_tables_themselves(database: Database, tmp_path: Path) -> None:
    """Types, defaults, keys and tables without rowid are those that `create_all` makes, and so are the indexes."""
    direct = Database(str(tmp_path / "direct.sqlite3"))
    with direct.write() as connection:
        metadata.create_all(connection)
    assert (columns(database.url), schema(database)) == (columns(direct.url), schema(direct))
    direct.close()


def test_revisions_are_those_of_the_folder() -> None:
    """The list that a start looks at is the chain of the step files."""
    folder = ScriptDirectory(str(Path(migrations.__file__).parent))
    chain = [step.revision for step in folder.walk_revisions()]
    assert list(reversed(chain)) == list(REVISIONS)


def test_states(path: Path) -> None:
    """A new file is empty, then current; a step that this release does not know means that a newer one was here."""
    database = Database(str(path))
    states = [schema_state(database)]
    migrate(database, {})
    states.append(schema_state(database))
    with database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    states.append(schema_state(database))
    with pytest.raises(ConfigError, match="migrated by a newer crmkit"):
        migrate(database, {})
    database.close()
    assert states == ["empty", "current", "ahead"]


def test_twice_is_once(database: Database) -> None:
    """Migrating again changes nothing and keeps the key."""
    key = Path(f"{database.path}.key").read_bytes()
    migrate(database, {})
    assert (schema_state(database), Path(f"{database.path}.key").read_bytes()) == ("current", key)


def test_keys_are_checked_again_afterwards(database: Database) -> None:
    """Foreign keys, off while tables are rebuilt, are on for everybody who comes later."""
    with database.read() as connection:
        assert connection.execute(text("pragma foreign_keys")).scalar() == 1


def test_keys_of_the_first_schema_stand_beside_their_records(path: Path) -> None:
    """What the first schema held of an extension's index is found, and replaced, after the second step."""
    database = Database(str(path))
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with database.alone() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for key, record in (("a", "1"), ("b", "1"), ("a", "2")):
            values = {"key": key, "record": record}
            connection.execute(text("insert into index_key values ('acme', 'dedup', :key, 'contact', :record)"), values)

    migrate(database, {})
    index = DeskIndex(database, "acme", "dedup")
    index.put(Ref("acme", Kind.CONTACT, "1"), ["b", "c"])
    found = index.counts(["a", "b", "c"])
    database.close()

    assert found == {"a": 1, "b": 1, "c": 1}


def test_key_file_is_for_its_owner_only(database: Database) -> None:
    """Nobody else of the machine can read the key."""
    assert stat.S_IMODE(Path(f"{database.path}.key").stat().st_mode) == 0o600


def test_no_key_file_where_the_environment_brings_the_key(path: Path) -> None:
    """With CRMKIT_KEY set no key is written to the disk."""
    database = Database(str(path))
    migrate(database, {"CRMKIT_KEY": "given"})
    database.close()
    assert not Path(f"{path}.key").exists()


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    """A database that cannot be made is a ConfigError with a remedy."""
    database = Database(str(tmp_path / "nowhere" / "service.sqlite3"))
    with pytest.raises(ConfigError, match=r"nowhere/service\.sqlite3 cannot be opened.*folder exists"):
        migrate(database, {})


def test_a_file_that_is_no_database_is_said(path: Path) -> None:
    """A file of something else is a ConfigError, not a traceback."""
    path.write_bytes(b"these are notes, not a database" * 100)
    with pytest.raises(ConfigError, match="cannot be opened: file is not a database"):
        migrate(Database(str(path)), {})
