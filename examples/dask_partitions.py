"""Allocate a merchant from Parquet with Dask, file by file, in two waves; ``nox -s dask`` runs it.

Needs ``dask[distributed]``, pyarrow and ``omsync[fast]``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import lake
import pyarrow.parquet as pq
from dask.distributed import Client, LocalCluster

from omsync.allocation.columnar import Components, Partition, components_of


def load(file: Path, folder: Path) -> Partition:
    """Read one file of stock; here each holds all records of its products."""
    return lake.partition_of(pq.read_table(file), lake.recipes_in(folder))


def main(folder: Path) -> None:
    """Write the data, work it out with two workers, and compare."""
    lake.make(folder)
    files = sorted((folder / "stock").iterdir())
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client:
        partitions = client.map(load, files, folder=folder)
        # The first wave: what bundles need of each partition. Together it is small, and goes to every worker.
        broadcast = client.submit(Components.together, client.map(components_of, partitions))
        # The second wave: each partition by itself, where it is.
        several = client.gather(client.map(lake.told, partitions, broadcast=broadcast))
    lake.check(folder, several, "Dask")


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp(prefix="omsync-dask-")))
