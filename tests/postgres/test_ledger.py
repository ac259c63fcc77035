"""The ledger in a real PostgreSQL: the same promises, for workers that come from anywhere."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from postgres import Postgres
from sql_ledger_cases import SqlLedgerCases, begun, ended, lease, refusal, sent
from sql_place import SqlPlace
from sqlalchemy import Connection, create_engine, event, inspect, select, update

from omsync import (
    CartSettings,
    LeaseHeldError,
    MerchantSettings,
    PerWarehouse,
    aio,
    drift,
    history,
    sync_cart,
)
from omsync.exchange import ListingState
from omsync.ledgers import _sql_database
from omsync.ledgers._sql_address import engine_at
from omsync.ledgers.sql import SqlLedger
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import FaultyCart, LedgerBench, LedgerConformance, OrderManagerSandbox

pytestmark = pytest.mark.postgres

LISTINGS = [f"SKU-{number}" for number in range(40)]


class TestOnPostgres(SqlLedgerCases):
    """The same cases as on SQLite."""


class TestConformance(LedgerConformance):
    not_applicable = ()

    @pytest.fixture
    def bench(self, place: SqlPlace) -> LedgerBench:
        return place.bench()


class TestConformanceInTheUsersSchema(LedgerConformance):
    not_applicable = ()

    @pytest.fixture
    def bench(self, place: SqlPlace) -> LedgerBench:
        return SqlPlace(url=place.url).bench()


def hear(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{words}\n"


# -- several at once


def test_processes_and_threads_that_write_the_same_listings_lose_nothing(place: SqlPlace) -> None:
    script = (
        "sys.stdin.readline()\n"
        "skus = [f'SKU-{number}' for number in range(40)]\n"
        "skus = skus if sys.argv[1] == '0' else skus[::-1]\n"
        "for number in range(40):\n"
        "    figure = {sys.argv[2]: number, sys.argv[2] + '_run': sys.argv[1]}\n"
        "    states = [ListingState(listing_sku=sku, **figure) for sku in skus]\n"
        "    ledger.record_states('acme', 'shop', states)\n"
        "    ledger.memory('acme').remember('marks', {f'{sku} {sys.argv[1]}': 'x' for sku in skus})\n"
    )
    with place.open() as ledger:
        writers = [
            place.start(script, str(number), figure) for number, figure in enumerate(("sent", "desired"))
        ]
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()

        def write(thread: int) -> None:
            order = LISTINGS[:: 1 if thread % 2 else -1]
            for number in range(40):
                states = [ListingState(listing_sku=sku, accepted=number) for sku in order]
                ledger.record_states("acme", "shop", states)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
        for writer in writers:
            writer.communicate(timeout=120)
        assert [writer.returncode for writer in writers] == [0, 0]
        found = {(state.sent, state.desired, state.accepted) for state in ledger.states("acme", "shop")}
        assert found == {(39, 39, 39)}
        assert len(ledger.states("acme", "shop")) == 40
        assert len(ledger.memory("acme").recall("marks")) == 80


def test_a_reader_sees_whole_batches_only(place: SqlPlace) -> None:
    script = (
        "for number in range(60):\n"
        "    ledger.record_states('acme', 'shop', [ListingState(listing_sku=f'{row}', sent=number)\n"
        "        for row in range(50)])\n"
    )
    seen = set()
    with place.open() as ledger:
        writer = place.start(script)
        while writer.poll() is None:
            seen.add(frozenset(state.sent for state in ledger.states("acme", "shop")))
        writer.communicate(timeout=60)
        assert {len(figures) for figures in seen} <= {0, 1}
        assert {state.sent for state in ledger.states("acme", "shop")} == {59}


def test_of_processes_that_want_a_lease_at_once_one_gets_it_each_time(place: SqlPlace) -> None:
    script = (
        "won = []\n"
        "for number in range(30):\n"
        "    sys.stdin.readline()\n"
        "    now = datetime.now(UTC)\n"
        "    mine = Lease(run_id=sys.argv[1], holder='me', since=now, until=now + timedelta(hours=1))\n"
        "    if ledger.take_lease('acme', f'cart {number}', mine).run_id == mine.run_id:\n"
        "        won.append(str(number))\n"
        "    print('.', flush=True)\n"
        "print(*won, flush=True)\n"
        "sys.stdin.readline()\n"
    )
    place.open().close()
    racers = [place.start(script, name) for name in ("a", "b", "c")]
    for _ in range(30):
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        for racer in racers:
            hear(racer, ".")
    won = [racer.stdout.readline().split() for racer in racers if racer.stdout is not None]
    for racer in racers:
        racer.communicate("end\n", timeout=60)
    assert sorted(int(number) for each in won for number in each) == list(range(30))


def test_threads_that_want_one_lease_again_and_again_never_hold_it_together(place: SqlPlace) -> None:
    with place.open() as ledger:

        def work(thread: int) -> int:
            got = 0
            for number in range(25):
                mine = lease(f"{thread} {number}")
                if ledger.take_lease("acme", "shop", mine).run_id != mine.run_id:
                    continue
                got += 1
                # Whoever holds it is alone: what it wrote is there until it gives the lease back.
                ledger.memory("acme").remember("holder", {"it": mine.run_id})
                assert ledger.memory("acme").recall("holder") == {"it": mine.run_id}
                ledger.release_lease("acme", "shop", mine)
            return got

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(work, range(8))) >= 1


def test_runs_that_end_at_once_prune_together_without_being_in_each_others_way(place: SqlPlace) -> None:
    old = datetime(2025, 1, 1, tzinfo=UTC)
    with place.open(keep=timedelta(days=1)) as ledger:
        ledger.record_history("acme", "shop", [sent(str(number), at=old) for number in range(2000)])

        def finish(number: int) -> None:
            ledger.finish_run(ended(str(number), started_at=old, finished_at=old))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(finish, range(40)))
        assert ledger.history("acme", "shop") == ()


# -- clients and servers that go away

IN_THE_MIDDLE = """
from sqlalchemy import event
@event.listens_for(ledger._database._writer, "after_cursor_execute")
def stop(connection, cursor, statement, *more):
    if statement.lstrip().startswith(sys.argv[1]):
        print("in the middle", flush=True)
        sys.stdin.readline()
