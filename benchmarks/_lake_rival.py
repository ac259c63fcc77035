"""The job of ``lake.py`` by DuckDB, in SQL, on all cores, spilling to disk beyond its limit."""

from __future__ import annotations

from pathlib import Path

from omsync import QuantityRules

__all__ = ["PLACES", "RULES", "work_out"]

PLACES = 10
RULES = QuantityRules(percent=90, safety_stock=2, zero_below=3, max_quantity=500)


def work_out(folder: Path, out: Path, limit: str) -> None:
    """Lay the records out wide, a column for each place, as the columns are, and join what bundles need."""
    import duckdb

    database = duckdb.connect(str(out / "work.duckdb"))
    database.execute(f"set memory_limit = '{limit}'")
    database.execute(f"set temp_directory = '{out / 'spilled'}'")
    database.execute("set preserve_insertion_order = false")
    places = range(PLACES)
    at = ", ".join(f"any_value(available) filter (place = {n}) as at{n}" for n in places)
    # Here and below no names and no figures but our own go into the SQL.
    database.execute(
        f"create table wide as select product, {at} from read_parquet('{folder}/stock/*.parquet')"  # noqa: S608
        " group by product"
    )
    total = " + ".join(f"coalesce(p.at{n}, 0)" for n in places)
    made = ", ".join(f"min(greatest(coalesce(p.at{n}, 0), 0) // need) as at{n}" for n in places)
    database.execute(
        f"create table made as select bundle, {made}, min(greatest({total}, 0) // need) as most"  # noqa: S608
        f" from read_parquet('{folder}/recipes/*.parquet') join wide p on p.product = part group by bundle"
    )
    # A bundle is built only where it has a record itself.
    built = " + ".join(f"case when w.at{n} is null then 0 else m.at{n} end" for n in places)
    total = " + ".join(f"coalesce(w.at{n}, 0)" for n in places)
    pieces = f"greatest({total} + coalesce(least({built}, m.most), 0), 0) * {RULES.percent} // 100"
    pieces = f"({pieces} - {RULES.safety_stock})"
    pieces = f"case when {pieces} < {RULES.zero_below} then 0 else {pieces} end"
    pieces = f"least(greatest({pieces}, 0), {RULES.max_quantity})::integer"
    database.execute(
        f"copy (select w.product, {pieces} as quantity from wide w"  # noqa: S608
        f" left join made m on m.bundle = w.product) to '{out}/quantities.parquet' (format parquet)"
    )
    database.close()
    (out / "work.duckdb").unlink()
