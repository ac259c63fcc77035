"""Every cart that omsync ships, held to every check of the sink kit before its fake, or why not to one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from conformance_benches import BENCHES

from omsync.testing.sink_kit import SINK_CHECKS, SinkBench, check_sink

MOST = 2500
"""Listings that are made for a full batch at most."""

FILES = ("csv file", "jsonl file")
MADE_BY_ROWS = (*FILES, "edi")
"""Carts without a platform: whatever is told to them is there."""

ONE_PLACE = ("woocommerce", "ebay, asked only", "ebay, all items", *(
    f"{market}, {way}" for market in ("amazon", "walmart") for way in ("one by one", "by feed")
))  # fmt: skip
UNSEEN = ("bigcommerce", "ebay")
"""Platforms that do not say whether a listing is untracked or a kit."""

BLIND = (
    *("saleor", "bigcommerce", "vendure", "medusa", "woocommerce", "adobe commerce"),
    *("ebay", "amazon", "walmart", "edi"),
)
"""Carts that are read, compared, then written."""

OPEN: Sequence[tuple[str, str, Sequence[str]]] = (
    ("secrets_stay_out_of_sight", "nobody has to show who they are", MADE_BY_ROWS),
    ("wrong_credentials_are_unauthorized", "nobody has to show who they are", MADE_BY_ROWS),
    (
        "says_what_open_orders_hold",
        "it shows what may be bought",
        (
            *("bigcommerce, all items", "bigcommerce, asked only", "shopify, available"),
            *("woocommerce", "ebay", "amazon", *MADE_BY_ROWS),
        ),
    ),
    ("names_of_one_place_agree", "a place has one name", (*ONE_PLACE, *MADE_BY_ROWS)),
    ("one_place_takes_one_number", "a place has one name", (*ONE_PLACE, *MADE_BY_ROWS)),
    (
        "keeps_locations_apart",
        "there is one place",
        (*ONE_PLACE, "edi, total", "csv file, total", "jsonl file"),
    ),
    (
        "states_a_duplicate",
        "a SKU belongs to one listing",
        ("saleor", "medusa", "bigcommerce", "adobe commerce", "ebay", "amazon", "walmart", *MADE_BY_ROWS),
    ),
    ("states_what_is_untracked", "all stock counts", ("walmart", *MADE_BY_ROWS)),
    ("states_what_is_untracked", "it is not told", UNSEEN),
    ("states_what_is_unmanaged", "there are no kits", ("saleor", "vendure", *MADE_BY_ROWS)),
    ("states_what_is_unmanaged", "it is told when a kit is written to", ("shopify",)),
    ("states_what_is_unmanaged", "it is not told", UNSEEN),
    ("leaves_alone_what_it_must_not_tell", "there is no such listing", (*UNSEEN, *MADE_BY_ROWS)),
    ("a_renamed_listing_keeps_its_number", "a row is its SKU", MADE_BY_ROWS),
    ("a_listing_renamed_during_a_run_keeps_its_number", "a row is its SKU", MADE_BY_ROWS),
    ("a_quantity_too_large_is_never_cut", "no largest quantity is known", ("amazon", "walmart", *FILES)),
    (
        "echoes_what_the_cart_shows",
        "its answers show no quantity",
        ("bigcommerce", "adobe commerce", "ebay", "amazon", "walmart, by feed", "walmart, ship nodes", "edi"),
    ),
    (
        "takes_a_full_batch",
        "its feeds of 75,000 and more rows have tests of their own",
        ("amazon", "walmart"),
    ),
    ("an_unknown_location_is_refused", "a new location is a new row", FILES),
    ("an_unknown_location_is_refused", "the fake does not know which locations there are", ("ebay",)),
    ("an_unknown_listing_spares_the_others", "a new SKU is a new row", MADE_BY_ROWS),
    (
        "creates_what_it_says",
        "it makes no listings",
        (
            *("saleor", "bigcommerce", "vendure", "medusa", "shopify", "woocommerce", "adobe commerce"),
            *("ebay", "amazon", "walmart"),
        ),
    ),
    ("a_late_write_is_a_conflict", "it cannot compare", BLIND),
    ("a_sale_is_not_taken_for_the_write", "it cannot compare", BLIND),
    ("both_runners_do_the_same", "it makes no calls", MADE_BY_ROWS),
    ("a_lost_answer_is_no_refusal", "a file is written, or it is not", MADE_BY_ROWS),
)
"""What does not concern a cart: the check, why, and the carts, with all their ways where none is named."""


def is_open(cart: str, check: str) -> bool:
    """Tell whether a check does not concern a cart."""
    return any(
        check == name and any(f"{cart},".startswith(f"{one},") for one in carts) for name, _, carts in OPEN
    )


def bench_for(cart: str, check: str, folder: Path) -> SinkBench:
    """Set a cart up, for a full batch with as many listings as a push takes."""
    bench = BENCHES[cart](folder, 0)
    most = bench.sink.capabilities.rows_per_push
    if check != "takes_a_full_batch" or most is None or not len(bench.listings) < most <= MOST:
        return bench
    return BENCHES[cart](folder, most - len(bench.listings))


@pytest.mark.parametrize("check", SINK_CHECKS)
@pytest.mark.parametrize("cart", BENCHES)
def test_the_cart_conforms(cart: str, check: str, tmp_path: Path) -> None:
    (result,) = check_sink(bench_for(cart, check, tmp_path), checks=[check]).results
    assert result.outcome == ("not_applicable" if is_open(cart, check) else "passed"), str(result)


def test_what_is_left_open_names_checks_and_carts_that_there_are() -> None:
    for check, why, carts in OPEN:
        assert check in SINK_CHECKS
        assert why
        for one in carts:
            assert any(f"{cart},".startswith(f"{one},") for cart in BENCHES), one
