"""Sets the client's CPU per request beside bare httpx, 8 requests in flight, over HTTP on loopback.

    python benchmarks/requests.py [--requests 800] [--rounds 5] [--rows 1 100]

The server is a process of its own, so that only the client's CPU counts. Every variant posts the same rows,
encodes them and decodes the answer, in a fresh process each round; a first part is not counted. The median
of the rounds' ratios is shown. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

IN_FLIGHT = 8
BATCH = 200
"""Requests of one push; with many rows a request it is 8."""
FIRST = 200
"""Requests that are not counted, or as many as are."""
VARIANTS = ("threads", "blocking", "blocking with ledger", "async", "awaiting", "awaiting with ledger")
PAIRS = (
    ("blocking", "threads"),
    ("blocking with ledger", "threads"),
    ("awaiting", "async"),
    ("awaiting with ledger", "async"),
)
Count = Callable[[int], None]


def body_of(number: int, rows: int) -> dict[str, Any]:
    """Give what one request sends: rows of the size that carts take."""
    first = number * rows
    return {
        "items": [{"sku": f"SKU-{first + row:07d}", "quantity": (first + row) % 200} for row in range(rows)]
    }


class Shop(asyncio.Protocol):
    """Takes whatever is posted and answers with the same bytes, as fast as Python can."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer whatever has come whole."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n") + 4) > 3:
            head = self._received[:end].lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self._received) < end + length:
                return
            body, self._received = self._received[end : end + length], self._received[end + length :]
            self._transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nratelimit-remaining: 900000\r\n"
                b"ratelimit-reset: 60\r\ncontent-length: %d\r\n\r\n%b" % (length, body)
            )


async def serve() -> None:
    """Serve until the process is ended; the first line printed is the port."""
    server = await asyncio.get_running_loop().create_server(Shop, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def with_threads(url: str, requests: int, rows: int, count: Count) -> None:
    """Bare ``httpx.Client`` and a pool of threads."""
    import httpx

    with httpx.Client() as client, ThreadPoolExecutor(IN_FLIGHT) as pool:

        def post(number: int) -> None:
            client.post(url, json=body_of(number, rows)).json()
            count(number)

        list(pool.map(post, range(requests)))


def with_async(url: str, requests: int, rows: int, count: Count) -> None:
    """Bare ``httpx.AsyncClient`` and as many tasks."""
    import httpx

    async def main() -> None:
        numbers = iter(range(requests))
        async with httpx.AsyncClient() as client:

            async def work() -> None:
                for number in numbers:
                    (await client.post(url, json=body_of(number, rows))).json()
                    count(number)

            await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))

    asyncio.run(main())


def with_omsync(variant: str, url: str, requests: int, rows: int, count: Count, folder: Path) -> None:
    """Run conversations of one request each as a push does: batch by batch, noted before and after."""
    from omsync.http.awaiting import AsyncRunner
    from omsync.http.blocking import Runner
    from omsync.http.messages import Conversation, Request
    from omsync.http.pacing import Pace
    from omsync.http.steps import Line, Steps, call, talk_all
    from omsync.ledgers.sqlite import SqliteLedger
    from omsync.ports import ListingState

    line = Line(account="bench", pace=Pace(per_second=1e6, burst=1000), max_in_flight=IN_FLIGHT)
    ledger = SqliteLedger(folder / "ledger.db") if variant.endswith("ledger") else None
    batch = BATCH if rows == 1 else IN_FLIGHT

    def post(number: int) -> Conversation[int]:
        response = yield Request(method="POST", url=url, body=body_of(number, rows), lane="write")
        taken = len(response.json()["items"])
        count(number)
        return taken

    def states(kind: str, numbers: range) -> list[ListingState]:
        now = datetime.now(UTC)
        return [
            ListingState(
                listing_sku=row["sku"],
                **{kind: row["quantity"], f"{kind}_at": now, f"{kind}_run": "run-1"},
            )
            for number in numbers
            for row in body_of(number, rows)["items"]
        ]

    def steps() -> Steps[None]:
        for first in range(0, requests, batch):
            numbers = range(first, min(first + batch, requests))
            if ledger is not None:
                yield from call(ledger.record_states, "bench", "shop", states("sent", numbers))
            taken = yield from talk_all(line, map(post, numbers))
            assert taken == [rows] * len(numbers), taken
            if ledger is not None:
                yield from call(ledger.record_states, "bench", "shop", states("accepted", numbers))

    async def awaiting() -> None:
        async with AsyncRunner() as runner:
            await runner.run(steps())

    if variant.startswith("awaiting"):
        asyncio.run(awaiting())
    else:
        with Runner() as runner:
            runner.run(steps())
    if ledger is not None:
        ledger.close()


def measure(variant: str, url: str, requests: int, rows: int, folder: Path) -> float:
    """Run one variant in this process; give the CPU seconds of one request."""
    seen, began, first = 0, 0.0, min(FIRST, requests)

    def count(_: int) -> None:
        nonlocal seen, began
        seen += 1
        if seen == first:
            began = time.process_time()

    if variant == "threads":
        with_threads(url, first + requests, rows, count)
    elif variant == "async":
        with_async(url, first + requests, rows, count)
    else:
        with_omsync(variant, url, first + requests, rows, count, folder)
    return (time.process_time() - began) / requests


def in_a_fresh_process(variant: str, url: str, requests: int, rows: int) -> float:
    """Measure one variant."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--one", variant, url, str(requests), str(rows), folder]
        result = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(result.stdout))


def lines(url: str, requests: int, rounds: int, sizes: list[int]) -> Iterator[str]:
    """Measure everything and give the table's lines."""
    yield (
        "| rows a request | bare httpx, threads (us) | blocking / bare | with ledger / bare "
        "| bare httpx, async (us) | awaiting / bare | with ledger / bare |"
    )
    yield "|---|---|---|---|---|---|---|"
    for rows in sizes:
        taken = [
            {variant: in_a_fresh_process(variant, url, requests, rows) for variant in VARIANTS}
            for _ in range(rounds)
        ]
        bare = {
            name: f"{statistics.median(one[name] for one in taken) * 1e6:,.0f}"
            for name in ("threads", "async")
        }
        ratio = {
            ours: f"{statistics.median(one[ours] / one[theirs] for one in taken):.2f}"
            for ours, theirs in PAIRS
        }
        yield (
            f"| {rows} | "
            + " | ".join(
                [
                    bare["threads"],
                    ratio["blocking"],
                    ratio["blocking with ledger"],
                    bare["async"],
                    ratio["awaiting"],
                    ratio["awaiting with ledger"],
                ]
            )
            + " |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 100])
    parser.add_argument("--one", nargs=5, metavar=("VARIANT", "URL", "REQUESTS", "ROWS", "FOLDER"))
    parser.add_argument("--serve", action="store_true")
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
        return
    if given.one:
        variant, url, requests, rows, folder = given.one
        print(json.dumps(measure(variant, url, int(requests), int(rows), Path(folder))))
        return
    print(f"{given.requests:,} requests, {IN_FLIGHT} in flight, Python {sys.version.split()[0]}")
    print()
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/rows"
            for line in lines(url, given.requests, given.rounds, given.rows):
                print(line, flush=True)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
