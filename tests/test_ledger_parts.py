"""What the SQLite file knows of very many listings: parts and deltas, whatever is folded when."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from omsync.errors import LedgerError
from omsync.exchange import ListingState, RunRecord
from omsync.ledgers import _parts, _schema, _sheets
from omsync.ledgers.sqlite import SqliteLedger

NOON = datetime(2025, 3, 9, 12, tzinfo=UTC)
FIGURES = ("desired", "sent", "accepted", "observed")
NAMES = (
    *("listing_sku", "location_id"),
    *(f"{figure}{part}" for figure in FIGURES for part in ("", "_at", "_run")),
    *("desired_since", "observed_since"),
)
BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "ledger.py"
SKUS = ("MUG", "mug", 'a "b", [1]', "\U0001f375 é")

Key = tuple[str, str | None]


def told(sku: str, units: int = 1, *, at: datetime = NOON, run: str = "r1", **more: Any) -> ListingState:
    """Tell of all four figures of a listing."""
    figures: dict[str, Any] = {}
    for name in FIGURES:
        figures |= {name: units, f"{name}_at": at, f"{name}_run": run}
    return ListingState(listing_sku=sku, **(figures | more))


def merged(known: ListingState | None, news: ListingState) -> ListingState:
    """Say what the law says, in the plainest words."""
    state = known or ListingState(listing_sku=news.listing_sku, location_id=news.location_id)
    for name in FIGURES:
        units, at = getattr(news, name), getattr(news, f"{name}_at")
        if units is None:
            continue
        changes: dict[str, Any] = {name: units, f"{name}_at": at, f"{name}_run": getattr(news, f"{name}_run")}
        if name in {"desired", "observed"}:
            since = getattr(state, f"{name}_since") if getattr(state, name) == units else None
            changes[f"{name}_since"] = at if since is None else since
        state = evolve(state, **changes)
    return state


def by_key(state: ListingState) -> tuple[str, str]:
    return state.listing_sku, state.location_id or ""


def a_run_ends(ledger: SqliteLedger, cart: str = "shop", run_id: str = "r1") -> None:
    ledger.finish_run(RunRecord(run_id=run_id, merchant="acme", cart=cart, status="success"))


def ask(path: Path, question: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(question).fetchall()
        connection.commit()
        return rows


def as_people_see(path: Path, cart: str) -> list[ListingState]:
    """Read the view, as any SQLite tool would."""
    with closing(sqlite3.connect(path)) as connection:
        question = f"SELECT {', '.join(NAMES)} FROM listing_states WHERE merchant = 'acme' AND cart = ? "
        rows = connection.execute(question + "ORDER BY listing_sku, location_id", (cart,)).fetchall()
    found = []
    for row in rows:
        known: dict[str, Any] = dict(zip(NAMES, row, strict=True))
        for name in NAMES:
            if name.endswith(("_at", "_since")) and known[name] is not None:
                known[name] = datetime.fromisoformat(known[name])
        found.append(ListingState(**known))
    return found


def counts(path: Path) -> tuple[int, ...]:
    """Give how many parts and deltas there are."""
    return tuple(
        ask(path, f"SELECT count(*) FROM {table}")[0][0] for table in ("listing_parts", "listing_deltas")
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "omsync.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqliteLedger]:
    with SqliteLedger(path) as opened:
        yield opened


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parts, "PART", 3)
    monkeypatch.setattr(_sheets, "_MOST", 5)


# -- any order of telling, folding, opening


moments = st.none() | st.integers(0, 2).map(lambda hours: NOON + timedelta(hours=hours))
units = st.sampled_from([None, 0, 1, -(2**63 - 1)])
known: dict[str, st.SearchStrategy[Any]] = {
    "listing_sku": st.sampled_from(SKUS),
    "location_id": st.sampled_from([None, None, "york"]),
    **dict.fromkeys(FIGURES, units),
    **dict.fromkeys([f"{name}_at" for name in FIGURES], moments),
    **dict.fromkeys([f"{name}_run" for name in FIGURES], st.none() | st.sampled_from(["r1", "r 2"])),
}
states = st.fixed_dictionaries(known).map(lambda drawn: ListingState(**drawn))


def hasty(path: str) -> sqlite3.Connection:
    """Open a ledger's file without waiting for the disk, since nobody pulls the plug here."""
    connection = _schema.open_database(path)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


