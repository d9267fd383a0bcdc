"""The convolution page: every control to its bounds, any state from the URL, and the shown code computes what is shown."""

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

PADDINGS = ("None (valid)", "Same size", "Own")
MODES = {"Zeros": "constant", "Reflect": "reflect", "Replicate": "replicate", "Circular": "circular"}
STATES = {
    "conv_input": st.sampled_from(("Photo", "Matrix", "Series")),
    "conv_matrix": st.sampled_from(
        ("1 2 3\n4 5 6\n7 8 9", "0 1 0 2 0\n1 0 3 0 1\n0 1/2 0 -1 0\n\n" + "1 2 3 4 5\n" * 3)
    ),
    "conv_series": st.sampled_from(("1 2 4", "3 1 4 1 5 9 2 6\n\n2 7 1 8 2 8 1 8")),
    "conv_kernel": st.sampled_from(
        ("Sobel", "Gaussian blur", "Laplacian, 4 neighbours", "Random weights", "Your own …")
    ),
    "conv_series_kernel": st.sampled_from(("Smooth", "Average", "Difference", "Random weights", "Your own …")),
    "conv_own": st.sampled_from(("1 0 -1", "1 2\n3 4", "1/9 1/9 1/9\n" * 3, "1 2 3 4 5 6\n" * 7)),
    "conv_own_series": st.sampled_from(("1 -1", "1 2 3 4 5 6 7 8 9")),
    "conv_size": st.integers(1, 15),
    "conv_stride": st.integers(1, 5),
    "conv_padding": st.sampled_from(PADDINGS),
    "conv_mode": st.sampled_from(tuple(MODES)),
    "conv_cells": st.integers(0, 6),
    "conv_dilation": st.integers(1, 5),
    "conv_operation": st.sampled_from(("Correlation", "Flipped", "Transposed")),
    "conv_inputs": st.integers(1, 4),
    "conv_groups": st.integers(1, 4),
    "conv_outputs": st.integers(1, 6),
    "conv_extra": st.integers(0, 4),
    "conv_cut": st.integers(0, 6),
    "conv_row": st.integers(0, 40),
    "conv_column": st.integers(0, 40),
    "conv_channel": st.integers(0, 5),
    "conv_crop": st.sampled_from((16, 24, 48)),
    "conv_x": st.integers(0, 100),
    "conv_layers": st.integers(1, 5),
    "conv_code": st.sampled_from(("PyTorch's line", "By hand", "Colour, channel by channel")),
}


open_page = partial(visit, "convolution")


def check(app: AppTest) -> dict[str, Any]:
    """No error on the page, and its code computes what it shows. What the code leaves behind."""
    expect_no_fault(app)
    return expect_the_code_computes_what_is_shown(app)


