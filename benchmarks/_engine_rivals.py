"""The same job by what one might reach for instead; straightforward code, not an expert's.

Each lays the records out wide, one column for each location, as the engine does. Debts net against other
locations; what a bundle's parts make at all locations together limits it, which only debts can make felt.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from _engine_job import (  # type: ignore[import-not-found]  # beside this file, where mypy does not look
    CARTS,
    LOCATIONS,
    Job,
    Pages,
    Quantities,
    rows_of,
)

__all__ = ["Duckdb", "Numpy", "Pandas", "Polars"]


def columns_of(job: Job, pages: Pages | None) -> list[Any]:
    """Give the four columns of the records: views of those that are there, or made from the pages."""
    if pages is None:
        return [np.frombuffer(column, dtype=np.int32) for column in job.records]
    return list(np.concatenate([np.array(page, dtype=np.int32) for page in pages]).T)


class Numpy:
    """By hand, with a matrix of all locations."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def ingest(self, pages: Pages | None) -> Any:
        """Lay the records out as two matrices."""
        product, location, on_hand, committed = columns_of(self.job, pages)
        available = np.zeros((LOCATIONS, self.job.products), dtype=np.int32)
        recorded = np.zeros((LOCATIONS, self.job.products), dtype=np.bool_)
        available[location, product] = on_hand - committed
        recorded[location, product] = True
        return available, recorded

    def allocate(self, state: Any) -> Quantities:
        """Decide every quantity of every cart."""
        available, recorded = state
        bundle, part, need = (np.frombuffer(column, dtype=np.int32) for column in self.job.bundles)
        first = np.flatnonzero(np.diff(bundle, prepend=-1))
        bundles = bundle[first]
        at_each = [
            np.minimum.reduceat(np.maximum(available[location][part], 0) // need, first)
            * recorded[location][bundles]
            for location in range(LOCATIONS)
        ]
        told: list[list[Any]] = []
        for cart, listings in zip(CARTS, self.job.listings, strict=True):
            rules, chosen = cart.rules, np.frombuffer(listings, dtype=np.int32)
            told.append([])
            for row in rows_of(cart):
                total = available[list(row)].sum(axis=0, dtype=np.int32)
                limit = np.minimum.reduceat(np.maximum(total[part], 0) // need, first)
                total[bundles] += np.minimum(sum(at_each[location] for location in row), limit)
                quantity = np.maximum(total[chosen], 0) * rules.percent // 100 - rules.safety_stock
                quantity[quantity < rules.zero_below] = 0
                if rules.max_quantity is not None:
                    quantity = np.minimum(quantity, rules.max_quantity)
                told[-1].append(np.maximum(quantity, 0))
        return told

    def diff(self, quantities: Quantities) -> int:
        """Find what differs from the last run."""
        return sum(
            len(np.flatnonzero(np.frombuffer(before, dtype=np.int32) != now))
            for befores, nows in zip(self.job.previous, quantities, strict=True)
            for before, now in zip(befores, nows, strict=True)
        )


class Polars:
    """With polars, on all cores."""

    def __init__(self, job: Job) -> None:
        import polars as pl

        self.job, self.pl = job, pl

    def ingest(self, pages: Pages | None) -> Any:
        """Make a wide frame: a column for each location, null where there is no record."""
        pl = self.pl
        names = ["product", "location", "on_hand", "committed"]
        if pages is None:
            columns = columns_of(self.job, None)
            records = pl.DataFrame(dict(zip(names, columns, strict=True)))
        else:
            schema = dict.fromkeys(names, pl.Int32)
            records = pl.DataFrame([record for page in pages for record in page], schema=schema, orient="row")
        return (
            records.lazy()
            .group_by("product")
            .agg(
                (pl.col("on_hand") - pl.col("committed"))
                .filter(pl.col("location") == location)
                .first()
                .alias(f"at{location}")
                for location in range(LOCATIONS)
            )
            .sort("product")
            .collect()
        )

    def allocate(self, wide: Any) -> Quantities:
        """Decide every quantity of every cart."""
        pl = self.pl
        names = [f"at{location}" for location in range(LOCATIONS)]
        bundle, part, need = (np.frombuffer(column, dtype=np.int32) for column in self.job.bundles)
        parts = (
            pl.DataFrame({"bundle": bundle, "product": part, "need": need})
            .join(wide, on="product", how="left")
            .with_columns(pl.col(names).fill_null(0))
        )
        made = parts.group_by("bundle").agg((pl.col(names).clip(0) // pl.col("need")).min())
        # A bundle is built only where it has a record itself.
        made = made.join(wide, left_on="bundle", right_on="product", suffix="_own").select(
            pl.col("bundle").alias("product"),
            *[
                pl.when(pl.col(f"{name}_own").is_not_null()).then(name).otherwise(0).alias(f"built_{name}")
                for name in names
            ],
        )
        everything = wide.join(made, on="product", how="left").fill_null(0)
        told = []
        for cart, listings in zip(CARTS, self.job.listings, strict=True):
            rules = cart.rules
            totals = []
            for number, row in enumerate(rows_of(cart)):
                counted = [f"at{location}" for location in row]
                limit = parts.group_by(pl.col("bundle").alias("product")).agg(
                    (pl.sum_horizontal(counted).clip(0) // pl.col("need")).min().alias("limit")
                )
                built = pl.sum_horizontal(f"built_{name}" for name in counted)
                total = pl.sum_horizontal(counted) + pl.min_horizontal(built, pl.col("limit").fill_null(0))
                quantity = total.clip(0) * rules.percent // 100 - rules.safety_stock
                quantity = pl.when(quantity < rules.zero_below).then(0).otherwise(quantity)
                quantity = quantity.clip(0, rules.max_quantity).cast(pl.Int32)
                totals.append(
                    everything.lazy()
                    .join(limit.lazy(), on="product", how="left")
                    .select("product", quantity.alias(f"row{number}"))
                )
            listed = pl.DataFrame({"product": np.frombuffer(listings, dtype=np.int32)}).lazy()
            for total in totals:
                listed = listed.join(total, on="product", how="left", maintain_order="left")
            told.append(listed.drop("product").collect().get_columns())
        return told

    def diff(self, quantities: Quantities) -> int:
        """Find what differs from the last run."""
        pl = self.pl
        return sum(
            len((pl.Series(np.frombuffer(before, dtype=np.int32)) != now).arg_true())
            for befores, nows in zip(self.job.previous, quantities, strict=True)
            for before, now in zip(befores, nows, strict=True)
        )


class Pandas:
    """With pandas."""

    def __init__(self, job: Job) -> None:
        import pandas as pd

        self.job, self.pd = job, pd

    def ingest(self, pages: Pages | None) -> Any:
        """Make a wide frame: a column for each location, missing where there is no record."""
        pd = self.pd
        names = ["product", "location", "on_hand", "committed"]
        if pages is None:
            records = pd.DataFrame(dict(zip(names, columns_of(self.job, None), strict=True)))
        else:
            records = pd.DataFrame([record for page in pages for record in page], columns=names)
        records["available"] = records["on_hand"] - records["committed"]
        return records.pivot_table(index="product", columns="location", values="available", aggfunc="sum")

    def allocate(self, wide: Any) -> Quantities:
        """Decide every quantity of every cart."""
        pd = self.pd
        everything = wide.fillna(0).astype("int32")
        bundle, part, need = (np.frombuffer(column, dtype=np.int32) for column in self.job.bundles)
        needs = pd.Series(need)
        figures = everything.reindex(part).reset_index(drop=True)
        made = figures.clip(lower=0).floordiv(needs, axis=0).groupby(bundle).min()
        # A bundle is built only where it has a record itself.
        made = made.where(wide.reindex(made.index).notna(), 0)
        told: list[list[Any]] = []
        for cart, listings in zip(CARTS, self.job.listings, strict=True):
            rules = cart.rules
            told.append([])
            for row in map(list, rows_of(cart)):
                limit = figures[row].sum(axis=1).clip(lower=0).floordiv(needs).groupby(bundle).min()
                built = made[row].sum(axis=1).clip(upper=limit)
                total = everything[row].sum(axis=1).add(built, fill_value=0).astype("int32")
                listed = total.reindex(np.frombuffer(listings, dtype=np.int32))
                quantity = listed.clip(lower=0) * rules.percent // 100 - rules.safety_stock
                quantity = quantity.where(quantity >= rules.zero_below, 0)
                told[-1].append(quantity.clip(lower=0, upper=rules.max_quantity))
        return told

    def diff(self, quantities: Quantities) -> int:
        """Find what differs from the last run."""
        return sum(
            len(now[np.frombuffer(before, dtype=np.int32) != now])
            for befores, nows in zip(self.job.previous, quantities, strict=True)
            for before, now in zip(befores, nows, strict=True)
        )


class Duckdb:
    """With DuckDB, in SQL, on all cores."""

    def __init__(self, job: Job) -> None:
        import duckdb
        import pyarrow as pa

        self.job, self.pa = job, pa
        self.database = duckdb.connect()

    def _table(self, name: str, **columns: Any) -> None:
        arrow = self.pa.table({key: np.frombuffer(column, dtype=np.int32) for key, column in columns.items()})
        self.database.register("given", arrow)
        self.database.execute(f"create table {name} as select * from given")  # noqa: S608  our own names
        self.database.unregister("given")

    def ingest(self, pages: Pages | None) -> None:
        """Make a wide table: a column for each location, null where there is no record."""
        names = ("product", "location", "on_hand", "committed")
        columns = [np.ascontiguousarray(column) for column in columns_of(self.job, pages)]
        self._table("records", **dict(zip(names, columns, strict=True)))
        at = ", ".join(
            f"any_value(on_hand - committed) filter (location = {location}) as at{location}"
            for location in range(LOCATIONS)
        )
        # Here and below no names and no figures but our own go into the SQL.
        self.database.execute(f"create table wide as select product, {at} from records group by product")  # noqa: S608
        self.database.execute("drop table records")

    def allocate(self, _: None) -> Quantities:
        """Decide every quantity of every cart."""
        run = self.database.execute
        self._table("recipe", **dict(zip(("bundle", "part", "need"), self.job.bundles, strict=True)))
        places = range(LOCATIONS)
        made = ", ".join(f"min(greatest(coalesce(p.at{n}, 0), 0) // need) as at{n}" for n in places)
        # A bundle is built only where it has a record itself.
        own = ", ".join(f"case when w.at{n} is null then 0 else m.at{n} end as built{n}" for n in places)
        run(
            f"create table made as with m as (select bundle, {made} from recipe"  # noqa: S608
            " join wide p on p.product = part group by bundle)"
            f" select m.bundle, {own} from m join wide w on w.product = m.bundle"
        )
        told = []
        for number, (cart, listings) in enumerate(zip(CARTS, self.job.listings, strict=True)):
            self._table(f"listing{number}", product=listings)
            rules, rows = cart.rules, rows_of(cart)
            limits = ", ".join(
                f"min(greatest({_sum('p.at', row)}, 0) // need) as row{place}"
                for place, row in enumerate(rows)
            )
            quantities = []
            for place, row in enumerate(rows):
                built = f"least({_sum('m.built', row)}, coalesce(l.row{place}, 0))"
                total = f"greatest({_sum('w.at', row)} + {built}, 0)"
                quantity = f"({total} * {rules.percent} // 100 - {rules.safety_stock})"
                quantity = f"case when {quantity} < {rules.zero_below} then 0 else {quantity} end"
                if rules.max_quantity is not None:
                    quantity = f"least({quantity}, {rules.max_quantity})"
                quantities.append(f"greatest({quantity}, 0)::integer as row{place}")
            limit = f"select bundle, {limits} from recipe join wide p on p.product = part group by bundle"  # noqa: S608
            answer = run(
                f"with l as ({limit}) select {', '.join(quantities)} from listing{number} g"  # noqa: S608
                " left join wide w on w.product = g.product left join made m on m.bundle = g.product"
                " left join l on l.bundle = g.product order by g.product"
            ).fetchnumpy()
            told.append([answer[f"row{place}"] for place in range(len(rows))])
        return told

    def diff(self, quantities: Quantities) -> int:
        """Find what differs from the last run; what was fetched is compared where it is."""
        return Numpy.diff(self, quantities)  # type: ignore[arg-type]  # it looks at the job alone


def _sum(prefix: str, row: tuple[int, ...]) -> str:
    return " + ".join(f"coalesce({prefix}{location}, 0)" for location in row)
