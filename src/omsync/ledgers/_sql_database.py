"""The database in use: each call is one transaction, and is repeated only where that can do no harm."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_random_exponential

from omsync.errors import LedgerError
from omsync.ledgers._sql_address import engine_at, secrets_of, shown_address
from omsync.ledgers._sql_faults import explain, tells, was_cut_off, was_undone
from omsync.secrets import Secret

__all__ = ["Database"]

T = TypeVar("T")

_ATTEMPTS = 8
"""How often a transaction is tried that others were in the way of."""
_AFTER_A_BREAK = 2
"""How often what can be repeated is tried when the connection breaks: a new one comes about, or none does."""
_ISOLATION = {"postgresql": "READ COMMITTED", "sqlite": "SERIALIZABLE"}
# PostgreSQL: nobody waits for ever; a program that vanished in its transaction frees what it holds; what was
# committed is on the disk, also on a server that does not insist on that.
_BEGIN = {
    "postgresql": (
        "SELECT set_config('lock_timeout', '30s', true), "
        "set_config('idle_in_transaction_session_timeout', '60s', true), "
        "set_config('synchronous_commit', CASE current_setting('synchronous_commit') "
        "WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)"
    ),
    "sqlite": "BEGIN IMMEDIATE",
}
_CLOCK = {
    # Not now(), which stands still in a transaction while that waits for another one.
    "postgresql": "SELECT clock_timestamp()",
    "sqlite": "SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
}


class Database:
    """One database, for the threads of one process.

    Args:
        place: Its address or engine. An engine that was given is not closed.
    """

    def __init__(self, place: str | Secret | URL | Engine) -> None:
        engine = engine_at(place)
        self.name = shown_address(engine.url)
        self.dialect = engine.dialect.name
        self._secrets = secrets_of(engine.url)
        self._process = os.getpid()
        self._is_open = True
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writer = engine.execution_options(isolation_level=_ISOLATION[self.dialect])
        # Of the writer only: an engine that is used elsewhere too goes on as it did.
        event.listen(self._writer, "begin", _begin)
        self._end = weakref.finalize(self, _dispose, None if engine is place else engine, self._process)

    def close(self) -> None:
        """Close the connections; closing twice is harmless."""
        self._is_open = False
        self._end()

    def now(self, connection: Connection) -> datetime:
        """Tell the time by the database's clock, which is one for all machines."""
        told = connection.exec_driver_sql(_CLOCK[self.dialect]).scalar_one()
        return told if isinstance(told, datetime) else datetime.fromisoformat(told)

    def reading(self, ask: Callable[[Connection], T]) -> T:
        """Ask; once more on a new connection where one broke."""

        def once() -> T:
            with self._reader.connect() as connection:
                return ask(connection)

        return self._done(once, repeatable=True)

    def writing(self, change: Callable[[Connection], T], *, repeatable: bool = True) -> T:
        """Make a change that is kept as a whole, or not at all.

        Args:
            change: Makes it; is called again when the server undid the transaction.
            repeatable: Whether it may also be made a second time when nobody knows whether it was made: doing
                it twice is the same as once.
        """

        def once() -> T:
            with self._writer.begin() as connection:
                return change(connection)

        return self._done(once, repeatable=repeatable)

    def _done(self, once: Callable[[], T], *, repeatable: bool) -> T:
        if os.getpid() != self._process:
            raise LedgerError(
                f"The ledger {self.name!r} was opened before this process was forked",
                code="ledger_forked",
                remedy="Make a SqlLedger in each process; they may share the database.",
            )
        if not self._is_open:
            raise LedgerError(
                f"The ledger {self.name!r} was closed",
                code="ledger_closed",
                remedy="Make a new SqlLedger, or close this one later.",
            )

        def again(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome is not None else None
            return was_undone(error) or (
                repeatable and was_cut_off(error) and state.attempt_number < _AFTER_A_BREAK
            )

        retrying = Retrying(
            retry=again,
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.02, max=1),
            reraise=True,
        )
        try:
            return retrying(once)
        except (SQLAlchemyError, UnicodeEncodeError) as error:
            trouble = error
        # Raised out here, so that an error that shows the password is not carried along as the context.
        told = None if tells(trouble, self._secrets) else trouble
        raise explain(trouble, self.name, self._secrets) from told


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(_BEGIN[connection.dialect.name])


def _dispose(engine: Engine | None, process: int) -> None:
    if engine is not None:
        # A forked process must not say goodbye on connections that its parent goes on using.
        engine.dispose(close=os.getpid() == process)