class LedgerMachine(RuleBasedStateMachine):
    """Two carts of a merchant, in parts of a few listings; the model is a dictionary and the law in words."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(_parts, "PART", 2)
        self.patch.setattr(_parts, "FEW", 12)
        self.patch.setattr(_sheets, "_MOST", 3)
        self.patch.setattr("omsync.ledgers._file.open_database", hasty)
        self.path = Path(self.folder.name) / "omsync.db"
        self.ledgers = [SqliteLedger(self.path), SqliteLedger(self.path)]
        self.known: dict[str, dict[tuple[str, str], ListingState]] = {"shop": {}, "edi": {}}

    def teardown(self) -> None:
        for ledger in self.ledgers:
            ledger.close()
        self.patch.undo()
        self.folder.cleanup()

    @rule(
        one=st.sampled_from([0, 1]),
        cart=st.sampled_from(["shop", "edi"]),
        batch=st.lists(states, min_size=2, max_size=8),
    )
    def tells(self, one: int, cart: str, batch: list[ListingState]) -> None:
        """Some batch of figures becomes known, by one ledger or the other on the same file."""
        self.ledgers[one].record_states("acme", cart, batch)
        for state in batch:
            key = by_key(state)
            self.known[cart][key] = merged(self.known[cart].get(key), state)

    @rule(one=st.sampled_from([0, 1]), cart=st.sampled_from(["shop", "edi"]))
    def folds(self, one: int, cart: str) -> None:
        """A run ends."""
        a_run_ends(self.ledgers[one], cart)
        assert ask(self.path, f"SELECT count(*) FROM listing_deltas WHERE cart = '{cart}'") == [(0,)]

    @rule(one=st.sampled_from([0, 1]))
    def opens_again(self, one: int) -> None:
        """A process ends, another one begins."""
        self.ledgers[one].close()
        self.ledgers[one] = SqliteLedger(self.path)

    @invariant()
    def knows_what_it_was_told(self) -> None:
        """Python, and whoever reads the view, find what the law says."""
        for cart, known in self.known.items():
            expected = [known[key] for key in sorted(known)]
            assert list(self.ledgers[0].states("acme", cart)) == expected
            assert as_people_see(self.path, cart) == expected
            accepted = self.ledgers[1].accepted("acme", cart)
            assert accepted.listings() == [(state.listing_sku, state.location_id) for state in expected]
            figures = [None if one == accepted.unknown else one for one in accepted.quantities]
            assert figures == [state.accepted for state in expected]


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    max_examples=25, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)


# -- parts and deltas


def test_a_batch_is_one_row_whatever_it_holds(ledger: SqliteLedger, path: Path) -> None:
    ledger.record_states("acme", "shop", [told(f"SKU-{number}") for number in range(250)])
    assert counts(path) == (0, 1)
    assert ask(path, "SELECT json_array_length(listings), size FROM listing_deltas") == [(250, 250)]
    ledger.record_states("acme", "shop", [])
    assert counts(path) == (0, 1)


def test_what_repeats_in_a_batch_is_written_once(ledger: SqliteLedger, path: Path) -> None:
    ledger.record_states("acme", "shop", [told("A", 5), told("B", 6)])
    assert ask(path, "SELECT texts, stamps, listings FROM listing_deltas") == [
        (
            '[null,"2025-03-09T12:00:00.000000+00:00","r1"]',
            "[[1,2,1,2,1,2,1,2,1,1]]",
            '[["A","",5,5,5,5,0],["B","",6,6,6,6,0]]',
        )
    ]


@pytest.mark.usefixtures("small_parts")
def test_a_run_that_ends_leaves_parts_and_no_deltas(ledger: SqliteLedger, path: Path) -> None:
    skus = [f"SKU-{number:02d}" for number in range(20)]
    ledger.record_states("acme", "shop", map(told, reversed(skus)))
    ledger.record_states("acme", "edi", [told("A")])
    a_run_ends(ledger)
    assert ask(path, "SELECT cart FROM listing_deltas") == [("edi",)]
    found = ask(path, "SELECT first_sku, size FROM listing_parts ORDER BY first_sku")
    assert [size for _, size in found] == [2, 3, 3, 3, 3, 3, 3]
    assert [state.listing_sku for state in ledger.states("acme", "shop")] == skus


@pytest.mark.usefixtures("small_parts")
def test_only_the_parts_that_were_told_of_are_written_anew(ledger: SqliteLedger, path: Path) -> None:
    ledger.record_states("acme", "shop", [told(f"{number:02d}") for number in range(12)])
    a_run_ends(ledger)
    before = ask(path, "SELECT * FROM listing_parts ORDER BY first_sku")
    ledger.record_states("acme", "shop", [told("00 and a half"), told("04", 9)])
    a_run_ends(ledger)
    after = ask(path, "SELECT * FROM listing_parts ORDER BY first_sku")
    assert [new == old for new, old in zip(after, before, strict=True)] == [False, False, True, True]


@pytest.mark.usefixtures("small_parts")
def test_a_listing_before_all_others_goes_into_the_first_part(ledger: SqliteLedger, path: Path) -> None:
    ledger.record_states("acme", "shop", [told(sku) for sku in "BCDEFGHI"])
    a_run_ends(ledger)
    ledger.record_states("acme", "shop", [told("A")])
    a_run_ends(ledger)
    assert ask(path, "SELECT first_sku FROM listing_parts ORDER BY 1")[0] == ("A",)
    assert "".join(state.listing_sku for state in ledger.states("acme", "shop")) == "ABCDEFGHI"


def test_deltas_that_outweigh_the_parts_are_folded_while_a_run_goes_on(
    ledger: SqliteLedger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_parts, "FEW", 5)
    seen = []
    for number in range(12):
        ledger.record_states("acme", "shop", [told("A", number), told("B", number)])
        seen.append(counts(path))
    assert seen[:6] == [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (1, 0)]
    assert [state.sent for state in ledger.states("acme", "shop")] == [11, 11]


def test_a_process_that_only_looks_folds_too_in_the_long_run(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_parts, "FEW", 5)
    most = 0
    for number in range(12):
        with SqliteLedger(path) as ledger:
            ledger.record_states("acme", "shop", [told("A", number)])
        most = max(most, counts(path)[1])
    assert most < 5


def test_a_fold_that_fails_loses_nothing_and_the_run_has_ended(
    ledger: SqliteLedger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.record_states("acme", "shop", [told("A", 1)])
    a_run_ends(ledger)
    ledger.record_states("acme", "shop", [told("A", 2), told("B", 3)])
    monkeypatch.setattr(_parts, "_KEEP", "INSERT INTO nowhere VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    with pytest.raises(LedgerError):
        a_run_ends(ledger, run_id="r2")
    assert counts(path) == (1, 1)
    assert ledger.status("acme", "shop").run_id == "r2"
    assert [state.sent for state in ledger.states("acme", "shop")] == [2, 3]


def test_a_fold_that_meets_another_writer_is_left_to_the_next_run(ledger: SqliteLedger, path: Path) -> None:
    ledger.record_states("acme", "shop", [told("A", 3)])
    with ledger._file.reading() as connection:  # noqa: SLF001  nobody wants to wait half a minute
        connection.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ledger._fold("acme", "shop")  # noqa: SLF001  only this step meets the other one
        assert counts(path) == (0, 1)
        assert [state.sent for state in ledger.states("acme", "shop")] == [
            state.sent for state in [told("A", 3)]
        ]
    a_run_ends(ledger)
    assert counts(path) == (1, 0)


def test_two_ledgers_that_tell_of_the_same_listing_lose_nothing_of_each_other(path: Path) -> None:
    with SqliteLedger(path) as one, SqliteLedger(path) as other:
        one.record_states("acme", "shop", [ListingState(listing_sku="A", desired=1)])
        other.record_states("acme", "shop", [ListingState(listing_sku="A", sent=2)])
        a_run_ends(one)
        other.record_states("acme", "shop", [ListingState(listing_sku="A", accepted=3)])
        one.record_states("acme", "shop", [ListingState(listing_sku="A", observed=4)])
        a_run_ends(other)
        (state,) = one.states("acme", "shop")
    assert [getattr(state, name) for name in FIGURES] == [1, 2, 3, 4]


def test_while_two_tell_and_fold_a_third_never_misses_what_was_there(path: Path) -> None:
    def work(name: str) -> None:
        with SqliteLedger(path) as mine:
            for number in range(12):
                mine.record_states("acme", "shop", [told(f"{name}-{number}"), told("both", number)])
                a_run_ends(mine, run_id=f"{name}-{number}")

    workers = [threading.Thread(target=work, args=(name,)) for name in ("one", "other")]
    with SqliteLedger(path) as ledger:
        for worker in workers:
            worker.start()
        sizes = [0]
        while any(worker.is_alive() for worker in workers):
            sizes.append(len(ledger.states("acme", "shop")))
        for worker in workers:
            worker.join()
        assert sizes == sorted(sizes)
        assert len(ledger.states("acme", "shop")) == len(ledger.accepted("acme", "shop")) == 25
    assert counts(path) == (1, 0)


def test_every_cart_with_figures_is_known_folded_or_not(ledger: SqliteLedger) -> None:
    ledger.record_states("acme", "edi", [told("A")])
    assert [run.cart for run in ledger.statuses("acme")] == [None, "edi"]
    a_run_ends(ledger, "edi")
    ledger.record_states("acme", "shop", [told("A")])
    assert [run.cart for run in ledger.statuses("acme")] == [None, "edi", "shop"]


# -- what is known, made when it is looked at


@pytest.mark.usefixtures("small_parts")
def test_states_are_a_sequence_of_one_moment(ledger: SqliteLedger) -> None:
    everything = [told(f"{number:02d}", number) for number in range(10)]
    ledger.record_states("acme", "shop", everything)
    a_run_ends(ledger)
    known = ledger.states("acme", "shop")
    ledger.record_states("acme", "shop", [told("00", 99), told("later")])
    a_run_ends(ledger)
    assert len(known) == 10
    assert [state.sent for state in known] == list(range(10))
    assert (known[0].sent, known[-1].sent, known[5].sent, known[4].sent) == (0, 9, 5, 4)
    assert [state.sent for state in known[7:2:-2]] == [7, 5, 3]
    assert [state.sent for state in reversed(known)] == list(range(9, -1, -1))
    with pytest.raises(IndexError):
        known[10]
    assert repr(known) == "<States of 10 listings>"


def test_states_equal_a_tuple_of_the_same(ledger: SqliteLedger) -> None:
    ledger.record_states("acme", "shop", [told("A")])
    known = ledger.states("acme", "shop")
    assert known == tuple(known)
    assert known == ledger.states("acme", "shop")
    assert hash(known) == hash(tuple(known))
    assert known != ()
    assert known != (told("B"),)
    assert known.__eq__([*known]) is NotImplemented
    assert known[0] in known


def test_of_a_cart_that_nobody_knows_nothing_is_known(ledger: SqliteLedger) -> None:
    assert ledger.states("acme", "shop") == ()
    assert not ledger.states("acme", "shop")
    accepted = ledger.accepted("acme", "shop")
    assert (len(accepted), accepted.listings(), accepted.quantities) == (0, [], array("i"))


# -- what was accepted, as columns


def test_what_was_accepted_comes_as_a_buffer_with_its_keys(ledger: SqliteLedger) -> None:
    ledger.record_states(
        "acme",
        "shop",
        [told("B", 7), told("A", 5, location_id="york"), ListingState(listing_sku="C", sent=1)],
    )
    for _ in ("a delta", "a part"):
        accepted = ledger.accepted("acme", "shop")
        assert accepted.quantities == array("i", [5, 7, -(2**31)])
        assert accepted.unknown == -(2**31)
        assert accepted.listings() == [("A", "york"), ("B", None), ("C", None)]
        assert memoryview(accepted.quantities).nbytes == 12
        assert repr(accepted) == "<Accepted quantities of 3 listings>"
        a_run_ends(ledger)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("large", [2**31, -(2**31), -(2**31) - 1, 2**63 - 1, -(2**63 - 1)])
def test_a_quantity_of_more_than_32_bits_makes_the_column_wider(ledger: SqliteLedger, large: int) -> None:
    ledger.record_states("acme", "shop", [told(f"{number:02d}", number) for number in range(8)])
    ledger.record_states("acme", "shop", [ListingState(listing_sku="08", sent=5), told("09", large)])
    a_run_ends(ledger)
    accepted = ledger.accepted("acme", "shop")
    assert accepted.quantities == array("q", [*range(8), -(2**63), large])
    assert accepted.unknown == -(2**63)
    assert ledger.states("acme", "shop")[9].accepted == large


def test_the_lowest_byte_comes_first_in_the_file_on_every_machine(
    ledger: SqliteLedger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _parts.in_file_order(array("i", [1])).tobytes() == b"\1\0\0\0"
    monkeypatch.setattr("sys.byteorder", "big")
    assert _parts.in_file_order(array("i", [1])).tobytes() == b"\0\0\0\1"
    ledger.record_states("acme", "shop", [told("A", 258)])
    a_run_ends(ledger)
    assert ask(path, "SELECT hex(accepted) FROM listing_parts") == [("00000102",)]
    assert list(ledger.accepted("acme", "shop").quantities) == [258]


# -- edited by somebody


EDITS = [
    ("UPDATE listing_parts SET listings = '[[1,2]]'", True),
    ("UPDATE listing_parts SET listings = 'x'", True),
    ("UPDATE listing_parts SET stamps = '[[99]]'", True),
    ("UPDATE listing_parts SET listings = replace(listings, '5', '\"5\"')", True),
    ("UPDATE listing_parts SET keys = '[\"A\"]'", False),
    ("UPDATE listing_parts SET keys = ''", False),
]


@pytest.mark.parametrize(("edit", "is_seen_in_states"), EDITS)
def test_tables_that_somebody_edited_are_an_error_with_a_way_out(
    ledger: SqliteLedger, path: Path, edit: str, is_seen_in_states: bool
) -> None:
    ledger.record_states("acme", "shop", [told("A", 5)])
    a_run_ends(ledger)
    ask(path, edit)
    actions: list[Callable[[], object]] = [lambda: ledger.accepted("acme", "shop").listings()]
    if is_seen_in_states:
        actions = [lambda: list(ledger.states("acme", "shop")), lambda: ledger.states("acme", "shop")[0]]
    for action in actions:
        with pytest.raises(LedgerError, match="not as it was written") as caught:
            action()
        assert caught.value.code == "states_unreadable"
        assert str(path) in caught.value.message
        assert caught.value.remedy


@pytest.mark.parametrize("edit", ["listings = '[[1,2]]'", "texts = '7'"])
def test_a_delta_that_somebody_edited_is_not_folded(ledger: SqliteLedger, path: Path, edit: str) -> None:
    ledger.record_states("acme", "shop", [told("A", 5)])
    ask(path, f"UPDATE listing_deltas SET {edit}")
    for action in (
        lambda: a_run_ends(ledger),
        lambda: ledger.states("acme", "shop"),
        lambda: ledger.accepted("acme", "shop"),
    ):
        with pytest.raises(LedgerError) as caught:
            action()
        assert caught.value.code == "states_unreadable"
    assert counts(path) == (0, 1)


# -- brought forward


def a_file_of_version_2(path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[tuple[Any, ...]]) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(_schema, "_STEPS", _schema._STEPS[:2])  # noqa: SLF001  as the version before made it
        patch.setattr(_schema, "VERSION", 2)
        _schema.open_database(str(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        places = ", ".join("?" * (len(NAMES) + 2))
        names = ", ".join(("merchant", "cart", *NAMES))
        connection.executemany(f"INSERT INTO listing_figures ({names}) VALUES ({places})", rows)
        connection.commit()


def test_the_figures_of_a_file_of_version_2_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (
        (NOON + timedelta(hours=hour)).isoformat(timespec="microseconds") for hour in range(3)
    )
    whole = (3, second, "r1", 2, second, None, 2**40, third, "r3", -1, third, "r4", first, None)
    nothing = (None, None, None) * 4 + (None, None)
    a_file_of_version_2(
        path,
        monkeypatch,
        [
            ("acme", "shop", "MUG", "york", *whole),
            ("acme", "shop", 'a "b"', "", *nothing),
            ("acme", "shop", "CUP", "", *nothing[:3], 1, None, None, *nothing[6:]),
            ("acme", "edi", "MUG", "", 8, first, "r", *nothing[3:12], first, None),
        ],
    )
    expected = [
        ListingState(listing_sku="CUP", sent=1),
        ListingState(
            listing_sku="MUG",
            location_id="york",
            desired=3,
            desired_at=NOON + timedelta(hours=1),
            desired_run="r1",
            sent=2,
            sent_at=NOON + timedelta(hours=1),
            accepted=2**40,
            accepted_at=NOON + timedelta(hours=2),
            accepted_run="r3",
            observed=-1,
            observed_at=NOON + timedelta(hours=2),
            observed_run="r4",
            desired_since=NOON,
        ),
        ListingState(listing_sku='a "b"'),
    ]
    with SqliteLedger(path) as ledger:
        for _ in ("as brought forward", "folded"):
            assert list(ledger.states("acme", "shop")) == expected
            assert as_people_see(path, "shop") == expected
            a_run_ends(ledger)
        assert counts(path) == (1, 1)
        ledger.record_states("acme", "edi", [ListingState(listing_sku="MUG", desired=8, desired_at=NOON)])
        assert ledger.states("acme", "edi")[0].desired_since == NOON
    assert ask(path, "PRAGMA user_version") == [(3,)]
    assert ask(path, "SELECT name FROM sqlite_master WHERE name = 'listing_figures'") == []


def test_a_file_of_version_2_is_laid_out_like_a_new_one_afterwards(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_file_of_version_2(path, monkeypatch, [])
    new = tmp_path / "new.db"
    for one in (path, new):
        SqliteLedger(one).close()
    question = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
    assert ask(path, question) == ask(new, question)


def test_the_benchmark_finds_the_same_in_both_forms() -> None:
    command = [sys.executable, str(BENCHMARK), "--listings", "600", "--rounds", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 12
