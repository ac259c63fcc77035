"""What people write in a TOML file, as values: ``load_settings`` and what it gives."""

from omsync.config.loading import CartEntry, Settings, load_settings, parse_settings, read_units
from omsync.config.options import EnvironmentVariable, Options

__all__ = [
    "CartEntry",
    "EnvironmentVariable",
    "Options",
    "Settings",
    "load_settings",
    "parse_settings",
    "read_units",
]
