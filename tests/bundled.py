"""Tests that go on trained weights, which are too large to be made in a test: skipped where a file is not in the checkout."""

from __future__ import annotations

import pytest

from pretrained import catalog
from pretrained.records import Model


def needs_weights(*keys: str) -> pytest.MarkDecorator:
    """Skips the test, or with pytestmark the module, where the bundled weights of one of these models are missing."""
    missing = [key for key in keys if not (catalog.WEIGHTS / catalog.get(key, Model).file).is_file()]
    return pytest.mark.skipif(bool(missing), reason=f"the weights of {', '.join(missing)} are not here")