"""


def test_a_client_that_is_killed_in_its_transaction_leaves_nothing_and_is_in_nobodys_way(
    place: SqlPlace,
) -> None:
    script = IN_THE_MIDDLE + (
        "ledger.record_states('acme', 'shop', [ListingState(listing_sku='FORK', sent=1)] * 3)\n"
    )
    with place.open() as ledger:
        ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", sent=7)])
        killed = place.start(script, "INSERT")
        hear(killed, "in the middle")
        assert ledger.states("acme", "shop")[0].sent == 7
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=60)
        ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", accepted=2)])
        (state,) = ledger.states("acme", "shop")
        assert (state.sent, state.accepted) == (7, 2)


def test_a_client_that_is_killed_while_it_takes_a_lease_does_not_have_it(place: SqlPlace) -> None:
    script = IN_THE_MIDDLE + (
        "now = datetime.now(UTC)\n"
        "lost = Lease(run_id='lost', holder='me', since=now, until=now + timedelta(hours=9))\n"
        "ledger.take_lease('acme', 'shop', lost)\n"
    )
    with place.open() as ledger:
        killed = place.start(script, "UPDATE")
        hear(killed, "in the middle")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ledger.take_lease, "acme", "shop", lease("r2"))
            killed.send_signal(signal.SIGKILL)
            killed.communicate(timeout=60)
            assert waiting.result(timeout=60).run_id == "r2"


def test_a_ledger_does_not_wait_for_ever_for_a_row_that_somebody_holds(
    place: SqlPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = _sql_database._BEGIN["postgresql"]  # noqa: SLF001  nobody wants to wait for half a minute
    monkeypatch.setitem(_sql_database._BEGIN, "postgresql", begin.replace("30s", "10ms"))  # noqa: SLF001  as above
    with place.open() as ledger:
        ledger.take_lease("acme", "shop", lease("r1"))
        with place.beside() as other:
            other.execute(select(place.tables.leases).with_for_update())
            refusal(lambda: ledger.take_lease("acme", "shop", lease("r2")), "ledger_busy")
        assert ledger.take_lease("acme", "shop", lease("r2")).run_id == "r1"


def test_what_a_transaction_asks_of_the_server(place: SqlPlace) -> None:
    engine = create_engine(f"{place.url}?options=-csynchronous_commit%3Doff", isolation_level="SERIALIZABLE")
    names = (
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "synchronous_commit",
        "transaction_isolation",
    )
    found: list[str] = []

    def look(connection: Connection) -> None:
        found.extend(connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names)

    with place.open(engine) as ledger:
        ledger._database.writing(look)  # noqa: SLF001  it cannot be seen from outside
    assert found == ["30s", "1min", "on", "read committed"]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar_one() == "serializable"
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "off"
    engine.dispose()


def test_a_server_that_is_restarted_is_gone_and_then_there_again(place: SqlPlace, database: Postgres) -> None:
    with place.open() as ledger:
        ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", sent=7)])
        taken = ledger.take_lease("acme", "shop", lease("r1"))
        database.stop()
        database.start()
        # The connections that were kept are dead, and nobody notices: not even what is never tried twice.
        ledger.begin_run(begun())
        assert ledger.states("acme", "shop")[0].sent == 7
        database.stop()
        try:
            for action in (
                lambda: ledger.states("acme", "shop"),
                lambda: ledger.take_lease("acme", "shop", lease("r2")),
            ):
                error = refusal(action, "ledger_unreachable")
                assert "omsync:omsync" not in str(error)
        finally:
            database.start()
        assert ledger.renew_lease("acme", "shop", taken) is not None
        assert ledger.status("acme", "shop").status == "in_progress"


def cutting(place: SqlPlace, word: str, table: str, times: int) -> tuple[SqlLedger, list[str]]:
    """Give a ledger whose connection is cut off by the server, right before a statement of a kind."""
    engine, cut = place.engine(), list[str]()

    @event.listens_for(engine, "before_cursor_execute")
    def cut_off(connection: Connection, _: Any, words: str, *__: Any) -> None:
        if words.startswith(word) and table in words and len(cut) < times:
            cut.append(words)
            pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]  # it is open
            with place.beside() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")

    return place.open(engine), cut


def test_a_connection_that_is_cut_off_is_made_anew_where_that_does_no_harm(place: SqlPlace) -> None:
    place.open().close()
    ledger, cut = cutting(place, "INSERT", "omsync_states", 1)
    ledger.record_states("acme", "shop", [ListingState(listing_sku="FORK", sent=7)])
    assert len(cut) == 1
    assert ledger.states("acme", "shop")[0].sent == 7
    ledger, cut = cutting(place, "INSERT", "omsync_runs", 1)
    refusal(lambda: ledger.begin_run(begun()), "ledger_unreachable")
    assert ledger.runs("acme", "shop") == ()
    ledger, cut = cutting(place, "SELECT", "omsync_states", 1)
    assert len(ledger.states("acme", "shop")) == len(cut) == 1
    ledger, cut = cutting(place, "SELECT", "omsync_states", 2)
    refusal(lambda: ledger.states("acme", "shop"), "ledger_unreachable")
    assert len(ledger.states("acme", "shop")) == 1


def test_a_forked_process_that_ends_leaves_its_parents_connections_alone(place: SqlPlace) -> None:
    script = (
        "def mine():\n"
        "    ask = lambda connection: connection.connection.driver_connection.info.backend_pid\n"
        "    return ledger._database.reading(ask)\n"
        "before = mine()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    sys.exit()\n"
        "os.waitpid(child, 0)\n"
        "print(mine() == before)\n"
    )
    assert place.elsewhere(script) == "True\n"


# -- what a server refuses


def test_who_is_not_let_in_is_told_so(place: SqlPlace) -> None:
    for wrong in (place.url.replace("omsync:omsync@", "ann:hunter2@"), place.url + "_of_nobody"):
        error = refusal(lambda wrong=wrong: SqlLedger(wrong), "ledger_not_allowed")  # type: ignore[misc]  # at once
        assert "hunter2" not in f"{error} {error.__cause__!r}"


def test_a_permission_that_lacks_is_named(place: SqlPlace) -> None:
    place.open().close()
    with place.beside() as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS reader")
        connection.exec_driver_sql("CREATE ROLE reader LOGIN")
        schema = connection.dialect.identifier_preparer.quote(str(place.schema))
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO reader")
    reader = place.url.replace("omsync:omsync@", "reader@")
    error = refusal(lambda: place.open(reader), "ledger_not_allowed")
    assert "SELECT, INSERT, UPDATE and DELETE" in error.remedy
    refusal(lambda: SqlLedger(reader, schema="new"), "ledger_not_allowed")


def test_a_copy_that_takes_no_writes_is_no_place_for_a_ledger(place: SqlPlace) -> None:
    place.open().close()
    with place.open(f"{place.url}?options=-cdefault_transaction_read_only%3Don") as ledger:
        assert ledger.runs("acme") == ()
        refusal(lambda: ledger.begin_run(begun()), "ledger_not_writable")


def test_a_database_that_lacks_letters_is_refused(place: SqlPlace) -> None:
    with place.engine().execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS latin")
        connection.exec_driver_sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    error = refusal(lambda: SqlLedger(place.url.replace("/postgres", "/latin")), "unknown_database")
    assert "LATIN1" in error.message


def test_codes_that_no_database_keeps_are_refused_and_nothing_else_is_lost(place: SqlPlace) -> None:
    with place.open() as ledger:
        good = ListingState(listing_sku="FORK", sent=1)
        refusal(
            lambda: ledger.record_states("acme", "shop", [good, ListingState(listing_sku="a\0b", sent=1)]),
            "broken_text",
        )
        long = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(5_000))
        refusal(
            lambda: ledger.record_states("acme", "shop", [good, ListingState(listing_sku=long, sent=1)]),
            "text_too_long",
        )
        assert ledger.states("acme", "shop") == ()


def test_a_person_reads_the_tables_with_times_as_times(place: SqlPlace) -> None:
    with place.open() as ledger:
        ledger.take_lease("acme", "shop", lease("r1"))
    with place.beside() as connection:
        table = connection.dialect.identifier_preparer.format_table(place.tables.leases)
        until = connection.exec_driver_sql(f"SELECT until::timestamptz FROM {table}").scalar_one()
    assert timedelta(minutes=14) < until - datetime.now(UTC) <= timedelta(minutes=15)


def test_codes_are_compared_letter_by_letter_whatever_the_databases_order(place: SqlPlace) -> None:
    place.open().close()
    with place.beside() as connection:
        columns = inspect(connection).get_columns("omsync_states", schema=place.schema)
        orders = {one["name"]: getattr(one["type"], "collation", None) for one in columns}
    assert [orders[name] for name in ("merchant", "cart", "listing_sku", "location_id")] == ["C"] * 4


# -- whole runs

MERCHANT = MerchantSettings(name="acme", mode=PerWarehouse(disabled={"Amazon FBA US"}))
SHOP = CartSettings(name="shop")


@pytest.mark.parametrize("way", ["blocking", "awaiting"])
def test_a_sync_is_remembered_for_the_next_worker(place: SqlPlace, way: str) -> None:
    sandbox = OrderManagerSandbox()
    source = ExtensivOrderManager(token=sandbox.token, handler=sandbox.handle)
    shop = FaultyCart({"KETTLE-GN": 3})
    with place.open() as ledger:
        if way == "blocking":
            report = sync_cart(source, shop, SHOP, merchant=MERCHANT, ledger=ledger)
        else:
            report = asyncio.run(aio.sync_cart(source, shop, SHOP, merchant=MERCHANT, ledger=ledger))
        assert report.counts["applied"] == 1, str(report)
    with place.open() as another:
        assert another.last_snapshot(MERCHANT) is not None
        assert another.status("acme", "shop").run_id == report.run_id
        assert [run.cart for run in another.statuses("acme")] == [None, "shop"]
        (entry,) = history(another, SHOP, merchant=MERCHANT).entries
        assert entry.listing_sku == "KETTLE-GN"
        found = drift(another, shop, SHOP, merchant=MERCHANT)
        assert [one for one in found if one.listing_sku == "KETTLE-GN"] == []
        again = sync_cart(source, shop, SHOP, merchant=MERCHANT, ledger=another)
        assert "applied" not in again.counts or again.counts["applied"] == 0


def test_a_worker_elsewhere_goes_on_once_the_lease_of_a_killed_run_has_run_out(place: SqlPlace) -> None:
    script = """
