"""The power goes in the middle of a sync: the ledger's files as the disk may be left with them.

A cut leaves the database as of its last checkpoint and some beginning of the log beside it, perhaps with
rubbish behind. Each commit is whole or not there, and the next run puts the cart right.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import frozen
from fake_memory import FakeClock

from omsync import CartSettings, InventorySnapshot, MerchantSettings, PerWarehouse, Sku, StockLevel, sync_cart
from omsync.ledgers import _file
from omsync.ledgers._schema import open_database
from omsync.ledgers.sqlite import SqliteLedger
from omsync.model import Warehouse
from omsync.testing import FaultyCart

LOG_HEADER, FRAME_HEADER, PAGE = 32, 24, 4096
FRAME = FRAME_HEADER + PAGE
MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
BEFORE = {"MUG": 8, "CUP": 30, "JUG": 5, "TRAY": 12, "BOWL": 7}
AFTER = {"MUG": 0, "CUP": 21, "JUG": 9, "TRAY": 7, "BOWL": 7}

Shown = dict[str, int]
Rows = dict[str, list[Any]]


@frozen
class Moment:
    """How things stand after a commit: what the ledger holds, and what the cart shows."""

    rows: Rows
    shown: Shown


@frozen
class Cut:
    """A sync that came to its end, and can be cut anywhere.

    Args:
        database: The file as it was before the log is carried over into it.
        log: The log that the sync wrote beside it.
        moments: How things stood, by the number of commits in the log.
    """

    database: bytes
    log: bytes
    moments: Mapping[int, Moment]

    @property
    def ends(self) -> range:
        """Where each page in the log ends."""
        return range(LOG_HEADER + FRAME, len(self.log) + 1, FRAME)

    def left_in(self, folder: Path, log: bytes, database: bytes | None = None) -> Path:
        """Leave the files in a folder as the cut leaves them; the log's index is in memory only."""
        path = folder / "omsync.db"
        path.write_bytes(self.database if database is None else database)
        (folder / "omsync.db-wal").write_bytes(log)
        (folder / "omsync.db-shm").unlink(missing_ok=True)
        return path

    def commits_intact_in(self, log: bytes | bytearray) -> int:
        """Count the commits before the first page that is not as it was written."""
        wrong = (end - FRAME for end in self.ends if log[end - FRAME : end] != self.log[end - FRAME : end])
        return commits_in(self.log[: next(wrong, len(log))])

    def opens_as_of(self, path: Path, commits: int) -> None:
        """Want the ledger to open, and to hold what those commits wrote, all of it and nothing else."""
        with SqliteLedger(path) as ledger:
            ledger.statuses(MERCHANT)
        found = rows_of(path)
        expected = self.moments[commits].rows
        assert found == {name: expected.get(name, []) for name in found}


def commits_in(log: bytes) -> int:
    """Count the commits that are whole in a log, or in the beginning of one."""
    ends = range(LOG_HEADER + FRAME, len(log) + 1, FRAME)
    # A commit's last frame says how large the database is then, the others say 0.
    return sum(struct.unpack_from(">I", log, end - FRAME + 4)[0] > 0 for end in ends)


def older(log: bytes) -> bytes:
    """Give a log that was written into the same file before: other pages, with that log's own salt."""
    frames = [bytearray(log[at : at + FRAME]) for at in range(LOG_HEADER, len(log), FRAME)]
    for frame in frames:
        frame[8:16] = b"\7" * 8
    return log[:LOG_HEADER] + b"".join(frames[1:] + frames[:1])


def rows_of(path: Path) -> Rows:
    """Give all that is in a ledger's file."""
    connection = sqlite3.connect(path)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
    finally:
        connection.close()


def reading(figures: Shown, clock: FakeClock) -> InventorySnapshot:
    return InventorySnapshot(
        taken_at=clock.now(),
        skus=[Sku(master_sku=sku) for sku in figures],
        warehouses=[Warehouse(id="701")],
        levels=[
            StockLevel(master_sku=sku, location_id="701", available=units) for sku, units in figures.items()
        ],
    )


class Source:
    """An order manager with these figures, which keeps something between reads."""

    def __init__(self, figures: Shown, clock: FakeClock) -> None:
        self._figures = figures
        self._clock = clock

    def read(self, request: Any) -> InventorySnapshot:
        request.memory.remember("pages", {"1": "read", "2": "read"})
        request.memory.forget("pages")
        return reading(self._figures, self._clock)


def sync(ledger: SqliteLedger, cart: FaultyCart, figures: Shown, clock: FakeClock) -> str:
    clock.sleep(3600)
    source: Any = Source(figures, clock)
    return sync_cart(source, cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock).status


def a_cart(shown: Shown) -> FaultyCart:
    return FaultyCart(shown, max_rows=2)


def shown_by(cart: FaultyCart) -> Shown:
    return {sku: units for (sku, _), units in cart.shown().items()}


