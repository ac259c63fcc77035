"""Syncs into a running Medusa that are killed at random moments: nothing is lost, nothing is oversold."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kills import SKUS, Kills

from omsync.http.client import Http
from omsync.http.messages import Request
from omsync.ports import QuantityChange
from omsync.sinks._credentials import basic
from omsync.sinks.medusa import Medusa

pytestmark = pytest.mark.medusa

KILLS = int(os.environ.get("OMSYNC_KILLS", "20")) // 2
"""Half of all kills; the other half go into Vendure."""


class PastTheSink:
    """The running shop, asked with the secret key."""

    def __init__(self, facts: dict[str, Any], http: Http) -> None:
        self.options = {"url": facts["url"], "location": facts["west"], "api_key": facts["api_key"]}
        self._http = http
        self._ask = Request(
            method="GET",
            url=f"{facts['url']}/admin/inventory-items",
            query=(
                *(("sku[]", sku) for sku in SKUS),
                ("fields", "sku,*location_levels"),
                ("limit", str(len(SKUS))),
            ),
            headers={"authorization": basic(facts["api_key"], "")},
        )

    def look(self) -> dict[str, int]:
        """Give what is on hand in the west."""
        items = self._http.send(self._ask).json()["inventory_items"]
        return {
            item["sku"]: level["stocked_quantity"]
            for item in items
            for level in item["location_levels"]
            if level["location_id"] == self.options["location"]
        }

    def put_back(self, before: dict[str, int]) -> None:
        """Let the other tests find what was there."""
        rows = [
            QuantityChange(listing_sku=sku, quantity=units, available=units) for sku, units in before.items()
        ]
        answers = Medusa(**self.options).push(rows)
        assert {one.status for one in answers} == {"accepted"}


@pytest.fixture
def door(shop: dict[str, Any]) -> Iterator[PastTheSink]:
    http = Http()
    door = PastTheSink(shop, http)
    before = door.look()
    yield door
    door.put_back(before)
    http.close()


def test_kills_at_random_moments_lose_nothing(
    door: PastTheSink, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kills = Kills("medusa", door.options, door.look, tmp_path, random.Random(20_261_128))
    kills.kill(KILLS)
    with capsys.disabled():
        print(f"\n{kills.table()}")  # noqa: T201  the figures that the session is run for
    assert sum(kills.stages.values()) == KILLS
    assert len(kills.stages) >= min(3, KILLS // 5)
