"""What a person looks at: data first, then renderings."""

from omsync.views.merchants import Overview, OverviewRow, overview
from omsync.views.products import ProductRow, ProductView, product_view

__all__ = ["Overview", "OverviewRow", "ProductRow", "ProductView", "overview", "product_view"]
