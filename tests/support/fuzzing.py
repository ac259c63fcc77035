"""What the fuzz tests share: how many tries, and servers whose answers are changed on their way."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from attrs import evolve
from hypothesis import HealthCheck, settings

from omsync.errors import OmsyncError
from omsync.http.messages import Handler, Request, Response
from omsync.testing.mutations import mutated_json

__all__ = ["FUZZ", "Changing", "only_named_errors", "tryton_of_the_tests"]

_TRIES = int(os.environ.get("OMSYNC_FUZZ", "8"))
"""Tries for each decoder: some by default, as many as you have time for in ``nox -s fuzz``."""

FUZZ = settings(
    max_examples=_TRIES,
    deadline=None,
    database=None,
    derandomize=_TRIES <= 20,  # what everybody runs is always the same
    suppress_health_check=list(HealthCheck),
)


class Changing:
    """A server before the real fake: it lets some answers through and changes others."""

    def __init__(self, handler: Handler, chance: Random) -> None:
        self._handler = handler
        self._chance = chance
        self._share = chance.choice((0.05, 0.3, 1.0))
        self.log: list[tuple[str, bytes]] = []

    def handle(self, request: Request) -> Response:
        try:
            response = self._handler(request)
        except OmsyncError:
            raise
        except Exception:  # noqa: BLE001  the fake stumbles over what its changed answers made us ask
            response = Response(status=500, content=b"oops", place=request.place)
        if self._chance.random() < self._share:
            content = mutated_json(response.content, self._chance)
            status = self._chance.choice((response.status,) * 9 + (204, 302, 400, 401, 404, 422, 429, 500))
            response = evolve(response, content=content, status=status)
            self.log.append((request.place, content))
        return response


def only_named_errors(work: Callable[[], object], *, given: Any = "") -> None:
    """Do the work; an error must be one of omsync's, and must print."""
    named = None
    try:
        work()
    except OmsyncError as error:
        named = error
    except Exception as error:
        error.add_note(f"given: {given!r}"[:20_000])
        raise
    assert named is None or (named.code and str(named))


def tryton_of_the_tests() -> ModuleType:
    """Give the module with the fake Tryton, which lives in its tests."""
    path = Path(__file__).parents[1] / "test_tryton.py"
    spec = importlib.util.spec_from_file_location("tryton_of_the_tests", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
