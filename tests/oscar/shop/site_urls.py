"""The API, and Oscar's own pages, which its models link to."""

# Runs in the shop's own Python, where Django is. mypy runs elsewhere.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from django.apps import apps
from django.urls import include, path

urlpatterns = [
    path("api/", include("oscarapi.urls")),
    path("", include(apps.get_app_config("oscar").urls[0])),
]
