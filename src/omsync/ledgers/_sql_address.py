"""Where the ledger's database is: an address is made an engine, and its password is shown to nobody."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from omsync.errors import InvalidValueError, LedgerError, WrongTypeError
from omsync.secrets import Secret

__all__ = ["engine_at", "secrets_of", "shown_address"]

_EXAMPLE = "postgresql+psycopg://user:password@host:5432/database"
_KNOWN = ("postgresql", "sqlite")
_SQLITE_SECONDS = 30
# A server that vanished is noticed within a minute, not after the hours that systems wait.
_PATIENCE = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def engine_at(place: str | Secret | URL | Engine) -> Engine:
    """Give the engine of an address, or the engine that was given.

    Raises:
        InvalidValueError: The address cannot be understood; the message does not show it.
        WrongTypeError: It is neither; an async engine is none.
        LedgerError: ``code="unknown_database"``: no ledger is kept there. ``code="no_driver"``.
    """
    if not isinstance(place, Engine | Secret | str | URL):
        raise WrongTypeError(f"SqlLedger takes an address or an Engine, not {type(place).__name__}")
    url = place.url if isinstance(place, Engine) else _parsed(place)
    backend = url.get_backend_name()
    if backend not in _KNOWN:
        raise LedgerError(
            f"No ledger can be kept in a database of the kind {backend!r}",
            code="unknown_database",
            remedy=f"Use PostgreSQL, with an address such as {_EXAMPLE}, or SqliteLedger for a file.",
        )
    in_memory = url.database in {None, "", ":memory:"} or url.query.get("mode") == "memory"
    if backend == "sqlite" and in_memory:
        raise InvalidValueError(
            "A database in memory is another one for each thread, so no ledger can be kept there",
            remedy="Use omsync.ledgers.sqlite.SqliteLedger(':memory:').",
        )
    engine = place if isinstance(place, Engine) else _engine_of(url)
    if engine.dialect.is_async:
        raise LedgerError(
            f"The driver {engine.dialect.driver!r} is for async programs, and a ledger is called in threads",
            code="no_driver",
            remedy=f"Write the address with a blocking driver: {_EXAMPLE}. omsync.aio takes it as well.",
        )
    return engine


def shown_address(url: URL) -> str:
    """Write an address for people: without user, password and options."""
    plain = URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)
    return plain.render_as_string()


def secrets_of(url: URL) -> tuple[str, ...]:
    """Give what of an address must not be shown."""
    options = [value for name, value in url.query.items() if "password" in name]
    return tuple(str(one) for one in (url.password, *options) if one)


def _parsed(place: str | Secret | URL) -> URL:
    text = place.reveal() if isinstance(place, Secret) else place
    url = _url_or_none(text)
    # A sign of the password that has a meaning in an address would land in the host, and be shown.
    if url is None or "@" in f"{url.host}{'' if url.get_backend_name() == 'sqlite' else url.database}":
        raise InvalidValueError(
            "The address of the ledger's database cannot be understood (it is not shown, for its password)",
            remedy=f"Write {_EXAMPLE}, and @ : / in a password as %40 %3A %2F.",
        )
    return url


def _url_or_none(text: str | URL) -> URL | None:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        return None  # The error is dropped here: it may hold a piece of the password.


def _engine_of(url: URL) -> Engine:
    patience: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        patience = {"timeout": _SQLITE_SECONDS}
    elif url.get_driver_name() in {"psycopg", "psycopg2"}:
        patience = {name: seconds for name, seconds in _PATIENCE.items() if name not in url.query}
    try:
        return create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=patience)
    except (ImportError, NoSuchModuleError) as error:
        raise LedgerError(
            f"The driver for {url.drivername!r} cannot be loaded: {error}",
            code="no_driver",
            remedy=f"Install one, such as psycopg[binary], and name it in the address: {_EXAMPLE}.",
        ) from error
