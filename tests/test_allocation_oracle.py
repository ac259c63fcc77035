"""Random merchants: every quantity and every skip against an oracle that counts instead of calculating."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import HealthCheck, event, given, settings
from oracle import expect

from omsync.allocation import allocate
from omsync.testing.case import Case, features
from omsync.testing.strategies import cases

_QUIET = settings(
    max_examples=200,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def _compare_with_the_oracle(case: Case) -> None:
    for feature in sorted(features(case)):
        event(feature)
    allocation, expected = case.allocated_by(allocate), case.allocated_by(expect)
    quantities = {
        (row.listing_sku, row.location_id): (row.quantity, row.reason) for row in allocation.quantities
    }
    assert quantities == expected.quantities
    skips: defaultdict[tuple[str | None, str, str | None], list[str]] = defaultdict(list)
    for one in allocation.skipped:
        skips[one.listing_sku, one.master_sku, one.location_id].append(one.reason)
    assert skips.keys() == expected.skips.keys()
    for key, reasons in skips.items():
        # A bundle may have several things wrong with it; the engine names one of them.
        true = list(expected.skips[key])
        assert len(reasons) == len(true)
        for reason in reasons:
            true.remove(next(one for one in true if reason in one))


@_QUIET
@given(cases())
def test_every_quantity_and_every_skip_is_what_the_oracle_says(case: Case) -> None:
    _compare_with_the_oracle(case)


@_QUIET
@given(cases(channels=False, computed=True, trouble=False, aliases=False))
def test_bundles_shared_parts_and_orders_are_what_the_oracle_says(case: Case) -> None:
    _compare_with_the_oracle(case)
