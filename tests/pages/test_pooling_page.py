"""The pooling page: every control to its bounds, any state from the URL, and the shown code computes what is shown."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, visit
from streamlit.testing.v1 import AppTest

STATES = {
    "pool_kind": st.sampled_from(("Max", "Average", "Global average")),
    "pool_window": st.integers(1, 12),
    "pool_stride": st.integers(1, 8),
    "pool_padding": st.integers(0, 6),
    "pool_counted": st.booleans(),
    "pool_ceil": st.booleans(),
    "pool_row": st.integers(0, 48),
    "pool_column": st.integers(0, 48),
    "pool_crop": st.sampled_from((24, 28, 32, 36)),
    "pool_x": st.integers(0, 100),
    "pool_y": st.integers(0, 100),
    "pool_noise": st.sampled_from(("Salt and pepper", "Salt: white specks", "Pepper: black specks", "Gaussian")),
    "pool_strength": st.integers(0, 50),
    "pool_shift": st.integers(0, 4),
    "pool_times": st.integers(1, 6),
    "pool_channels": st.sampled_from((1, 2048)),
    "pool_classes": st.sampled_from((2, 1000)),
    "pool_seed": st.integers(0, 9),
    "pool_code": st.sampled_from(("One line", "By hand", "ConvNet")),
    "photo": st.sampled_from(("flower.jpg", "cameraman.jpg", "rocket.jpg")),
}


open_page = partial(visit, "pooling")


def check(app: AppTest) -> dict[str, Any]:
    """No error on the page, and its code computes what it shows. What the code leaves behind."""
    expect_no_fault(app)
    return expect_the_code_computes_what_is_shown(app)


def reference(app: AppTest, x: torch.Tensor) -> np.ndarray:
    """The pooled map by torch alone, from what the controls say."""
    state = app.session_state
    if state["pool_kind"] == "global":
        return x.mean().view(1, 1).numpy()
    window = state["pool_window"], state["pool_stride"], state["pool_padding"]
    if state["pool_kind"] == "max":
        return F.max_pool2d(x, *window, ceil_mode=state["pool_ceil"])[0, 0].numpy()
    return F.avg_pool2d(x, *window, ceil_mode=state["pool_ceil"], count_include_pad=state["pool_counted"])[0, 0].numpy()


@pytest.mark.parametrize("kind", ["Max", "Average"])
def test_every_slider_and_toggle_reaches_both_ends(kind: str) -> None:
    app = open_page(pool_kind=kind)
    check(app)
    for key in [slider.key for slider in app.select_slider]:
        for end in (-1, 0):
            slider = app.select_slider(key=key)
            if not slider.disabled:
                slider.set_value(int(slider.options[end])).run()
                check(app)
                assert app.session_state[key] == int(slider.options[end])
    app.select_slider(key="pool_window").set_value(5).run()
    app.select_slider(key="pool_padding").set_value(2).run()
    for toggle in ("pool_counted", "pool_ceil"):
        if not app.toggle(key=toggle).disabled:
            app.toggle(key=toggle).set_value(not app.toggle(key=toggle).value).run()
            names = check(app)
            np.testing.assert_allclose(names["result"], reference(app, names["x"]), rtol=1e-5)


@pytest.mark.parametrize("key", ["pool_kind", "pool_code"])
def test_every_choice_of_the_segmented_controls(key: str) -> None:
    app = open_page()
    for choice in app.segmented_control(key=key).options:
        app.segmented_control(key=key).select(choice).run()
        check(app)


def test_every_noise_at_both_ends() -> None:
    app = open_page()
    for name in app.selectbox(key="pool_noise").options:
        app.selectbox(key="pool_noise").select(name).run()
        for strength in (0, 50):
            app.slider(key="pool_strength").set_value(strength).run()
            check(app)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(state=st.fixed_dictionaries({}, optional=STATES))
def test_any_state_of_the_url_opens_and_equals_torch(state: dict[str, Any]) -> None:
    app = open_page(**state)
    names = check(app)
    np.testing.assert_allclose(names["result"], reference(app, names["x"]), rtol=1e-5, atol=1e-6)


def test_a_state_of_the_url_is_restored() -> None:
    state = {"pool_window": 6, "pool_stride": 4, "pool_padding": 3, "pool_row": 1, "pool_column": 2, "pool_shift": 3,
             "pool_times": 2, "pool_seed": 7, "pool_strength": 33, "pool_crop": 36, "pool_x": 10, "pool_y": 90}  # fmt: skip
    app = open_page(**state, pool_kind="Average", pool_counted=False, pool_ceil=True)
    check(app)
    assert {key: app.session_state[key] for key in state} == state
    assert (app.session_state["pool_kind"], app.session_state["pool_counted"]) == ("average", False)
    assert app.session_state["pool_ceil"]


def test_a_smaller_window_moves_the_padding_to_its_bound() -> None:
    app = open_page(pool_window=8, pool_padding=4)
    assert app.session_state["pool_padding"] == 4
    app.select_slider(key="pool_window").set_value(3).run()
    assert app.session_state["pool_padding"] == 1
    check(app)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "Each cell of the map lies in some window."),
        ({"pool_window": 3}, "Torch rounds the size down: no window reaches the last row and the last column, faded here."),
        ({"pool_stride": 3, "pool_window": 5, "pool_crop": 36}, "Torch rounds the size down: no window reaches the last row"),
        ({"pool_window": 3, "pool_ceil": True}, "Rounded up: the last windows hang over the edge."),
        ({"pool_stride": 6}, "The stride is larger than the window: the cells between the windows are skipped."),
    ],
)  # fmt: skip
def test_what_no_window_reaches_is_said(state: dict[str, Any], words: str) -> None:
    app = open_page(**state)
    assert any(text.value.startswith(words) for text in app.caption), [text.value for text in app.caption]


def test_the_parameters_of_the_heads_are_those_of_torch() -> None:
    app = open_page(pool_channels=256, pool_classes=1000)
    text = "\n".join(markdown.value for markdown in app.markdown)
    flat = sum(p.numel() for p in torch.nn.Linear(256 * 16 * 16, 1000).parameters())
    averaged = sum(p.numel() for p in torch.nn.Linear(256, 1000).parameters())
    for parameters in (flat, averaged):
        assert rf"1000 = {parameters:,}".replace(",", r"\,") in text


def test_a_click_on_the_pooled_map_outlines_its_window() -> None:
    app = open_page(pool_window=4, pool_stride=4)
    app.session_state["pool_maps"] = {"picked": {"map": 1, "row": 3, "column": 5}}
    app.run()
    assert (app.session_state["pool_row"], app.session_state["pool_column"]) == (3, 5)
    value = app.session_state["code_result"][3, 5]
    assert any(f"**{value:.3f}**: pooled cell [3, 5]" in text.value for text in app.markdown)
    app.select_slider(key="pool_row").set_value(0).run()
    assert app.session_state["pool_row"] == 0  # the click counts once
    check(app)


@pytest.mark.parametrize(("cell", "window"), [((0, 0), (0, 0)), ((9, 14), (2, 3)), ((31, 31), (7, 7))])
def test_a_click_on_the_map_outlines_the_window_there(cell: tuple[int, int], window: tuple[int, int]) -> None:
    app = open_page(pool_window=4, pool_stride=4)
    app.session_state["pool_maps"] = {"picked": {"map": 0, "row": cell[0], "column": cell[1]}}
    app.run()
    assert (app.session_state["pool_row"], app.session_state["pool_column"]) == window


def test_a_click_on_the_photo_moves_the_part() -> None:
    app = open_page()
    before = app.session_state["code_result"]
    app.session_state["pool_photo"] = {"picked": {"map": 0, "row": 0, "column": 63}}
    app.run()
    assert (app.session_state["pool_x"], app.session_state["pool_y"]) == (100, 0)
    assert not np.array_equal(app.session_state["code_result"], before)
    check(app)
