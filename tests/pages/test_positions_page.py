"""The positional-encoding page: every state of the address, clicks, the numbers it tells, and the training."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page_visits import expect_the_code_computes_what_is_shown, visit
from streamlit.testing.v1 import AppTest

STATES = {
    "pos_length": st.sampled_from((16, 64, 128)),
    "pos_width": st.sampled_from((4, 8, 64, 128)),
    "pos_base": st.sampled_from((10, 100, 1000, 10_000, 100_000)),
    "pos_dimension": st.integers(0, 127),
    "pos_at": st.integers(0, 126),
    "pos_offset": st.integers(1, 127),
    "pos_sentence": st.sampled_from(("one two", "the the the", "no word comes twice", "고양이가 고양이가", "a")),
    "pos_seed": st.integers(0, 9),
    "pos_code": st.sampled_from(("The encoding", "The rotation")),
    "pos_train_length": st.sampled_from((6, 16)),
    "pos_updates": st.sampled_from((100, 3000)),
    "pos_train_seed": st.integers(0, 9),
}


open_page = partial(visit, "positions", timeout=250)


def check(app: AppTest, errors: int = 0) -> None:
    """No failure on the page, and its code computes what it shows."""
    assert not app.exception, app.exception[0].message
    assert len(app.error) == errors
    expect_the_code_computes_what_is_shown(app, rtol=0, atol=0)


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(state=st.fixed_dictionaries({}, optional=STATES))
def test_any_state_of_the_address_opens_and_is_the_formula(state: dict[str, Any]) -> None:
    app = open_page(**state)
    check(app, errors=state.get("pos_sentence") == "a")
    length, width, base = (app.session_state[key] for key in ("pos_length", "pos_width", "pos_base"))
    encoding = app.session_state["code_result"]
    assert encoding.shape == (length, width)
    position, dimension = app.session_state["pos_at"], app.session_state["pos_dimension"]
    assert position + app.session_state["pos_offset"] < length
    angle = position / base ** (2 * (dimension // 2) / width)
    expected = math.cos(angle) if dimension % 2 else math.sin(angle)
    assert encoding[position, dimension] == pytest.approx(expected, abs=3e-5)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"pos_width": 128, "pos_dimension": 0}, r"= 6.28$ positions; 7.5 waves fit"),
        ({"pos_width": 4, "pos_base": 100, "pos_dimension": 3}, r"2\pi \cdot 100^{2 \cdot 1 / 4} = 62.83$"),
        ({"pos_width": 128, "pos_dimension": 127}, "Dimension 127 is a cosine (i = 63)"),
        ({"pos_width": 128, "pos_dimension": 127}, "over this length it hardly moves."),
    ],
)
def test_the_wavelength_is_told(state: dict[str, Any], words: str) -> None:
    assert words in text(open_page(**state))


def test_the_rotation_is_told_with_its_numbers() -> None:
    app = open_page(pos_width=4, pos_base=100, pos_dimension=2, pos_at=3, pos_offset=5)
    turn, angle = 5 / 10, 3 / 10
    told = text(app)
    cos, sin = math.cos(turn), math.sin(turn)
    assert rf"{cos:.3f} & {sin:.3f} \\ {-sin:.3f} & {cos:.3f}" in told
    assert rf"{math.sin(angle):.3f} \\ {math.cos(angle):.3f}" in told
    assert f"position 8 says {math.sin(0.8):.3f} and {math.cos(0.8):.3f}" in told
    assert f"Pair 1 turns by 360° · 5 / 62.83 = {math.degrees(turn):.1f}°." in told
    check(app)


def test_a_click_on_the_heatmap_chooses_dimension_and_position() -> None:
    app = open_page()
    app.session_state["pos_heatmap"] = {"picked": {"map": 0, "row": 47, "column": 31, "click": 1}}
    app.run()
    assert (app.session_state["pos_dimension"], app.session_state["pos_at"]) == (31, 46)
    assert "Dimension 31 is a cosine (i = 15)" in text(app)
    assert app.session_state["pos_offset"] == 1  # what is left before the end
    app.select_slider(key="pos_dimension").set_value(2).run()
    assert app.session_state["pos_dimension"] == 2  # the click counts once
    check(app)


def test_a_narrower_encoding_takes_the_dimension_along() -> None:
    app = open_page(pos_dimension=100)
    app.select_slider(key="pos_width").set_value(8).run()
    assert app.session_state["pos_dimension"] == 7
    check(app)


def test_what_attention_sees_of_equal_words_is_told() -> None:
    app = open_page()
    assert "“the” comes as word 1 and again as word 4." in text(app)
    app.text_input(key="pos_sentence").set_value("every word once").run()
    assert "No word comes twice in this sentence." in text(app)
    app.text_input(key="pos_sentence").set_value("x").run()
    assert len(app.error) == 1
    assert "every word once" in app.error[0].value


def test_a_long_encoding_is_stepped_in_part_and_that_is_said() -> None:
    app = open_page(pos_length=128, pos_width=128)
    assert "Here the first 64 positions." in text(app)


def test_training() -> None:
    app = open_page(pos_train_length=6, pos_updates=100)
    assert "Nothing is trained yet: all three guess, and one guess in 8 is right." in text(app)
    app.button(key="pos_train").click().run()
    check(app)
    setting, report = app.session_state["pos_report"]
    assert (*setting, report.step) == (6, 100, 0, 100)
    assert min(report.trained["learned"], report.trained["sinusoid"]) > 0.95
    assert report.trained["none"] < 0.5
    assert f"After 100 updates: without positions {report.trained['none']:.0%} are named right" in text(app)
    app.select_slider(key="pos_offset").set_value(2).run()
    assert "After 100 updates" in text(app)  # another control leaves what was trained
    app.select_slider(key="pos_train_seed").set_value(1).run()
    assert "Nothing is trained yet" in text(app)
