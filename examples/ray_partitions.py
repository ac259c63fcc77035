"""Allocate a merchant from Parquet with Ray, file by file, in two waves; ``nox -s ray`` runs it.

Needs ray, pyarrow and ``omsync[fast]``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import lake
import pyarrow.parquet as pq
import ray

from omsync.allocation.columnar import Components, Partition, components_of


def load(file: Path, folder: Path) -> Partition:
    """Read one file of stock; here each holds all records of its products."""
    return lake.partition_of(pq.read_table(file), lake.recipes_in(folder))


def main(folder: Path) -> None:
    """Write the data, work it out with two workers, and compare."""
    lake.make(folder)
    files = sorted((folder / "stock").iterdir())
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        partitions = [ray.remote(load).remote(file, folder) for file in files]
        # The first wave: what bundles need of each partition. Together it is small, and goes to every worker.
        components = ray.get([ray.remote(components_of).remote(one) for one in partitions])
        broadcast = ray.put(Components.together(components))
        # The second wave: each partition by itself, where it is.
        several = ray.get([ray.remote(lake.told).remote(one, broadcast) for one in partitions])
    finally:
        ray.shutdown()
    lake.check(folder, several, "Ray")


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp(prefix="omsync-ray-")))
