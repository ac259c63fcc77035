"""The smallest django-oscar with django-oscar-api that takes orders: SQLite, loopback, basic login."""

# Runs in the shop's own Python, where Django is. mypy runs elsewhere.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import os
from pathlib import Path

from oscar.defaults import *  # noqa: F403  Oscar's own settings come this way

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "site_urls"
SITE_ID = 1
USE_TZ = True
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(Path(os.environ["SHOP_DATABASE"])),
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {"timeout": 20},
    }
}
# A test asks hundreds of times, and every call checks the password.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
}
OSCARAPI_BLOCK_ADMIN_API_ACCESS = os.environ.get("SHOP_BLOCKS_ADMIN_API") == "yes"
INSTALLED_APPS = [
    *(
        f"django.contrib.{name}"
        for name in ("auth", "contenttypes", "sessions", "messages", "sites", "flatpages", "staticfiles")
    ),
    "oscar.config.Shop",
    "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    *(
        f"oscar.apps.{name}.apps.{name.title()}Config"
        for name in (
            "address",
            "analytics",
            "basket",
            "catalogue",
            "checkout",
            "communication",
            "customer",
            "offer",
            "order",
            "partner",
            "payment",
            "search",
            "shipping",
            "voucher",
        )
    ),
    "oscar.apps.wishlists.apps.WishlistsConfig",
    "oscar.apps.dashboard.apps.DashboardConfig",
    *(
        f"oscar.apps.dashboard.{name}.apps.{name.title()}DashboardConfig"
        for name in (
            "catalogue",
            "communications",
            "offers",
            "orders",
            "pages",
            "partners",
            "ranges",
            "reports",
            "reviews",
            "shipping",
            "users",
            "vouchers",
        )
    ),
    "widget_tweaks",
    "haystack",
    "treebeard",
    "django_tables2",
    "rest_framework",
    "oscarapi",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
