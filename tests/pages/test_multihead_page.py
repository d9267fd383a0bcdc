"""The multi-head page: any state of the address opens, equals torch's layer, and its code computes what it shows."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page_visits import expect_the_code_computes_what_is_shown, visit
from streamlit.testing.v1 import AppTest
from torch import nn

STATES = {
    "heads_sentence": st.sampled_from(
        ("one", "the dog and the dog", "고양이가 매트에 앉았다.", "a b c d e f g h i j k l m n")
    ),
    "heads_width": st.sampled_from((4, 6, 8, 12, 16, 24)),
    "heads_count": st.sampled_from((1, 2, 3, 4, 6, 8, 12)),
    "heads_causal": st.booleans(),
    "heads_seed": st.integers(0, 9),
    "heads_on_0": st.booleans(),
    "heads_on_1": st.booleans(),
    "heads_on_5": st.booleans(),
    "heads_word": st.integers(1, 12),
    "heads_dimension": st.integers(0, 23),
    "heads_code": st.sampled_from(("The layer", "With heads off", "The sum over heads")),
}


open_page = partial(visit, "multihead", timeout=120)


def check(app: AppTest, errors: int = 0) -> dict[str, Any]:
    """No failure on the page, and its code computes what it shows. What the code leaves behind."""
    assert not app.exception, app.exception[0].message
    assert len(app.error) == errors
    return expect_the_code_computes_what_is_shown(app)


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def slider(app: AppTest, key: str):
    return app.select_slider(key=key)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(state=st.fixed_dictionaries({}, optional=STATES))
def test_any_state_of_the_address_opens_and_equals_torch(state: dict[str, Any]) -> None:
    app = open_page(**state)
    names = check(app)
    d_model, heads = app.session_state["heads_width"], app.session_state["heads_count"]
    assert d_model % heads == 0
    reference = nn.MultiheadAttention(d_model, heads, batch_first=True)
    reference.load_state_dict(names["attention"].state_dict())
    x = names["x"]
    mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1) if app.session_state["heads_causal"] else None
    output, weights = reference(x, x, x, attn_mask=mask, average_attn_weights=False)
    shown = app.session_state["code_result"]
    np.testing.assert_allclose(shown[0], output[0].detach().numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(names["weights"].detach().numpy(), weights.detach().numpy(), rtol=1e-4, atol=1e-6)
    off = [head for head in range(heads) if not app.session_state[f"heads_on_{head}"]]
    with torch.no_grad():
        for head in off:
            reference.out_proj.weight[:, head * d_model // heads : (head + 1) * d_model // heads] = 0
        expected = reference(x, x, x, attn_mask=mask)[0][0]
    np.testing.assert_allclose(shown[1], expected.numpy(), rtol=1e-4, atol=1e-5)


def test_the_heads_follow_the_width_and_the_parameters_do_not_follow_the_heads() -> None:
    app = open_page(heads_width=12, heads_count=12)
    assert slider(app, "heads_count").options == ["1", "2", "3", "4", "6", "12"]
    assert app.session_state["heads_count"] == 12
    assert r"12 / 12 = 1$" in text(app)
    parameters = r"4 \cdot 12^2 + 4 \cdot 12 = 624$"
    assert parameters in text(app)
    assert "Counted: 624 in this layer, 624 in `torch.nn.MultiheadAttention`" in text(app)
    slider(app, "heads_count").set_value(2).run()
    assert parameters in text(app)
    slider(app, "heads_width").set_value(4).run()
    assert slider(app, "heads_count").options == ["1", "2", "4"]
    assert r"4 \cdot 4^2 + 4 \cdot 4 = 80$" in text(app)
    check(app)


def test_switching_heads_off() -> None:
    app = open_page()
    shown = app.session_state["code_result"]
    change = np.linalg.norm(shown[1] - shown[0], axis=1)
    words = "The cat sat because it was tired".split()
    assert f"Without head 2, “{words[change.argmax()]}” moves furthest: by {change.max():.3f}" in text(app)
    app.toggle(key="heads_on_1").set_value(True).run()
    assert "All heads are on: there is no difference." in text(app)
    np.testing.assert_array_equal(*app.session_state["code_result"])
    for head in range(3):
        app.toggle(key=f"heads_on_{head}").set_value(False).run()
    without = app.session_state["code_result"][1]
    assert "With all heads off, only $b_O$ is left" in text(app)
    np.testing.assert_allclose(without, np.tile(without[0], (7, 1)))
    check(app)


def test_the_sum_of_the_clicked_cell() -> None:
    app = open_page()
    app.session_state["heads_sum"] = {"picked": {"map": 2, "row": 1, "column": 4, "click": 1}}
    app.run()
    assert (app.session_state["heads_word"], app.session_state["heads_dimension"]) == (2, 4)
    told = next(element.value for element in app.markdown if element.value.startswith("Dimension 4 of “cat”"))
    assert f"{app.session_state['code_result'][0][1, 4]:.3f}" in told
    assert told.count("underbrace") == 4  # three heads and the bias
    slider(app, "heads_word").set_value(1).run()
    assert app.session_state["heads_word"] == 1  # the click counts once


def test_fewer_words_take_the_chosen_word_along() -> None:
    app = open_page(heads_word=7)
    app.text_input(key="heads_sentence").set_value("only three words").run()
    assert app.session_state["heads_word"] == 3
    check(app)


@pytest.mark.parametrize("typed", ["", "   "])
def test_an_empty_sentence_is_one_sentence_and_the_last_one_stays(typed: str) -> None:
    app = open_page(heads_sentence="two words")
    app.text_input(key="heads_sentence").set_value(typed).run()
    assert not app.exception
    assert [error.value.count("“two words”") for error in app.error] == [1]
    assert app.session_state["code_result"].shape == (2, 2, 6)


def test_a_long_sentence_is_cut_and_that_is_said() -> None:
    app = open_page(heads_sentence=" ".join("abcdefghijklmnop"))
    assert "The first 12 words are used, 4 more are left out." in text(app)
    assert app.session_state["code_result"].shape == (2, 12, 6)


def test_the_costs_are_measured_and_can_be_measured_again() -> None:
    app = open_page()
    assert "| Transformer base | 8 · 64 = 512 | 1\u202f050\u202f624 |" in text(app)
    table = next(element.value for element in app.markdown if "Weights h·T²" in element.value)
    assert "| 64 | 8 | 262\u202f144 |" in table
    app.button(key="heads_measure").click().run()
    again = next(element.value for element in app.markdown if "Weights h·T²" in element.value)
    assert again != table
    check(app)
