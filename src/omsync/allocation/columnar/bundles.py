"""Bundles of plain products, as columns: grouped by how many parts they have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate, compress
from operator import lt

from attrs import frozen

from omsync.allocation.columnar.buffers import Columns, Numbers, as_numbers, packed
from omsync.errors import InvalidValueError

__all__ = ["BundleColumns", "BundleGroup"]


@frozen(kw_only=True, eq=False)
class BundleGroup(Columns):
    """Bundles that have equally many parts.

    Args:
        bundles: Their products.
        parts: For the first part, the second and so on: the product, one entry for each bundle.
        needs: The same for the units needed, from 1.
    """

    bundles: Numbers
    parts: tuple[Numbers, ...]
    needs: tuple[Numbers, ...]


@frozen(kw_only=True, eq=False, repr=False)
class BundleColumns:
    """All bundles that are computed from parts which are no bundles themselves.

    Args:
        groups: By number of parts.
    """

    groups: tuple[BundleGroup, ...] = ()

    @classmethod
    def of(cls, recipes: Mapping[int, Mapping[int, int]]) -> BundleColumns:
        """Group bundles by their number of parts.

        Args:
            recipes: For each bundle's product: units needed by part. No part may be a bundle.

        Raises:
            InvalidValueError: A need is below 1, a bundle has no parts, or a part is a bundle.
        """
        for bundle, parts in recipes.items():
            if not parts:
                raise InvalidValueError(f"The bundle {bundle} must have parts")
        rows = [
            (bundle, part, need)
            for bundle, parts in sorted(recipes.items())
            for part, need in sorted(parts.items())
        ]
        return cls.of_parts(*zip(*rows, strict=True)) if rows else cls()

    @classmethod
    def of_parts(cls, bundles: Sequence[int], parts: Sequence[int], needs: Sequence[int]) -> BundleColumns:
        """Group bundles by their number of parts, from columns with an entry for each part of each bundle.

        Args:
            bundles: The bundle's product.
            parts: The part's product, which is no bundle. Entries ascend by bundle and part.
            needs: The units needed, from 1.

        Raises:
            InvalidValueError: As said; or a part of a bundle is given twice.
        """
        rows = list(zip(bundles, parts, strict=True))
        if not all(map(lt, rows, rows[1:])):
            raise InvalidValueError("The parts of bundles must ascend by bundle and part, each of them once")
        for bundle, need in compress(zip(bundles, needs, strict=True), map((1).__gt__, needs)):
            raise InvalidValueError(f"The bundle {bundle} must need at least 1 of each part, not {need}")
        sizes = Counter(bundles)
        for bundle, part in compress(rows, map(sizes.__contains__, parts)):
            raise InvalidValueError(
                f"The bundle {bundle} is made of a bundle, {part}",
                remedy="Columns hold bundles of plain products; allocate() does the others.",
            )
        firsts: defaultdict[int, list[int]] = defaultdict(list)
        for first, size in zip(accumulate(sizes.values(), initial=0), sizes.values(), strict=False):
            firsts[size].append(first)

        def at(column: Sequence[int], begins: list[int], place: int) -> Numbers:
            return as_numbers(packed([column[first + place] for first in begins]))

        return cls(
            groups=tuple(
                BundleGroup(
                    bundles=at(bundles, begins, 0),
                    parts=tuple(at(parts, begins, place) for place in range(size)),
                    needs=tuple(at(needs, begins, place) for place in range(size)),
                )
                for size, begins in sorted(firsts.items())
            )
        )

    def __len__(self) -> int:
        return sum(len(group.bundles) for group in self.groups)

    def __repr__(self) -> str:
        return f"<BundleColumns: {len(self):,} bundles>"
