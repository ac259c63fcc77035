"""What a person looks at: data first, then renderings.

Each view is a value with ``page()``; ``page_of`` lays out plans, reports, drift and the like as well.
"""

from omsync.views.alert import Alert, Patience
from omsync.views.alerting import Alerts, alerts, note_alerts
from omsync.views.components import ComponentRow, ComponentView, component_view
from omsync.views.explanations import ExplanationView, explanation_view
from omsync.views.merchants import Overview, OverviewRow, overview
from omsync.views.page import Page
from omsync.views.pages import page_of
from omsync.views.plans import PlanRow, PlanView, plan_view
from omsync.views.products import ProductRow, ProductView, product_view
from omsync.views.rendered import Rendered
from omsync.views.runs import CartRuns, RunView, run_view
from omsync.views.supposing import WhatIf, what_if

__all__ = [
    "Alert",
    "Alerts",
    "CartRuns",
    "ComponentRow",
    "ComponentView",
    "ExplanationView",
    "Overview",
    "OverviewRow",
    "Page",
    "Patience",
    "PlanRow",
    "PlanView",
    "ProductRow",
    "ProductView",
    "Rendered",
    "RunView",
    "WhatIf",
    "alerts",
    "component_view",
    "explanation_view",
    "note_alerts",
    "overview",
    "page_of",
    "plan_view",
    "product_view",
    "run_view",
    "what_if",
]
