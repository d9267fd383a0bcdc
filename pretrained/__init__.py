"""Networks with trained weights: what there is (catalog), how it gets here (loading, download), one module per task."""

from __future__ import annotations

from explorer.errors import UserError


class LoadError(UserError):
    """Weights could not be had: not reached, not whole, not what they should be, or stopped by the visitor."""
