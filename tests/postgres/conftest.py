"""One running PostgreSQL for all tests of this folder, and a schema of its own for each."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from postgres import Postgres, running_postgres
from sql_place import SqlPlace


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Start a PostgreSQL; end it and forget its data."""
    with running_postgres(tmp_path_factory.mktemp("database")) as server:
        yield server


@pytest.fixture
def place(database: Postgres) -> SqlPlace:
    """Give a schema that nobody has made yet, with a name that must be quoted."""
    return SqlPlace(url=address(database), schema=f'Of "test" {uuid.uuid4().hex}')


def address(database: Postgres) -> str:
    """Give the database's address as SQLAlchemy wants it."""
    return database.url.replace("postgres://", "postgresql+psycopg://")
