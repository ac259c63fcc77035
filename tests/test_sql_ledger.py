"""The ledger in a database, tried in a SQLite file; ``tests/postgres`` holds a PostgreSQL to the same."""

from __future__ import annotations

import builtins
import importlib
import os
import pickle
import sys
import traceback
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sql_ledger_cases import SqlLedgerCases, ended, refusal
from sql_place import SqlPlace
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, InvalidRequestError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import NullPool

from omsync.errors import InvalidValueError, WrongTypeError
from omsync.ledgers._sql_address import engine_at, secrets_of, shown_address
from omsync.ledgers._sql_faults import explain, tells
from omsync.ledgers.sql import SqlLedger
from omsync.secrets import Secret

PASSWORD = "hunter2hunter2"


@pytest.fixture
def place(tmp_path: Path) -> SqlPlace:
    return SqlPlace(url=f"sqlite:///{tmp_path / 'ledger.db'}")


class TestOnSqlite(SqlLedgerCases):
    """The same cases as on PostgreSQL."""


# -- where it is


def nothing_is_told(error: BaseException) -> None:
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)
    assert PASSWORD not in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (f"mysql+pymysql://ann:{PASSWORD}@db.example/shop", "unknown_database"),
        (f"postgres://ann:{PASSWORD}@db.example/shop", "unknown_database"),
        (f"postgresql+nonesuch://ann:{PASSWORD}@db.example/shop", "no_driver"),
    ],
)
def test_what_no_ledger_can_be_kept_in_is_refused_with_an_address_that_would_do(
    address: str, code: str
) -> None:
    for place in (address, Secret(address)):
        error = refusal(lambda place=place: SqlLedger(place), code)  # type: ignore[misc]  # bound at once
        assert "postgresql+psycopg://" in error.remedy
        nothing_is_told(error)


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        f"postgresql://ann:{PASSWORD}:x@db.example:54x/shop",
        f"postgresql+psycopg://ann:pa@{PASSWORD}@db.example/shop",
        f"postgresql+psycopg://ann:p@ss/{PASSWORD}@db.example/shop",
    ],
)
def test_an_address_that_cannot_be_understood_is_not_shown(address: str) -> None:
    with pytest.raises(InvalidValueError, match="not shown") as caught:
        SqlLedger(address)
    assert "%40" in caught.value.remedy
    nothing_is_told(caught.value)


def test_a_ledger_shows_where_it_is_and_neither_user_nor_password(place: SqlPlace, tmp_path: Path) -> None:
    address = URL.create(
        "postgresql+psycopg", "ann", PASSWORD, "::1", 5432, "shop", query={"sslpassword": "hunter22"}
    )
    assert shown_address(address) == "postgresql://[::1]:5432/shop"
    assert secrets_of(address) == (PASSWORD, "hunter22")
    with place.open() as ledger:
        assert repr(ledger) == f"SqlLedger('sqlite:///{tmp_path}/ledger.db')"
        with pytest.raises((TypeError, AttributeError)):
            pickle.dumps(ledger)


@pytest.mark.parametrize(
    "address", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"]
)
def test_a_database_that_each_thread_has_to_itself_is_refused(address: str) -> None:
    with pytest.raises(InvalidValueError, match="in memory") as caught:
        SqlLedger(address)
    assert "SqliteLedger" in caught.value.remedy


def test_what_is_neither_address_nor_engine_is_refused(place: SqlPlace) -> None:
    for thing in (None, 5, Path("ledger.db")):
        with pytest.raises(WrongTypeError, match="an address or an Engine"):
            SqlLedger(thing)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(InvalidValueError, match="PostgreSQL's only"):
        SqlLedger(place.url, schema="elsewhere")
    for name in ("stale_after", "keep"):
        with pytest.raises(InvalidValueError, match=name):
            SqlLedger(place.url, **{name: timedelta()})  # type: ignore[arg-type]  # by name


def test_a_driver_for_async_programs_is_refused(place: SqlPlace) -> None:
    engine = create_engine(place.url, poolclass=NullPool)
    engine.dialect.is_async = True  # stands for asyncpg, which need not be installed
    error = refusal(lambda: engine_at(engine), "no_driver")
    assert "omsync.aio" in error.remedy


