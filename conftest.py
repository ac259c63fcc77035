"""Runs the Python examples of the README and of the docs as tests, each page in a scratch folder.

And says once for all laws that how long an example takes is no property of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

# Timing is never asserted: a test that is slow on a busy machine is not wrong.
settings.register_profile("omsync", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("omsync")


@pytest.fixture(scope="module")
def scratch_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Examples write files; they do it where nobody minds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("docs"))
        yield


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    excludes=["**/node_modules/**", "**/.venv/**", "**/.nox/**"],
    fixtures=["scratch_folder"],
).pytest()
