"""Two readings of one merchant's stock, such as the order manager's own and today's hosted copy of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from omsync.comparison.bundles import Side, side_of
from omsync.comparison.catalogue import compare_aliases, compare_bundles
from omsync.comparison.findings import Comparison, Findings
from omsync.comparison.places import matched, words
from omsync.errors import SettingsError
from omsync.model import InventorySnapshot, Place, Sku, StockLevel
from omsync.settings import MerchantSettings

__all__ = ["compare_snapshots"]


def compare_snapshots(
    a: InventorySnapshot,
    b: InventorySnapshot,
    *,
    names: tuple[str, str] = ("a", "b"),
    same_places: Mapping[str, str] | None = None,
    tolerance: int = 0,
    merchant: MerchantSettings | None = None,
) -> Comparison:
    """Compare two readings: products, figures by location and in all, aliases, bundles. Pure.

    Args:
        a: The first.
        b: The second.
        names: What the two are called in sentences.
        same_places: Locations that are one although ids and names differ: the first's id or exact name to the
            second's.
        tolerance: Figures that differ by no more units are not listed; sales go on between two readings.
        merchant: How locked units and bundles are understood. Which warehouses it counts does not matter.

    Raises:
        SettingsError: One reading is by warehouse and the other by channel, or ``same_places`` does not fit.
    """
    if a.scope != b.scope:
        raise SettingsError(
            f"{names[0]} was read by {a.scope} and {names[1]} by {b.scope}; which is not the same thing",
            code="scopes_differ",
            remedy="Read both in one mode: MerchantSettings(mode=PerWarehouse()) or mode=PerSalesChannel().",
        )
    pairing = _Pairing(
        sides=(side_of(a, b, merchant), side_of(b, a, merchant)),
        pairs=matched(a.places, b.places, same_places or {}),
        findings=Findings(names=names, tolerance=tolerance),
    )
    pairing.compare()
    return pairing.findings.result((a.taken_at, b.taken_at))


class _Pairing:
    """The two, with their locations matched; each method compares one aspect."""

    def __init__(self, sides: tuple[Side, Side], pairs: Mapping[str, Place], findings: Findings) -> None:
        self.sides = sides
        self.pairs = pairs
        self.findings = findings
        self._skus = [{sku.master_sku: sku for sku in side.snapshot.skus} for side in sides]
        self._words = {place.id: words(place) for place in sides[0].snapshot.places}
        self._own_ids = {twin.id: own_id for own_id, twin in pairs.items()}
        self._by_channel = sides[0].snapshot.scope == "channel"

    def compare(self) -> None:
        """Compare everything."""
        self._compare_places()
        known = [{*self._skus[side], *self.sides[side].snapshot.levels.master_skus} for side in (0, 1)]
        self._products_only_in(0, known[0] - known[1])
        self._products_only_in(1, known[1] - known[0])
        both = sorted(known[0] & known[1])
        for master_sku in both:
            self._compare_activity(master_sku)
            self._compare_figures(master_sku)
        compare_aliases(self.findings, self.sides[0].snapshot, self.sides[1].snapshot, both)
        compare_bundles(self.findings, self.sides, both)
        for side, name in zip(self.sides, self.findings.names, strict=True):
            doubtful = {sku for sku, _ in side.snapshot.doubtful} & set(both)
            self.findings.notice(
                "doubtful", f"newer figures of these were lost on their way to {name}", list(doubtful)
            )

    def _compare_places(self) -> None:
        """Name places with stock that the other does not have, and places of one id and two names."""
        for side, partners in ((0, self.pairs), (1, self._own_ids)):
            units: Counter[str] = Counter()
            for level in self.sides[side].snapshot.levels:
                units[level.location_id] += self.sides[side].available(level) or 0
            for place in self.sides[side].snapshot.places:
                if place.id in units and place.id not in partners:
                    sentence = f"Only {self.findings.names[side]} has the place {words(place)}, with "
                    sentence += f"{units[place.id]:,} units available"
                    self.findings.one_sided("place", side, units[place.id], sentence, place=words(place))
        for place in self.sides[0].snapshot.places:
            twin = self.pairs.get(place.id)
            if twin is not None and twin.id == place.id:
                sentence = f"The place {place.id} is called {place.name!r} and {twin.name!r}"
                alike = place.name == twin.name
                self.findings.agree(
                    alike, "place_renamed", place.name, twin.name, sentence, place=words(place)
                )

    def _products_only_in(self, side: int, master_skus: set[str]) -> None:
        name = self.findings.names[side]
        not_sold, unrecorded = [], []
        for master_sku in sorted(master_skus):
            levels = self.sides[side].snapshot.levels.of(master_sku)
            sku = self._skus[side].get(master_sku)
            if sku is not None and not _is_sold(sku):
                not_sold.append(master_sku)
            elif not levels:
                unrecorded.append(master_sku)
            else:
                total = None if self._by_channel else self.sides[side].total(levels)
                said = "" if total is None else f", with {total:,} available"
                self.findings.one_sided(
                    "product", side, total, f"Only {name} has {master_sku}{said}", units=True, sku=master_sku
                )
        self.findings.notice(
            f"not_sold_only_in_{'ab'[side]}",
            f"only {name} has these, which are inactive, virtual, digital or not tracked",
            not_sold,
        )
        self.findings.notice(
            f"unrecorded_only_in_{'ab'[side]}", f"only {name} has these, without a stock record", unrecorded
        )

    def _compare_activity(self, master_sku: str) -> None:
        first, second = (skus.get(master_sku) for skus in self._skus)
        if first is None or second is None:
            return
        states = ["active" if sku.active else "inactive" for sku in (first, second)]
        names = self.findings.names
        sentence = f"{master_sku} is {states[0]} in {names[0]} and {states[1]} in {names[1]}"
        self.findings.agree(
            first.active == second.active, "activity", states[0], states[1], sentence, sku=master_sku
        )

    def _compare_figures(self, master_sku: str) -> None:
        levels = [side.snapshot.levels.of(master_sku) for side in self.sides]
        there = {self._own_ids.get(level.location_id): level for level in levels[1]}
        met = 0
        for level in levels[0]:
            other = there.pop(level.location_id, None)
            if other is not None:
                met += 1
                self._compare_records(level, other)
            elif level.location_id in self.pairs:
                self._record_only_in(0, level, level.location_id)
        for own_id, level in there.items():
            if own_id is not None:
                self._record_only_in(1, level, own_id)
        one_record = met == len(levels[0]) == len(levels[1]) == 1
        # Adding channels up would count the same stock several times.
        if not self._by_channel and (levels[0] or levels[1]):
            self._compare_totals(master_sku, levels, listed=not one_record)

    def _compare_totals(self, master_sku: str, levels: list[tuple[StockLevel, ...]], *, listed: bool) -> None:
        """Count the units that the two differ by; list them where no single record says the same."""
        first, second = (side.total(own) for side, own in zip(self.sides, levels, strict=True))
        if first is None or second is None:
            return
        if abs(second - first) > self.findings.tolerance:
            self.findings.units += abs(second - first)
        if listed:
            self.findings.figure("total", first, second, f"{master_sku}, in all", sku=master_sku)

    def _compare_records(self, level: StockLevel, other: StockLevel) -> None:
        (one, two), master_sku = self.sides, level.master_sku
        place = self._words[level.location_id]
        figures = one.available(level), two.available(other)
        bundle = master_sku in one.bundles | two.bundles
        if bundle and None in figures:
            return  # It cannot be worked out, and a notice says so.
        differs = self.findings.figure(
            "available", *figures, f"{master_sku} at {place}, available", sku=master_sku, place=place
        )
        if differs and self._by_channel:
            self.findings.units += abs(self.findings.found[-1].gap or 0)
        if not bundle and level.on_hand is not None and other.on_hand is not None:
            self.findings.figure(
                "on_hand",
                level.on_hand,
                other.on_hand,
                f"{master_sku} at {place}, on hand",
                sku=master_sku,
                place=place,
            )

    def _record_only_in(self, side: int, level: StockLevel, own_id: str) -> None:
        units, place = self.sides[side].available(level), self._words[own_id]
        said = "" if units is None else f", with {units:,} available"
        sentence = f"Only {self.findings.names[side]} has {level.master_sku} at {place}{said}"
        self.findings.one_sided(
            "record", side, units, sentence, units=self._by_channel, sku=level.master_sku, place=place
        )


def _is_sold(sku: Sku) -> bool:
    return sku.active and sku.kind != "virtual" and not sku.digital and sku.tracked
