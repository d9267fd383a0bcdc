"""The recurrent page: any state of the URL opens, its code computes what is shown, and what it says is true."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, visit
from streamlit.testing.v1 import AppTest
from torch import nn

INPUTS = ("Sentence", "Series: sine", "Series: steps", "Series: noise", "Series: trend", "Series: your own numbers")
STATES = {
    "rec_input": st.sampled_from(INPUTS),
    "rec_sentence": st.sampled_from(("one", "고양이가 매트 위에 앉았다.", "a a a", "x " * 40, "🙂 🙂")),
    "rec_numbers": st.sampled_from(("1", "3 3 3", "1, -2; 1/3")),
    "rec_length": st.integers(0, 30),
    "rec_width": st.integers(2, 6),
    "rec_cell": st.sampled_from(("RNN", "LSTM", "GRU")),
    "rec_hidden": st.integers(1, 8),
    "rec_layers": st.integers(1, 3),
    "rec_direction": st.sampled_from(("→", "→ and ←")),
    "rec_activation": st.sampled_from(("tanh", "ReLU")),
    "rec_initial": st.sampled_from(("Zeros", "Ones", "Random")),
    "rec_seed": st.integers(0, 9),
    "rec_window": st.sampled_from((1, 3, 5, 7)),
    "rec_output": st.integers(0, 30),
    "rec_code": st.sampled_from(("One step", "Whole sequence")),
    "rec_place": st.integers(0, 30),
    "rec_layer": st.integers(1, 3),
    "rec_way": st.sampled_from(("→", "←")),
}


open_page = partial(visit, "recurrent", timeout=120)


def check(app: AppTest) -> dict[str, Any]:
    """No error on the page, and its code computes what it shows. What the code leaves behind."""
    expect_no_fault(app)
    return expect_the_code_computes_what_is_shown(app)


def by_torch(app: AppTest, names: dict[str, Any]) -> np.ndarray:
    """The states by torch.nn alone: the weights and the input of the snippet, the rest from what the controls say."""
    state = app.session_state
    model, x = names["model"], names["x"]
    kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[state["rec_cell"]]
    extra = {"nonlinearity": state["rec_activation"]} if kind is nn.RNN else {}
    network = kind(x.shape[2], state["rec_hidden"], state["rec_layers"],
                   bidirectional=state["rec_direction"] == "both", **extra)  # fmt: skip
    network.load_state_dict(model.state_dict())
    shape = (state["rec_layers"] * (1 + (state["rec_direction"] == "both")), 1, state["rec_hidden"])
    if state["rec_initial"] == "random":
        start = names["initial_state"](model, "random", seed=state["rec_seed"])
    else:
        start = (torch.full(shape, float(state["rec_initial"] == "ones")),) * 2
    with torch.inference_mode():
        return network(x, tuple(start) if kind is nn.LSTM else start[0])[0][:, 0].numpy()


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption))


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(state=st.fixed_dictionaries({}, optional=STATES))
def test_any_state_of_the_url_opens_and_equals_torch(state: dict[str, Any]) -> None:
    app = open_page(**state)
    names = check(app)
    np.testing.assert_allclose(names["result"], by_torch(app, names), rtol=1e-5, atol=1e-6)


def test_a_state_of_the_url_is_restored() -> None:
    numbers = {
        "rec_hidden": 7,
        "rec_layers": 2,
        "rec_seed": 3,
        "rec_window": 5,
        "rec_output": 4,
        "rec_place": 2,
        "rec_layer": 2,
    }
    app = open_page(**numbers, rec_cell="GRU", rec_direction="→ and ←", rec_initial="Ones", rec_sentence="a b c d e",
                    rec_way="←")  # fmt: skip
    check(app)
    assert {key: app.session_state[key] for key in numbers} == numbers
    chosen = {"rec_cell": "gru", "rec_direction": "both", "rec_initial": "ones", "rec_way": "backwards"}
    assert {key: app.session_state[key] for key in chosen} == chosen


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_parameters_are_those_of_torch(cell: str) -> None:
    app = open_page(rec_cell=cell, rec_hidden=5, rec_layers=2, rec_width=3, rec_direction="→ and ←")
    said = texts(app)
    counts = {}
    for kind in (nn.RNN, nn.LSTM, nn.GRU):
        count = sum(p.numel() for p in kind(3, 5, 2, bidirectional=True).parameters())
        counts[kind.__name__] = f"{count:,}".replace(",", "\u202f")
        assert f"| {kind.__name__} | **{counts[kind.__name__]}** |" in said
    assert f"| 100 | 200 | 100 × 10 | {counts[cell]} |" in said


def test_the_same_word_twice_has_two_states() -> None:
    app = open_page(rec_sentence="The dog saw the cat", rec_cell="RNN")
    states = check(app)["result"].numpy()
    distance = np.linalg.norm(states[3] - states[0])
    assert (
        f"“the” comes at step 1 and at step 4. Its vector is the same, the RNN’s state is not: the two are {distance:.3f}"
        in texts(app)
    )


def test_the_convolution_sees_its_window_and_the_state_all_before() -> None:
    app = open_page(rec_sentence="a b c d e f g h", rec_output=5, rec_window=3)
    assert "the convolution’s output depends on **3** of 8 inputs, the LSTM’s state on **5**." in texts(app)
    app.select_slider(key="rec_window").set_value(7).run()
    assert "depends on **7** of 8 inputs, the LSTM’s state on **5**." in texts(app)
    app.segmented_control(key="rec_direction").select("→ and ←").run()
    assert "depends on **7** of 8 inputs, the LSTM’s state on **8**." in texts(app)
    check(app)


def test_an_empty_sentence_is_explained_and_the_last_good_one_stays() -> None:
    app = open_page(rec_sentence="good words here")
    app.text_input(key="rec_sentence").set_value("   ").run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "There is no word in it; type a sentence. Until then you see “good words here”."
    ]
    assert len(app.session_state["code_result"]) == 3


def test_a_long_sentence_is_cut_and_that_is_said() -> None:
    app = open_page(rec_sentence="word " * 30)
    check(app)
    assert len(app.session_state["code_result"]) == 24
    assert "The first 24 words are used, 6 more are left out." in texts(app)


@pytest.mark.parametrize("bad", ["1 two 3", "", "1e12", "1 " * 25])
def test_numbers_that_cannot_be_read_are_explained_and_the_last_good_ones_stay(bad: str) -> None:
    app = open_page(rec_input="Series: your own numbers", rec_numbers="4 5 6 9")
    before = app.session_state["code_result"]
    app.text_area(key="rec_numbers").set_value(bad).run()
    assert not app.exception
    assert len(app.error) == 1
    np.testing.assert_array_equal(app.session_state["code_result"], before)


def test_a_step_asked_for_in_the_diagram_moves_the_stepper_once() -> None:
    app = open_page(rec_layers=2, rec_direction="→ and ←", rec_code="Whole sequence")
    app.session_state["rec_unrolled"] = {"stepped": {"place": 4, "layer": 1, "direction": 1, "time": 1}}
    app.run()
    check(app)
    held = {key: app.session_state[key] for key in ("rec_code", "rec_place", "rec_layer", "rec_way")}
    assert held == {"rec_code": "step", "rec_place": 5, "rec_layer": 2, "rec_way": "backwards"}
    assert "The LSTM reads “the”." in texts(app)
    app.select_slider(key="rec_place").set_value(2).run()
    assert app.session_state["rec_place"] == 2


def test_only_the_beginning_of_a_long_sequence_is_stepped_through_and_that_is_said() -> None:
    app = open_page(rec_code="Whole sequence")
    assert "Here the first 4 of 11 steps" in texts(app)
    app = open_page(rec_code="Whole sequence", rec_sentence="two words", rec_cell="RNN")
    assert "Here the first" not in texts(app)