@contextmanager
def each_commit(note: Callable[[], None]) -> Iterator[None]:
    """Call after each commit of a ledger."""
    writing = _file.LedgerFile.writing

    @contextmanager
    def noted(self: _file.LedgerFile) -> Iterator[sqlite3.Connection]:
        with writing(self) as connection:
            yield connection
        note()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_file.LedgerFile, "writing", noted)
        yield


@pytest.fixture(scope="module", params=["a new ledger", "a ledger in use"])
def cut(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cut:
    """Let a sync come to its end, and keep what it wrote, step by step."""
    path = tmp_path_factory.mktemp("whole") / "omsync.db"
    clock, cart = FakeClock(), a_cart(BEFORE)
    moments = {0: Moment({}, BEFORE)}
    if request.param == "a ledger in use":
        with SqliteLedger(path, now=clock.now) as ledger:
            assert sync(ledger, cart, BEFORE, clock) == "success"
        moments = {0: Moment(rows_of(path), BEFORE)}
    log = b""

    def note() -> None:
        nonlocal log
        log = path.with_name("omsync.db-wal").read_bytes()
        moments.setdefault(commits_in(log), Moment(rows_of(path), shown_by(cart)))

    with SqliteLedger(path, now=clock.now) as ledger, each_commit(note):
        if not commits_in(log):
            note()
        assert sync(ledger, cart, AFTER, clock) == "success"
        database = path.read_bytes()
    assert shown_by(cart) == AFTER
    assert list(moments) == list(range(commits_in(log) + 1))
    return Cut(database, log, moments)


@pytest.fixture(autouse=True)
def no_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk has is made by hand here, hundreds of times, so nothing need wait for it."""

    def hasty(path: str) -> sqlite3.Connection:
        connection = open_database(path)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    monkeypatch.setattr("omsync.ledgers._file.open_database", hasty)


def test_cut_anywhere_each_commit_is_whole_or_not_there(cut: Cut, tmp_path: Path) -> None:
    draw = Random(1)
    sizes = {0, 1, LOG_HEADER - 1, LOG_HEADER, *(draw.randrange(len(cut.log)) for _ in range(20))}
    for end in cut.ends:
        sizes |= {end, end - draw.randrange(1, FRAME)}
    seen = set()
    for size in sorted(sizes):
        commits = commits_in(cut.log[:size])
        cut.opens_as_of(cut.left_in(tmp_path, cut.log[:size]), commits)
        seen.add(commits)
    assert seen == set(cut.moments)


def test_what_a_disk_never_wrote_is_not_believed(cut: Cut, tmp_path: Path) -> None:
    draw = Random(2)
    rubbish = {"zeros": bytes(len(cut.log)), "noise": draw.randbytes(len(cut.log)), "older": older(cut.log)}
    for end in cut.ends:
        size = end - draw.randrange(FRAME)
        log = cut.log[:size] + rubbish[draw.choice(sorted(rubbish))][size:]
        cut.opens_as_of(cut.left_in(tmp_path, log), cut.commits_intact_in(log))


def test_a_page_that_was_written_wrong_ends_the_log_there(cut: Cut, tmp_path: Path) -> None:
    draw = Random(3)
    for end in cut.ends:
        log = bytearray(cut.log)
        log[end - FRAME + draw.randrange(FRAME)] ^= 1 << draw.randrange(8)
        cut.opens_as_of(cut.left_in(tmp_path, bytes(log)), cut.commits_intact_in(log))


def test_cut_while_the_log_is_carried_over_nothing_is_lost(cut: Cut, tmp_path: Path) -> None:
    path = cut.left_in(tmp_path, cut.log)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    carried = path.read_bytes()
    assert carried != cut.database
    draw = Random(4)
    for _ in range(20):
        # Sectors reach the disk in any order; a page may be half new.
        before = cut.database.ljust(len(carried), b"\0")
        sectors = range(0, len(carried), 512)
        mixed = b"".join((carried, before)[draw.random() < 0.5][at : at + 512] for at in sectors)
        cut.opens_as_of(cut.left_in(tmp_path, cut.log, mixed), max(cut.moments))


def test_after_any_cut_the_next_run_puts_the_cart_right(cut: Cut, tmp_path: Path) -> None:
    last = max(cut.moments)
    for commits in cut.moments:
        # Between two commits the cart may have been told, or not yet.
        end = next((end for end in cut.ends if commits_in(cut.log[:end]) == commits), 0)
        told, soon_told = cut.moments[commits].shown, cut.moments[min(commits + 1, last)].shown
        for shown in [told] if told == soon_told else [told, soon_told]:
            path, clock, cart = cut.left_in(tmp_path, cut.log[:end]), FakeClock(), a_cart(shown)
            clock.sleep(7200)
            with SqliteLedger(path, now=clock.now) as ledger:
                sent = {one.listing_sku: one.sent for one in ledger.states(MERCHANT.name, SHOP.name)}
                for sku, units in shown.items():
                    assert units in {BEFORE[sku], sent.get(sku)}, "the cart was told before the disk knew"
                assert sync(ledger, cart, AFTER, clock) == "success"
            assert shown_by(cart) == AFTER
