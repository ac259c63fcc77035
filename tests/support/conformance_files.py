"""Trading partners and files on the bench of the sink kit."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve
from conformance_bench import (
    ABSENT,
    listings,
    stocked,
)
from edi846_partner import answer, quantities, segments

from omsync.ports import QuantityChange
from omsync.sinks.edi846 import Edi846, PartnerProfile, Party
from omsync.sinks.files import CsvCart, JsonlCart
from omsync.testing.sink_kit import STRANGE_SKUS, Key, SinkBench


def edi(folder: Path, more: int, *, warehouses: str, contents: str = "changes") -> SinkBench:
    names = {} if warehouses == "total" else {"RENO": "0001", "OHIO": "0002"}
    profile = PartnerProfile(
        sender=Party(id="ACME"),
        receiver=Party(id="BIGBOX"),
        usage="test",
        contents=contents,
        warehouses=warehouses,
        facilities=names,
        encoding="utf-8",
    )
    archive = folder / "edi"
    locations = {code: name for name, code in names.items()}
    told: dict[Key, int] = {}

    def shown() -> dict[Key, int]:
        """Let the partner read the documents that lie there, in their order, and answer them."""
        for document in sorted((archive / "outbox").iterdir()):
            for (sku, place), units in quantities(segments(document.read_text("utf-8"))).items():
                if not names or place is not None:
                    told[sku, locations.get(place or "", place)] = units
            answer(archive, int(document.stem), {}, "A", name=f"{document.stem}.997")
            document.unlink()
        return dict(told)

    sink = Edi846(profile=profile, folder=archive)
    # X12 has no way to write its own delimiters.
    odd = tuple(sku for sku in STRANGE_SKUS if not {"*", ">"} & set(sku))
    sink.push(_rows([*listings(more), *odd], tuple(names) or (None,)))
    return SinkBench(
        sink=sink,
        shown=shown,
        listings=listings(more),
        strange=odd,
        absent=ABSENT,
        locations=tuple(names) or (None,),
        absent_location="moon",
        unreachable=evolve(sink, folder=folder / "nowhere" / "edi"),
    )


def csv_file(folder: Path, more: int, *, places: Sequence[str | None] = (None,), **options: Any) -> SinkBench:
    path = folder / "stock.csv"

    def shown() -> dict[Key, int]:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        # Beginnings that a spreadsheet takes for a formula have an apostrophe before them in the file.
        return {
            (row["listing_sku"].removeprefix("'"), row["location"] or None): int(row["quantity"])
            for row in rows
        }

    return _file_bench(CsvCart(path, **options), shown, more, places)


def jsonl_file(folder: Path, more: int, *, places: Sequence[str | None] = (None,)) -> SinkBench:
    path = folder / "stock.jsonl"

    def shown() -> dict[Key, int]:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return {(row["listing_sku"], row["location"]): row["quantity"] for row in rows}

    return _file_bench(JsonlCart(path), shown, more, places)


def _file_bench(
    sink: CsvCart | JsonlCart,
    shown: Callable[[], dict[Key, int]],
    more: int,
    places: Sequence[str | None],
) -> SinkBench:
    sink.push(_rows(stocked(more), places))
    return SinkBench(
        sink=sink,
        shown=shown,
        listings=listings(more),
        strange=STRANGE_SKUS,
        absent=ABSENT,
        unreachable=evolve(sink, path=sink.path.parent / "nowhere" / sink.path.name),
        locations=places,
    )


def _rows(skus: Iterable[str], places: Iterable[str | None]) -> list[QuantityChange]:
    every = [(sku, place) for place in places for sku in skus]
    return [
        QuantityChange(listing_sku=sku, location_id=place, quantity=3, available=3) for sku, place in every
    ]
