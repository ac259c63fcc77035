"""Allocate a merchant from Parquet with Spark (``mapInArrow``), in two waves; ``nox -s spark`` runs it.

Needs a Java that Spark runs on (17 or later), pyspark, pandas (which ``mapInArrow`` wants), pyarrow and
``omsync[fast]``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import lake
import pyarrow as pa
from pyspark.sql import SparkSession

from omsync.allocation.columnar import Components, Partition, components_of


def main(folder: Path) -> None:
    """Write the data, work it out with two workers, and compare."""
    lake.make(folder)
    # The workers are to be of this Python, which has what they need.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    try:
        spark.sparkContext.addPyFile(lake.__file__)
        recipes = spark.sparkContext.broadcast(lake.recipes_in(folder))
        # All records of a product come into one partition.
        stock = spark.read.parquet(str(folder / "stock")).repartition(4, "product")
        columns = ["product", *(f"at{place}" for place in range(lake.WAREHOUSES))]

        def partition(batches: Iterable[pa.RecordBatch]) -> Partition | None:
            rows = [batch for batch in batches if batch.num_rows]
            return lake.partition_of(pa.Table.from_batches(rows), recipes.value) if rows else None

        def components(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            one = partition(batches)
            if one is not None:
                found = components_of(one)
                named = zip(columns, (found.ids, *found.available), strict=True)
                yield pa.RecordBatch.from_pydict({name: pa.array(one, pa.int64()) for name, one in named})

        # The first wave: what bundles need of each partition. Together it is small, and goes to every worker.
        schema = ", ".join(f"{name} long" for name in columns)
        found = stock.mapInArrow(components, schema).orderBy("product").toArrow()
        ids, *available = (found[name].to_numpy() for name in columns)
        broadcast = spark.sparkContext.broadcast(Components(ids=ids, available=available))

        def allocate(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            one = partition(batches)
            if one is not None:
                yield from lake.told(one, broadcast.value).to_batches()

        # The second wave: each partition by itself.
        quantities = stock.mapInArrow(allocate, "product long, quantity long").toArrow()
    finally:
        spark.stop()
    lake.check(folder, [quantities], "Spark")


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp(prefix="omsync-spark-")))