def test_an_engine_that_was_given_is_used_as_it_is_and_stays_open(place: SqlPlace) -> None:
    engine = create_engine(place.url)
    ledger = place.open(engine)
    ledger.finish_run(ended())
    ledger.close()
    refusal(lambda: ledger.runs("acme"), "ledger_closed")
    assert engine.pool.checkedin() == 1  # type: ignore[attr-defined]  # a queue
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM omsync_runs").scalar_one() == 1
    engine.dispose()


def test_a_process_that_did_not_open_the_ledger_may_not_use_it(
    place: SqlPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.open() as ledger:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        refusal(lambda: ledger.runs("acme"), "ledger_forked")
        monkeypatch.undo()


def test_a_file_that_is_no_database_is_explained_as_by_the_other_ledger(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir, " * 200)
    assert "is not a database" in refusal(lambda: SqlLedger(f"sqlite:///{path}"), "not_a_ledger").message
    assert path.read_text().startswith("Dear Sir")


def test_without_the_library_the_import_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    ordinary = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name.startswith("sqlalchemy"):
            raise ImportError(name)
        return ordinary(name, *more)

    monkeypatch.delitem(sys.modules, "omsync.ledgers.sql")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"install omsync\[sql\]"):
        importlib.import_module("omsync.ledgers.sql")


# -- what a database complains about


class Said(Exception):  # noqa: N818  what a driver raises
    """A complaint of a driver."""

    def __init__(self, words: str = "said", **more: str) -> None:
        super().__init__(words)
        vars(self).update(more)


COMPLAINTS: Sequence[tuple[Exception, str]] = [
    (OperationalError("", None, Said("connection refused")), "ledger_unreachable"),
    (OperationalError("", None, Said(sqlstate="57P03")), "ledger_unreachable"),
    (InterfaceError("", None, Said("connection is closed")), "ledger_unreachable"),
    (
        OperationalError("", None, Said('FATAL: password authentication failed for "ann"')),
        "ledger_not_allowed",
    ),
    (DBAPIError("", None, Said(sqlstate="28P01")), "ledger_not_allowed"),
    (DBAPIError("", None, Said(pgcode="42501")), "ledger_not_allowed"),
    (DBAPIError("", None, Said(sqlstate="25006")), "ledger_not_writable"),
    (DBAPIError("", None, Said(sqlstate="42P07")), "not_a_ledger"),
    (DBAPIError("", None, Said(sqlstate="53100")), "ledger_disk_full"),
    (DBAPIError("", None, Said(sqlstate="53300")), "ledger_busy"),
    (DBAPIError("", None, Said(sqlstate="55P03")), "ledger_busy"),
    (PoolTimeoutError("no connection for 30 seconds"), "ledger_busy"),
    (DBAPIError("", None, Said(sqlstate="54000")), "text_too_long"),
    (DataError("", None, Said("text fields cannot contain NUL")), "broken_text"),
    (DBAPIError("", None, Said(sqlstate="22021")), "broken_text"),
    (DBAPIError("", None, Said(sqlstate="42P01")), "ledger_failed"),
    (DBAPIError("", None, Said("odd")), "ledger_failed"),
    (InvalidRequestError("misuse"), "ledger_failed"),
]


@pytest.mark.parametrize(("complaint", "code"), COMPLAINTS, ids=lambda one: str(one)[:30])
def test_a_complaint_is_explained_and_tells_no_secret(complaint: Exception, code: str) -> None:
    error = explain(complaint, "postgresql://db.example/shop", ())
    assert (error.code, bool(error.remedy)) == (code, True)
    assert "postgresql://db.example/shop" in error.message


def test_a_secret_that_a_driver_repeats_is_struck_out() -> None:
    complaint = OperationalError("", None, Said(f"invalid dsn:\n password={PASSWORD}"))
    error = explain(complaint, "postgresql://db.example/shop", [PASSWORD])
    assert "invalid dsn: password=***" in error.message
    assert tells(complaint, [PASSWORD])
    assert not tells(complaint, ["another"])


def test_an_error_that_shows_the_password_is_not_carried_along(
    place: SqlPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("", None, Said(f"cannot use {PASSWORD}"))

    with place.open() as ledger:
        monkeypatch.setattr(ledger._database, "_secrets", (PASSWORD,))  # noqa: SLF001  a file has no password
        monkeypatch.setattr(type(ledger._database._reader), "connect", refuse)  # noqa: SLF001  the driver's part
        error = refusal(lambda: ledger.runs("acme"), "ledger_unreachable")
    assert "cannot use ***" in error.message
    assert error.__cause__ is None
    nothing_is_told(error)
