"""The order manager source's settings: safe by default, and wrong ones named at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from omsync.errors import InvalidValueError, OmsyncError, SettingsError
from omsync.http.pacing import Pace
from omsync.sources.extensiv import ExtensivOrderManager


def test_the_usual_settings_are_safe() -> None:
    source = ExtensivOrderManager("secret-token")
    assert source.base_url == "https://api.skubana.com"
    assert source.pace == Pace(per_second=1.0, burst=1)
    assert (source.stock, source.missing_available, source.acknowledge) == ("totals", "refuse", None)
    assert source.name == "Extensiv Order Manager at api.skubana.com"
    assert source.page_sizes["totals"] == 200


def test_the_token_is_nowhere_to_be_seen() -> None:
    source = ExtensivOrderManager("secret-token")
    assert "secret" not in repr(source) + source.name + source.account + repr(source.api)
    assert source.account != ExtensivOrderManager("another-token").account


@pytest.mark.parametrize("token", ["", "with blank", "line\n", "tökén", b"bytes-token", None])
def test_a_token_that_cannot_be_one_is_refused_without_being_shown(token: Any) -> None:
    with pytest.raises(InvalidValueError) as raised:
        ExtensivOrderManager(token)
    assert raised.value.code == "bad_token"
    assert not token or str(token) not in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"base_url": "api.skubana.com"}, "bad_address"),
        ({"base_url": None}, "bad_address"),
        ({"stock": "everything"}, "invalid_value"),
        ({"acknowledge": "shared"}, "invalid_value"),
        ({"channels": "Woo store"}, "wrong_type"),
        ({"page_sizes": {"products": 0}}, "invalid_value"),
        ({"page_sizes": {"product": 10}}, "unknown_page_size"),
        ({"restore_rate_per": "day"}, "invalid_value"),
        ({"missing_available": "zero"}, "invalid_value"),
        ({"baseline_from": datetime(2026, 1, 1)}, "invalid_value"),  # noqa: DTZ001  a naive moment on purpose
        ({"overlap": 10}, "wrong_type"),
        ({"pace": 5}, "wrong_type"),
        ({"timeout": "60"}, "wrong_type"),
    ],
    ids=str,
)
def test_a_setting_that_breaks_its_rules_is_an_error(settings: dict[str, Any], code: str) -> None:
    with pytest.raises(OmsyncError) as raised:
        ExtensivOrderManager("t", **settings)
    assert raised.value.code == code


def test_a_misspelt_page_size_gets_a_suggestion() -> None:
    with pytest.raises(SettingsError, match="did you mean 'products'"):
        ExtensivOrderManager("t", page_sizes={"product": 10})


def test_moments_are_kept_as_utc_and_addresses_without_a_slash() -> None:
    source = ExtensivOrderManager(
        "t",
        base_url="https://api.demo.skubana.com/",
        baseline_from=datetime.fromisoformat("2026-01-01T02:00:00+02:00"),
    )
    assert source.base_url == "https://api.demo.skubana.com"
    assert source.baseline_from == datetime(2026, 1, 1, tzinfo=UTC)


def test_every_setting_is_in_the_docs() -> None:
    text = (Path(__file__).parents[1] / "docs" / "order-manager.md").read_text()
    names = [field.name for field in attrs.fields(ExtensivOrderManager) if field.name != "handler"]
    assert [name for name in names if f"`{name}" not in text and f"({name})" not in text] == []
