"""One merchant in partitions, which processes or machines work out side by side.

A bundle needs the figures of its parts, wherever they are. So there are two waves: every partition gives the
columns of its products that bundles need (``components_of``), which are few; together they go to everybody,
and every partition is allocated by itself (``allocate_partition``). All of it can be pickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, compress, pairwise

from attrs import evolve, field, frozen

from omsync.allocation.columnar.buffers import Columns, Flags, Numbers, as_flags, as_numbers, packed
from omsync.allocation.columnar.bundles import BundleColumns, BundleGroup
from omsync.allocation.columnar.cart import CartColumns, Row
from omsync.allocation.columnar.quantities import allocate_columns, totals_of
from omsync.allocation.columnar.stock import StockColumns
from omsync.errors import InvalidValueError

__all__ = ["Components", "Partition", "allocate_partition", "components_of"]


def _all_numbers(columns: Iterable[object]) -> tuple[Numbers, ...]:
    return tuple(map(as_numbers, columns))


@frozen(kw_only=True, eq=False, repr=False)
class Partition(Columns):
    """Some products of a merchant, whole: each product is in one partition, with all its locations.

    Products are known by ids here, any whole numbers, the same in all partitions.

    Args:
        ids: The id of each product, ascending.
        stock: Their columns, in the same order; the locations are the same in all partitions.
        bundles: The bundles among them, with ids for products: a part may be in any partition.
        needed: For each product 1 if a bundle of any partition needs it, else 0.

    Raises:
        InvalidValueError: The columns do not fit together, a bundle is not among the products, or a bundle is
            needed for another one.
    """

    ids: Numbers = field(converter=as_numbers)
    stock: StockColumns
    bundles: BundleColumns = field(factory=BundleColumns)
    needed: Flags = field(converter=as_flags)

    def __attrs_post_init__(self) -> None:
        for what, column in (("ids", self.ids), ("needed", self.needed)):
            if len(column) != self.stock.products:
                raise InvalidValueError(
                    f"{what} has {len(column):,} entries for {self.stock.products:,} products"
                )
        if any(before >= after for before, after in pairwise(self.ids)):
            raise InvalidValueError("The ids of a partition's products must ascend, each of them once")
        of_bundles = {bundle for group in self.bundles.groups for bundle in group.bundles}
        if strange := sorted(of_bundles.difference(self.ids)):
            raise InvalidValueError(
                f"The bundle {strange[0]} is not among the products of its partition",
                remedy="Give each partition the bundles of its own products.",
            )
        if nested := sorted(of_bundles.intersection(compress(self.ids, self.needed))):
            raise InvalidValueError(
                f"The bundle {nested[0]} is a part of another bundle",
                remedy="Columns hold bundles of plain products; allocate() does the others.",
            )

    def __repr__(self) -> str:
        return f"<Partition: {len(self.ids):,} products, {len(self.bundles):,} bundles>"


@frozen(kw_only=True, eq=False, repr=False)
class Components(Columns):
    """What bundles are made of: of some products what is available.

    Args:
        ids: The id of each product, ascending.
        available: For each location the units that may be sold, signed.
    """

    ids: Numbers = field(converter=as_numbers)
    available: tuple[Numbers, ...] = field(converter=_all_numbers)

    @classmethod
    def together(cls, several: Iterable[Components]) -> Components:
        """Put those of all partitions together: what every partition is told, the broadcast.

        Raises:
            InvalidValueError: A product is in two partitions, or they have not the same number of locations.
        """
        given = list(several)
        if len({len(one.available) for one in given}) > 1:
            raise InvalidValueError("The partitions do not have the same locations")
        order = sorted(
            (one_id, part, place) for part, one in enumerate(given) for place, one_id in enumerate(one.ids)
        )
        for before, after in pairwise(order):
            if before[0] == after[0]:
                raise InvalidValueError(
                    f"The product {after[0]} is in two partitions",
                    remedy="Split by product, so that each is in one partition with all its locations.",
                )
        return cls(
            ids=packed(one_id for one_id, _, _ in order),
            available=[
                packed(given[part].available[location][place] for _, part, place in order)
                for location in range(len(given[0].available) if given else 0)
            ],
        )

    def __repr__(self) -> str:
        return f"<Components: {len(self.ids):,} products>"


def components_of(columns: Partition) -> Components:
    """Give what bundles of any partition need of this one: the first wave.

    Args:
        columns: The partition.
    """
    return Components(
        ids=packed(compress(columns.ids, columns.needed)),
        available=[packed(compress(one, columns.needed)) for one in columns.stock.available],
    )


def allocate_partition(
    columns: Partition,
    broadcast: Components,
    cart: CartColumns,
    *,
    clamp_each: bool = False,
    with_numpy: bool | None = None,
) -> tuple[Row, ...]:
    """Decide what a cart's listings of one partition are told: the second wave.

    Args:
        columns: The partition.
        broadcast: What bundles need of all partitions together.
        cart: What the cart wants of this partition's products, which have ids here, in ``products`` and in
            ``rules_by_product``. Rules for products of other partitions are passed over.
        clamp_each: As for ``totals_of``.
        with_numpy: As for ``totals_of``.

    Returns:
        A row for each of the cart's countings, equal to what one process with everything would give; totals
        and records are those of this partition's products, in their order.

    Raises:
        InvalidValueError: A part is in no partition, or a listing's product is not in this one.
        OverflowError: A quantity does not fit into eight bytes.
    """
    own = {one_id: number for number, one_id in enumerate(columns.ids)}
    borrowed = _borrowed(columns, broadcast, own)
    everyone = own | {broadcast.ids[place]: number for number, place in enumerate(borrowed, len(own))}
    totals = totals_of(
        _with_borrowed(columns.stock, broadcast, borrowed),
        _numbered(columns.bundles, everyone),
        clamp_each=clamp_each,
        with_numpy=with_numpy,
    )
    return tuple(
        Row(
            quantities=row.quantities,
            totals=packed(row.totals[: len(own)]),
            recorded=row.recorded[: len(own)],
        )
        for row in allocate_columns(totals, _numbered_cart(cart, own))
    )


def _borrowed(columns: Partition, broadcast: Components, own: Mapping[int, int]) -> list[int]:
    """Give the places in the broadcast of the parts that this partition needs and does not have."""
    parts = {part for group in columns.bundles.groups for column in group.parts for part in column}
    elsewhere = parts.difference(own)
    borrowed = [place for place, one_id in enumerate(broadcast.ids) if one_id in elsewhere]
    if len(borrowed) < len(elsewhere):
        raise InvalidValueError(
            f"The part {min(elsewhere.difference(broadcast.ids))} is not among what is broadcast",
            remedy="Mark it as needed in its own partition, and broadcast what all of them give.",
        )
    if borrowed and len(broadcast.available) != columns.stock.locations:
        raise InvalidValueError(
            f"There are {len(broadcast.available)} locations in what is broadcast, "
            f"and {columns.stock.locations} in the partition"
        )
    return borrowed


def _with_borrowed(stock: StockColumns, broadcast: Components, borrowed: Sequence[int]) -> StockColumns:
    """Give the columns with the borrowed parts behind the partition's own products."""
    if not borrowed:
        return stock
    return StockColumns(
        products=stock.products + len(borrowed),
        available=[
            packed(chain(own, (lent[place] for place in borrowed)))
            for own, lent in zip(stock.available, broadcast.available, strict=True)
        ],
        # Where there is no record the figure is 0, and of 0 units nothing is built either.
        recorded=[flags + b"\x01" * len(borrowed) for flags in stock.recorded],
    )


def _numbered(bundles: BundleColumns, numbers: Mapping[int, int]) -> BundleColumns:
    """Give bundles with numbers for ids; as ids ascend, so do the numbers of the bundles."""

    def column(ids: Numbers) -> Numbers:
        return as_numbers(packed(map(numbers.__getitem__, ids)))

    return BundleColumns(
        groups=tuple(
            BundleGroup(
                bundles=column(group.bundles), parts=tuple(map(column, group.parts)), needs=group.needs
            )
            for group in bundles.groups
        )
    )


def _numbered_cart(cart: CartColumns, own: Mapping[int, int]) -> CartColumns:
    """Give a cart with numbers for ids."""
    try:
        products = packed(map(own.__getitem__, cart.products))
    except KeyError as error:
        raise InvalidValueError(
            f"The listed product {error.args[0]} is not in this partition",
            remedy="Give each partition the listings of its own products.",
        ) from error
    rules = {own[one_id]: rules for one_id, rules in cart.rules_by_product.items() if one_id in own}
    return evolve(cart, products=products, rules_by_product=rules)
