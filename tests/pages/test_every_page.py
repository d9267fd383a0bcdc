"""What holds for every page: it opens, its controls can be moved to their bounds, and its code computes what it shows."""

from __future__ import annotations

import pytest
from page_visits import ROOT, expect_no_fault, expect_the_code_computes_what_is_shown, visit

from explorer.ui.pages import topics

PAGES = [ROOT / "pages/home.py", *sorted(topic.path for topic in topics())]
WITH_CODE = [page for page in PAGES if page.stem != "home"]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_opens(page):
    app = visit(page.stem)
    expect_no_fault(app)
    assert app.title[0].value


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda p: p.stem)
def test_the_code_computes_what_the_page_shows(page):
    app = visit(page.stem)
    expect_the_code_computes_what_is_shown(app, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda p: p.stem)
def test_every_control_reaches_its_bounds(page):
    app = visit(page.stem)
    for kind in ("slider", "number_input", "selectbox", "select_slider", "toggle", "checkbox"):
        for key in [widget.key for widget in getattr(app, kind)]:
            for end in (0, 1):
                widget = next((w for w in getattr(app, kind) if w.key == key), None)
                if widget is None or widget.disabled:  # another control took it away
                    continue
                if kind in {"slider", "number_input"}:
                    value = widget.min if end == 0 else widget.max
                    if value is None:
                        continue
                    widget.set_value(value)
                elif kind == "selectbox":
                    official = [i for i, option in enumerate(widget.options) if not option.startswith("ResNet-")]
                    choices = official or [0]
                    widget.select_index(choices[0] if end == 0 else choices[-1])
                elif kind == "select_slider":
                    widget.set_value(widget.options[0] if end == 0 else widget.options[-1])
                else:
                    widget.set_value(bool(end))
                app.run()
                expect_no_fault(app)


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda p: p.stem)
def test_every_choice_of_a_segmented_control(page):
    app = visit(page.stem)
    for key in [group.key for group in app.segmented_control]:
        if key in {"photo_from"}:  # its upload and camera have tests of their own
            continue
        group = next(g for g in app.segmented_control if g.key == key)
        for value in choices(group):
            group = next((g for g in app.segmented_control if g.key == key), None)
            if group is None:
                break
            group.set_value(value)
            app.run()
            expect_no_fault(app)


def choices(group) -> list:
    """The values of a control whose texts come from a dict, as those of this app do."""
    texts = getattr(group.format_func, "__self__", None)
    return list(texts) if isinstance(texts, dict) else list(group.options)
