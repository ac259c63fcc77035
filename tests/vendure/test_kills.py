"""Syncs into a running Vendure that are killed at random moments: nothing is lost, nothing is oversold."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from kills import SKUS, Kills
from vendure_bench import Bench, change

from omsync.http.client import Http
from omsync.http.messages import Request, Response

pytestmark = pytest.mark.vendure

KILLS = int(os.environ.get("OMSYNC_KILLS", "20")) // 2
"""Half of all kills; the other half go into Medusa."""


class PastTheSink(Bench):
    """The running shop; nobody buys in it."""

    def __init__(self, facts: Mapping[str, Any], http: Http) -> None:
        super().__init__(facts, None)
        self._http = http

    def send(self, request: Request) -> Response:
        return self._http.send(request)

    def order(self, sku: str, units: int) -> None:
        raise NotImplementedError


@pytest.fixture
def door(shop: dict[str, Any]) -> Iterator[PastTheSink]:
    http = Http()
    door = PastTheSink(shop, http)
    before = door.levels(SKUS)
    yield door
    rows = [change(sku, before[sku, door.main]) for sku in SKUS]
    answers = door.sink(location=door.main).push(rows)
    assert {one.status for one in answers} == {"accepted"}
    http.close()


def test_kills_at_random_moments_lose_nothing(
    door: PastTheSink, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def look() -> dict[str, int]:
        levels = door.levels(SKUS)
        return {sku: levels[sku, door.main] for sku in SKUS}

    options = {"url": door.facts["url"], "location": door.main, **door.login}
    kills = Kills("vendure", options, look, tmp_path, random.Random(20_261_128))
    kills.kill(KILLS)
    with capsys.disabled():
        print(f"\n{kills.table()}")  # noqa: T201  the figures that the session is run for
    assert sum(kills.stages.values()) == KILLS
    assert len(kills.stages) >= min(3, KILLS // 5)
