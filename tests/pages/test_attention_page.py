"""The attention page: every control, any state of the address, bad input; and the shown code computes what is shown."""

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

SCORES = {
    "Scaled dot product": "scaled",
    "Dot product, not scaled": "dot",
    "Cosine": "cosine",
    "Additive (Bahdanau)": "additive",
}
STATES = {
    "attn_query": st.sampled_from(("1 0;0 1", "0.5 -2;3 1;1 1", "1 2", "1/2 0;0 0")),
    "attn_score": st.sampled_from(tuple(SCORES)),
    "attn_temperature": st.sampled_from(("0.1", "1.0", "10.0")),
    "attn_mask": st.sampled_from(("No mask", "Causal", "Padding", "Drawn by clicks")),
    "attn_drawn": st.sampled_from(("0", "01;10", "111;000", "")),
    "attn_padding": st.integers(0, 2),
    "attn_seed": st.integers(0, 9),
    "attn_axis": st.sampled_from(("Temperature", "Width d_k")),
    "attn_row": st.integers(1, 6),
    "attn_step": st.integers(1, 5),
    "attn_decoder_seed": st.integers(0, 9),
    "attn_encoder_sentence": st.sampled_from(("hello", "고양이가 매트 위에 앉았다", "a b c d e f g h i j k l m n o")),
    "attn_sentence": st.sampled_from(("two words", "The cat sat.", "<b>bold</b> & more")),
    "attn_order": st.sampled_from(("As typed", "Reversed", "Shuffled")),
    "attn_shuffle": st.sampled_from(("0", "7", "x", "-3")),
    "attn_positions": st.booleans(),
    "attn_causal": st.booleans(),
    "attn_draws": st.integers(1, 4),
    "attn_sentence_seed": st.integers(0, 9),
    "attn_code": st.sampled_from(("Q, K, V", "Decoder", "Self-attention")),
}


open_page = partial(visit, "attention", timeout=90)


def check(app: AppTest) -> np.ndarray:
    """No error on the page, and its code computes what it shows. → the output."""
    expect_no_fault(app)
    result: np.ndarray = expect_the_code_computes_what_is_shown(app)["result"]
    return result


def texts(app: AppTest) -> str:
    return "\n".join(text.value for text in (*app.markdown, *app.caption))


def test_it_opens_on_the_example_of_the_notes() -> None:
    app = open_page()
    query, key, value = (torch.tensor(t) for t in ([[1.0, 0], [0, 1]], [[1.0, 0], [1, 1]], [[1.0, 1], [0, 0]]))
    np.testing.assert_allclose(check(app), F.scaled_dot_product_attention(query, key, value), rtol=1e-6)
    assert "| q₂ | k₂ | 0.670 | 0.92 | 92% of 1.00 |" in texts(app)
    assert "The vectors and the weights are random" in texts(app)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(state=st.fixed_dictionaries({}, optional=STATES))
def test_any_state_of_the_address_opens_and_is_what_the_code_computes(state: dict[str, Any]) -> None:
    app = open_page(**state)
    output = check(app)
    if "attn_query" in state:
        assert len(output) == state["attn_query"].count(";") + 1
    if "attn_score" in state:
        assert app.session_state["attn_score"] == SCORES[state["attn_score"]]


def test_the_address_restores_tables_and_a_drawn_mask() -> None:
    app = open_page(
        attn_query="1 2 3;-1 0 1/2", attn_key="1 0 0;0 1 0;0 0 1", attn_value="1;2;3", attn_mask="Drawn by clicks",
        attn_drawn="101;011",
    )  # fmt: skip
    query, key, value = torch.tensor([[1, 2, 3], [-1, 0, 0.5]]), torch.eye(3), torch.tensor([[1.0], [2], [3]])
    mask = torch.tensor([[True, False, True], [False, True, True]])
    np.testing.assert_allclose(check(app), F.scaled_dot_product_attention(query, key, value, mask), rtol=1e-5)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"attn_query": "1 x;0 1"}, "“x”"),
        ({"attn_query": "1 0 0;0 1 0"}, "A query has 3 numbers and a key 2"),
        ({"attn_value": "1;2;3"}, "There are 2 keys and 3 values"),
        ({"attn_key": "1 0;" * 9}, "The number of rows is 9: use 1 to 6."),
        ({"attn_key": ""}, "There are no numbers yet"),
    ],
)
def test_a_bad_address_is_explained_and_the_example_stands(query: dict[str, str], words: str) -> None:
    app = open_page(**query)
    assert not app.exception
    assert [words in error.value for error in app.error] == [True]
    assert app.session_state["code_result"].shape == (2, 2)
    app.select_slider(key="attn_queries").set_value(3).run()
    assert check(app).shape == (3, 2)


