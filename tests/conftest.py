"""What all tests share: their order, their marks and hypothesis' settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
# The quick ones first. Chromium comes last also because Playwright leaves an event loop running in this thread.
ORDER = ("unit", "reference", "pages", "e2e")

# A time limit per example says more about the machine than about the code.
settings.register_profile("explorer", deadline=None, print_blob=True)
settings.load_profile("explorer")

# What a developer keeps there is no part of what the tests prove.
os.environ.pop("EXPLORER_MODELS", None)

# As app.py does: threads that spin while they wait cost seconds where cores are few. Read when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session", autouse=True)
def _full_error_messages() -> None:
    """AppTest reads .streamlit/config.toml, which keeps messages from visitors; a failing test should have them."""
    from streamlit import config

    config.set_option("client.showErrorDetails", "full")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by folder, and mark what drives a browser: `-m "not e2e"` leaves it out.

    A browser, a server and a test share a busy machine's two cores, so such a test may fail once; the summary names it.
    """

    def folder(item: pytest.Item) -> str:
        return item.path.relative_to(TESTS).parts[0]

    items.sort(key=lambda item: ORDER.index(folder(item)) if folder(item) in ORDER else len(ORDER))
    for item in items:
        if folder(item) == "e2e":
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.flaky(reruns=1))
