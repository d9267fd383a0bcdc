"""What the page tests share: opening a page with controls from its address, and running the code that it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
ROUTER = ROOT / "explorer/ui/router.py"


def visit(name: str, *, timeout: float = 60, state: dict[str, Any] | None = None, **query: Any) -> AppTest:
    """The page pages/<name>.py after its first run. query: what its address says; state: what this session holds before."""
    app = AppTest.from_file(ROUTER, default_timeout=timeout)
    app.query_params.update({key: _as_address(value) for key, value in query.items()})
    app.run()
    for key, value in (state or {}).items():
        app.session_state[key] = value
    return app.switch_page(str(ROOT / f"pages/{name}.py")).run()


def _as_address(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def expect_no_fault(app: AppTest) -> None:
    """Neither an exception nor a sentence that says what went wrong."""
    assert not app.exception, app.exception[0].message
    assert [error.value for error in app.error] == []


def run_code(app: AppTest) -> dict[str, Any]:
    """The names that the code at the page's end leaves behind, run by itself."""
    names: dict[str, Any] = {}
    exec(compile(app.code[-1].value, "snippet", "exec"), names)
    return names


def expect_the_code_computes_what_is_shown(app: AppTest, rtol: float = 1e-5, atol: float = 1e-6) -> dict[str, Any]:
    """The result of the page's code is that of the page. → the names that the code leaves behind."""
    names, shown = run_code(app), app.session_state["code_result"]
    assert np.shape(names["result"]) == np.shape(shown)
    np.testing.assert_allclose(names["result"], shown, rtol=rtol, atol=atol)
    return names