def reference(app: AppTest, x: torch.Tensor, weight: torch.Tensor) -> np.ndarray:
    """The layer by torch alone, from what the controls say."""

    def value(key: str, default: int) -> int:
        return app.session_state[key] if key in app.session_state else default  # noqa: SIM401 — it has no get

    operation = app.session_state["conv_operation"]
    series = x.shape[2] == 1
    stride = (1 if series else value("conv_stride", 1), value("conv_stride", 1))
    dilation = (1 if series else value("conv_dilation", 1), value("conv_dilation", 1))
    groups = value("conv_groups", 1)
    if operation == "transposed":
        extra, cut = value("conv_extra", 0), value("conv_cut", 0)
        sides = (0 if series else cut, cut), (0 if series else extra, extra)
        return F.conv_transpose2d(x, weight, None, stride, *sides, groups, dilation)[0].numpy()
    before, after = [0, 0], [0, 0]
    if app.session_state["conv_padding"] == "same":
        total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        before, after = [t // 2 for t in total], [t - t // 2 for t in total]
    elif app.session_state["conv_padding"] == "cells":
        before = after = [0 if series else value("conv_cells", 1), value("conv_cells", 1)]
    mode = app.session_state["conv_mode"]
    padded = F.pad(x, [before[1], after[1], before[0], after[0]], mode="constant" if mode == "zeros" else mode)
    if operation == "convolution":
        weight = weight.flip(2, 3)
    return F.conv2d(padded, weight, None, stride, 0, dilation, groups)[0].numpy()


@pytest.mark.parametrize("source", ["Photo", "Matrix", "Series"])
@pytest.mark.parametrize("operation", ["Correlation", "Transposed"])
def test_every_slider_reaches_both_ends(source: str, operation: str) -> None:
    app = open_page(conv_input=source, conv_operation=operation)
    names = check(app)
    assert names["result"].size > 1
    for key in [slider.key for slider in app.select_slider]:
        for end in (-1, 0):
            slider = app.select_slider(key=key)
            if not slider.disabled:
                slider.set_value(int(slider.options[end])).run()
                check(app)
                assert app.session_state[key] == int(slider.options[end])


@pytest.mark.parametrize("key", ["conv_input", "conv_operation", "conv_padding", "conv_code"])
def test_every_choice_of_the_segmented_controls(key: str) -> None:
    app = open_page()
    for choice in app.segmented_control(key=key).options:
        app.segmented_control(key=key).select(choice).run()
        check(app)


def test_every_kernel() -> None:
    app = open_page()
    for name in app.selectbox(key="conv_kernel").options:
        app.selectbox(key="conv_kernel").select(name).run()
        check(app)


def test_every_padding_mode_keeps_the_size() -> None:
    app = open_page(conv_padding="Same size", conv_crop=24)
    for mode in app.selectbox(key="conv_mode").options:
        app.selectbox(key="conv_mode").select(mode).run()
        assert check(app)["result"].shape == (1, 24, 24)


@settings(max_examples=35, suppress_health_check=[HealthCheck.too_slow])
@given(state=st.fixed_dictionaries({}, optional=STATES))
def test_any_state_of_the_url_opens_and_equals_torch(state: dict[str, Any]) -> None:
    app = open_page(**state)
    names = check(app)
    x, weight = names["x"], names["weight"]
    np.testing.assert_allclose(names["result"], reference(app, x, weight), rtol=1e-4, atol=1e-4)


def test_a_larger_kernel_moves_the_dilation_to_its_bound() -> None:
    app = open_page(conv_input="Matrix", conv_kernel="Random weights", conv_dilation=3)
    assert app.session_state["conv_dilation"] == 3
    app.select_slider(key="conv_size").set_value(5).run()
    assert app.session_state["conv_dilation"] == 1
    check(app)


@pytest.mark.parametrize(
    ("stride", "words"),
    [
        (3, "A stride of 3 never reaches the last 1 row and 1 column: they are faded in the input."),
        (4, "Nothing is dropped at the end. Set the stride to 3: which columns disappear?"),
    ],
)
def test_what_the_floor_drops_is_said(stride: int, words: str) -> None:
    app = open_page(conv_input="Matrix", conv_stride=stride)  # 7 cells, a kernel of 3: 4 steps of room
    assert words in [text.value for text in app.markdown]


@pytest.mark.parametrize(
    ("key", "text", "part"),
    [
        ("conv_matrix", "1 2 3\n4 5\n6 7 8", "rows of 3 and of 2 numbers"),
        ("conv_matrix", "1 2\n3 4", "The number of rows is 2: use 3 to 24."),
        ("conv_matrix", "1 two 3\n1 2 3\n1 2 3", "“two”"),
        ("conv_matrix", "", "There are no numbers yet"),
    ],
)
def test_what_cannot_be_read_is_explained_and_the_last_good_input_stays(key: str, text: str, part: str) -> None:
    app = open_page(conv_input="Matrix")
    before = app.session_state["code_result"]
    app.text_area(key=key).set_value(text).run()
    assert not app.exception
    assert any(part in error.value for error in app.error)
    np.testing.assert_array_equal(app.session_state["code_result"], before)


def test_a_click_on_the_output_lays_the_kernel_there() -> None:
    app = open_page(conv_stride=2)
    app.session_state["conv_maps"] = {"picked": {"map": 1, "row": 3, "column": 5}}
    app.run()
    assert (app.session_state["conv_row"], app.session_state["conv_column"]) == (3, 5)
    app.select_slider(key="conv_row").set_value(0).run()
    assert app.session_state["conv_row"] == 0  # the click counts once
    check(app)


def test_a_click_on_the_photo_moves_the_window() -> None:
    app = open_page()
    before = app.session_state["code_result"]
    app.session_state["conv_photo"] = {"picked": {"map": 0, "row": 0, "column": 199}}
    app.run()
    assert (app.session_state["conv_x"], app.session_state["conv_y"]) == (100, 0)
    assert not np.array_equal(app.session_state["code_result"], before)
    check(app)
