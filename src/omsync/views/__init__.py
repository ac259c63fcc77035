"""What a person looks at: data first, then renderings."""

from omsync.views.products import ProductRow, ProductView, product_view

__all__ = ["ProductRow", "ProductView", "product_view"]