from sqlalchemy import event
from omsync import CartSettings, MerchantSettings, PerWarehouse, sync_cart
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import FaultyCart, OrderManagerSandbox
sandbox, shop = OrderManagerSandbox(), FaultyCart({"KETTLE-GN": 3})
@event.listens_for(ledger._database._writer, "after_cursor_execute")
def die(connection, cursor, statement, *more):
    if statement.startswith("INSERT") and "omsync_history" in statement:
        os.kill(os.getpid(), 9)
sync_cart(
    ExtensivOrderManager(token=sandbox.token, handler=sandbox.handle), shop,
    CartSettings(name="shop"), ledger=ledger,
    merchant=MerchantSettings(name="acme", mode=PerWarehouse(disabled={"Amazon FBA US"})),
)
"""
    sandbox, shop = OrderManagerSandbox(), FaultyCart({"KETTLE-GN": 3})
    source = ExtensivOrderManager(token=sandbox.token, handler=sandbox.handle)
    with place.open() as ledger:
        killed = place.start(script)
        killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL
        with place.beside() as connection:
            connection.execute(update(place.tables.leases).values(host="another machine"))
            connection.execute(update(place.tables.runs).values(host="another machine"))
        with pytest.raises(LeaseHeldError):
            sync_cart(source, shop, SHOP, merchant=MERCHANT, ledger=ledger)
        assert ledger.status("acme", "shop").status == "in_progress"
        place.let_pass(minutes=16)
        assert ledger.status("acme", "shop").status == "died"
        report = sync_cart(source, shop, SHOP, merchant=MERCHANT, ledger=ledger)
        assert report.counts["applied"] == 1, str(report)
        assert ledger.status("acme", "shop").status == "success"


def test_postgresql_is_waited_for_as_long_as_the_address_says() -> None:
    engine = engine_at("postgresql+psycopg://db.example/shop?connect_timeout=3")
    _, wanted = engine.dialect.create_connect_args(engine.url)
    assert wanted["connect_timeout"] == "3"
    engine.dispose()


def test_many_merchants_share_one_ledger_and_one_in_trouble_stops_no_other(
    place: SqlPlace, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parents[2] / "examples" / "many_merchants.py")],
        env={**os.environ, "TMPDIR": str(tmp_path), "OMSYNC_LEDGER": place.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert [line for line in told if line.startswith("elder: 30 listings: 25 applied")]
    # The database is one for all of these tests, so the overview may know more merchants.
    assert next(line for line in told if " cedar " in line).split()[:2] == ["failed", "cedar"]
