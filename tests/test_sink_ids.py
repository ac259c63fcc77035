"""A cart's ids: remembered between runs, written to only once the cart has shown them again."""

from __future__ import annotations

from fake_memory import DictMemory
from two_runners import run_blocking

from omsync.sinks._ids import IdMap

PLACE = "ids of shop"


def test_an_id_of_an_earlier_run_is_remembered_and_not_yet_confirmed() -> None:
    memory = DictMemory()
    memory.remember(PLACE, {"MUG": "17"})
    ids = IdMap(memory, PLACE)
    run_blocking(ids.load())
    assert ids.remembered(["MUG", "NEW"]) == {"MUG": "17"}
    assert ids.confirmed(["MUG"]) == {}


def test_an_id_that_the_cart_has_shown_is_confirmed_and_no_longer_asked_for() -> None:
    memory = DictMemory()
    memory.remember(PLACE, {"MUG": "17"})
    ids = IdMap(memory, PLACE)
    run_blocking(ids.learn({"MUG": "17"}))
    assert ids.remembered(["MUG"]) == {}
    assert ids.confirmed(["MUG", "NEW"]) == {"MUG": "17"}


def test_a_steady_run_writes_nothing_to_the_memory() -> None:
    memory = DictMemory()
    memory.remember(PLACE, {"MUG": "17"})
    ids = IdMap(memory, PLACE)
    run_blocking(ids.learn({"MUG": "17"}, absent=["NEW"]))
    assert memory.writes == 1


def test_only_what_is_new_is_written() -> None:
    memory = DictMemory()
    run_blocking(IdMap(memory, PLACE).learn({"MUG": "17", "CUP": "18"}))
    run_blocking(IdMap(memory, PLACE).learn({"MUG": "17", "CUP": "19"}))
    assert memory.namespaces[PLACE] == {"MUG": "17", "CUP": "19"}
    assert memory.writes == 2


def test_an_id_whose_listing_has_another_sku_by_now_is_dropped_for_good() -> None:
    memory = DictMemory()
    memory.remember(PLACE, {"MUG": "17"})
    ids = IdMap(memory, PLACE)
    run_blocking(ids.learn({"MUG": "17"}))
    run_blocking(ids.learn({}, absent=["MUG"]))
    assert ids.confirmed(["MUG"]) == {}
    later = IdMap(memory, PLACE)
    run_blocking(later.load())
    assert later.remembered(["MUG"]) == {}


def test_without_a_ledger_ids_last_as_long_as_the_run() -> None:
    ids = IdMap()
    run_blocking(ids.learn({"MUG": "17"}))
    assert ids.confirmed(["MUG"]) == {"MUG": "17"}
    assert repr(ids) == "IdMap(1 confirmed)"