def test_sizes_keep_queries_and_keys_equally_wide_and_a_value_for_each_key() -> None:
    app = open_page()
    for size in (6, 1):
        for key in ("attn_queries", "attn_keys", "attn_d_k", "attn_d_v"):
            app.select_slider(key=key).set_value(size).run()
            check(app)
        tables = app.session_state["attn_tables"]
        assert [t.shape for t in (tables.query, tables.key, tables.value)] == [(size, size)] * 3


def click(app: AppTest, row: int, column: int, time: int, picture: int = 0) -> None:
    app.session_state["attn_maps"] = {"picked": {"map": picture, "row": row, "column": column, "time": time}}
    app.run()


def test_a_click_masks_a_score_and_a_second_one_lifts_the_mask() -> None:
    app = open_page()
    click(app, 1, 1, time=1)
    assert app.session_state["attn_mask"] == "drawn"
    np.testing.assert_allclose(check(app), [[0.5, 0.5], [1, 1]], rtol=1e-6)
    app.run()
    np.testing.assert_allclose(check(app)[1], [1, 1])  # the click counts once
    click(app, 1, 1, time=2, picture=1)
    np.testing.assert_allclose(check(app), app.session_state["code_result"])
    assert "| q₂ | k₂ | 0.670 |" in texts(app)


def test_a_click_changes_the_mask_that_is_there() -> None:
    app = open_page(attn_mask="Causal")
    click(app, 1, 0, time=5)
    np.testing.assert_allclose(check(app), [[1, 1], [0, 0]], atol=1e-6)
    app.selectbox(key="attn_mask").select("No mask").run()
    np.testing.assert_allclose(check(app)[0], [0.5, 0.5])


def test_a_query_that_may_look_nowhere_is_said() -> None:
    app = open_page(attn_mask="Drawn by clicks", attn_drawn="00;11")
    assert np.isnan(check(app)[0]).all()
    assert "q₁ may look nowhere: the softmax of nothing is 0 / 0, so torch gives NaN" in texts(app)
    assert "| q₁ | none | NaN | NaN | no key |" in texts(app)
    app = open_page(attn_mask="Padding", attn_padding=2)
    assert np.isnan(check(app)).all()
    assert "No query may look anywhere" in texts(app)


def test_infinity_against_a_large_number_in_numbers() -> None:
    text = texts(open_page())
    assert "| with the last key masked | 1.000, 0.000 | 1.000, 0.000 |" in text
    assert "| with every key masked | NaN, NaN | 0.500, 0.500 |" in text
    assert "`F.scaled_dot_product_attention` of this torch gives 0, 0 instead" in text


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (1, "The encoder's 10 states, 6 numbers each, are the **values**"),
        (2, "A **score** for each word"),
        (3, "The **softmax** makes positive weights"),
        (4, "The **context** is the sum of the states"),
        (5, "The decoder would write “because”, with probability 0.285"),
    ],
)
def test_each_step_of_the_decoder_is_told_with_its_numbers(step: int, words: str) -> None:
    app = open_page()
    app.select_slider(key="attn_step").set_value(step).run()
    check(app)
    assert f"**Step {step}.**" in texts(app)
    assert words in texts(app)


def test_positions_make_the_order_count() -> None:
    app = open_page()
    assert "**without positions the output is only permuted**" in texts(app)
    app.segmented_control(key="attn_order").select("Shuffled").run()
    before = app.session_state["attn_shuffle"]
    app.button(key="attn_again").click().run()
    assert app.session_state["attn_shuffle"] == before + 1
    assert "**without positions the output is only permuted**" in texts(app)
    app.toggle(key="attn_positions").set_value(True).run()
    check(app)
    assert "**the output really changes**" in texts(app)


def test_words_that_do_not_fit_are_counted_and_none_are_asked_for() -> None:
    app = open_page()
    app.text_input(key="attn_sentence").set_value("word " * 20).run()
    check(app)
    assert "The first 16 words are used, 4 more are left out." in texts(app)
    app.text_input(key="attn_sentence").set_value("one").run()
    assert any("Fewer than 2 words are in it" in error.value for error in app.error)
    assert not app.exception
    app.text_input(key="attn_sentence").set_value("one two").run()
    app.text_input(key="attn_encoder_sentence").set_value("  ").run()
    assert any("There is no word in it" in error.value for error in app.error)


@pytest.mark.parametrize("name", list(SCORES))
def test_every_score_with_every_mask(name: str) -> None:
    app = open_page(attn_score=name)
    for mask in app.selectbox(key="attn_mask").options:
        app.selectbox(key="attn_mask").select(mask).run()
        check(app)
