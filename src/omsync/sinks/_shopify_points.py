"""Shopify counts points, not calls: what a call will cost is known from the last one like it.

Every answer says what its operation cost, how many points are left, how fast they come back and how many
there are at most. All calls of a shop share one lane, and each is paced by its own cost: a call of 400 points
takes the place of 40 calls of 10. What another process of the same app spends shows in what is left, and is
waited for.

Source: "GraphQL Admin API rate limits" in Shopify's documentation.
"""

from __future__ import annotations

import logging
from math import isfinite
from typing import Any

from attrs import evolve, frozen

from omsync.errors import DecodeError, ServerFaultError, ThrottledError
from omsync.http.foresight import Allowance
from omsync.http.messages import Request, Response
from omsync.http.pacing import Pace
from omsync.http.retrying import Verdict
from omsync.http.retrying import judge as usual_judge
from omsync.sinks._graphql import faults_of

__all__ = ["PLANS", "WRITE_POINTS", "Cost", "Meter", "cost_of"]

log = logging.getLogger("omsync")

PLANS = {"standard": 100, "advanced": 200, "plus": 1000, "enterprise": 2000}
"""Points that come back in a second, by the shop's plan."""
WRITE_POINTS = 10
"""What a mutation costs unless Shopify says otherwise."""
_BUCKET = 20
"""The bucket holds so many seconds' worth of points, until the first answer says it."""
_LARGEST_QUERY = 900
"""What one query may cost is 1,000 points; this leaves room for a cost that was guessed."""
_OK = 200
_UNDER_WAY = b"IDEMPOTENCY_CONCURRENT_REQUEST"


@frozen(kw_only=True)
class Cost:
    """What an answer says about points: asked for, left, coming back in a second, and at most."""

    requested: float
    available: float
    restored: float
    maximum: float

    @property
    def wait(self) -> float:
        """Seconds until the same operation can be paid for."""
        return max(0.0, (self.requested - self.available) / self.restored)


class Meter:
    """What a shop's answers have said about points, and about the version that gave them.

    It learns from every answer through ``judge``, and is safe to share between threads, since the newest
    word counts.

    Args:
        restored: Points that come back in a second, until an answer says it.
        version: The API version that is asked for.
    """

    def __init__(self, restored: float = PLANS["standard"], version: str = "") -> None:
        self.restored = restored
        self.bucket = restored * _BUCKET
        self._version = version
        self._other_version = ""
        self._points_a_row: dict[str, float] = {}

    def pace(self, points: float) -> Pace:
        """Give the pace of calls that cost so many points; half of the bucket is left to others."""
        pace = Pace.within(bucket=int(self.bucket // points), per_second=self.restored / points)
        return evolve(pace, cost=points)

    def points(self, operation: str, rows: int = 1, *, guess: float = WRITE_POINTS) -> float:
        """Give what a call for so many rows will cost; ``guess`` is for one row, until an answer says it."""
        return self._points_a_row.get(operation, guess) * rows

    def rows(self, operation: str, *, guess: float, most: int) -> int:
        """Give how many rows one call may ask for, so that it stays well under what a query may cost."""
        room = min(_LARGEST_QUERY, self.bucket / 4)
        return max(1, min(most, int(room / self.points(operation, guess=guess))))

    def foresee(self, _: Request, response: Response) -> Allowance | None:
        """Give the points that are left."""
        cost = cost_of(response)
        if cost is None:
            return None
        full = (cost.maximum - cost.available) / cost.restored
        return Allowance(left=cost.available, reset=full, per_second=cost.restored)

    def judge(self, request: Request, response: Response) -> Verdict:
        """Learn from the answer, and decide whether the request may be tried again."""
        if response.status != _OK or not isinstance(request.body, dict):
            return usual_judge(request, response)
        self._note_version(response)
        cost = cost_of(response)
        if cost is not None:
            self._note(request.body, cost)
        for fault in _faults(response):
            if fault == "THROTTLED":
                return ThrottledError(
                    f"{request.place}: the shop's points are used up",
                    retry_after=cost.wait if cost else None,
                    remedy="Give the shop's real plan, or let fewer processes of this app run at once.",
                )
            if fault == "INTERNAL_SERVER_ERROR":
                return ServerFaultError(
                    f"{request.place}: the shop broke: {response.excerpt}", remedy="Try again later."
                )
        if _UNDER_WAY in response.content:
            return ServerFaultError(
                f"{request.place}: an earlier try of the same call is still under way",
                retry_after=1.0,
                remedy="Try again later.",
            )
        return None

    def _note(self, body: dict[str, Any], cost: Cost) -> None:
        self.restored, self.bucket = cost.restored, cost.maximum
        variables = body["variables"]
        # A mutation's rows are free, so it counts as one.
        rows = variables.get("first") or len(variables.get("ids", ())) or 1
        self._points_a_row[body["operationName"]] = max(1.0, cost.requested) / rows

    def _note_version(self, response: Response) -> None:
        answering = response.headers.get("x-shopify-api-version", self._version)
        if self._version and answering not in {self._version, self._other_version}:
            self._other_version = answering
            log.warning(
                "%s: version %s of the API was asked for, and %s answers; give a version that Shopify still "
                "supports and omsync was tested with",
                response.place,
                self._version,
                answering,
            )


def cost_of(response: Response) -> Cost | None:
    """Give what an answer says about points; None when it says nothing, or nothing that can be used."""
    try:
        cost = response.json()["extensions"]["cost"]
        status = cost["throttleStatus"]
        figures = [
            float(value)
            for value in (
                cost["requestedQueryCost"],
                status["currentlyAvailable"],
                status["restoreRate"],
                status["maximumAvailable"],
            )
        ]
    except (DecodeError, LookupError, TypeError, ValueError):
        return None
    requested, available, restored, maximum = figures
    if not all(map(isfinite, figures)) or restored <= 0 or maximum <= 0:
        return None
    return Cost(requested=requested, available=available, restored=restored, maximum=maximum)


def _faults(response: Response) -> list[str]:
    try:
        return [fault.code for fault in faults_of(response)]
    except DecodeError:  # the conversation will say what is wrong with the answer
        return []
