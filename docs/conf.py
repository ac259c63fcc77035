"""How Sphinx builds the site: ``nox -s docs``; a warning is an error."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for pictures.py beside this file

from pictures import draw  # noqa: E402  found by the line above

project = "omsync"
author = "the omsync authors"
release = version_of("omsync")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
html_theme = "furo"
html_title = f"omsync {release}"
exclude_patterns = ["_build", "_made"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
nitpicky = False
copybutton_exclude = ".linenos, .gp"

# What the front page shows is drawn by the code that this build documents.
draw(HERE / "_made")
