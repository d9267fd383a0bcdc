"""The gradients' part of the recurrent page: what it says is what autograd measured, for every control."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from explorer.numbers import power
from explorer.recurrent_gradients import Setup, flows
from explorer.ui import recurrent_gradients


def script() -> None:
    from explorer.ui.recurrent_gradients import show_gradients

    show_gradients()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The figure and its text alternative."""
    calls: dict[str, Any] = {}
    monkeypatch.setattr(
        recurrent_gradients.page, "chart", lambda figure, *, key, alt: calls.update(figure=figure, alt=alt)
    )
    return calls


def open_part(**query: str) -> AppTest:
    app = AppTest.from_function(script, default_timeout=120)
    app.query_params.update(query)
    return app.run()


def setup_of(app: AppTest) -> Setup:
    state = app.session_state
    return Setup(state["grad_length"], state["grad_scale"], state["grad_bias"], state["grad_units"],
                 state["grad_threshold"], state["grad_rate"], state["grad_seed"])  # fmt: skip


def check(app: AppTest, drawn: dict[str, Any]) -> None:
    """No error; curves, sentence and table are those of the controls' networks."""
    assert not app.exception, app.exception[0].message
    assert [error.value for error in app.error] == []
    made, figure = flows(setup_of(app)), drawn["figure"]
    assert isinstance(figure, go.Figure)
    curves = [made["rnn"].hidden, made["lstm"].hidden, made["gru"].hidden, made["lstm"].cell]
    for line, curve in zip(figure.data, curves, strict=True):
        np.testing.assert_allclose(line.y, curve[::-1], rtol=1e-9)
    assert figure.layout.yaxis.type == "log"
    ratio = {kind: power(flow.hidden[0] / flow.hidden[-1]) for kind, flow in made.items()}
    sentence = f"the RNN’s gradient is {ratio['rnn']} times that at the end, the LSTM’s {ratio['lstm']} times"
    assert sentence in drawn["alt"]
    assert f"the GRU’s {ratio['gru']} times" in drawn["alt"]
    table = next(markdown.value for markdown in app.markdown if markdown.value.startswith("| | RNN"))
    rows = [[cell.strip() for cell in line.split("|")[2:-1]] for line in table.splitlines()[2:]]
    assert rows[0] == [power(flow.norm) for flow in made.values()]
    assert rows[1] == [power(flow.factor) for flow in made.values()]
    assert rows[4] == [power(flow.loss_plain) for flow in made.values()]
    assert rows[5] == [power(flow.loss_clipped) for flow in made.values()]


def test_it_opens_on_an_rnn_that_forgets(drawn: dict[str, Any]) -> None:
    app = open_part()
    assert setup_of(app) == Setup()
    check(app, drawn)
    assert drawn["alt"].startswith("39 steps before the end")
    assert drawn["alt"].endswith("It has vanished in: RNN.")


@pytest.mark.parametrize("key", ["grad_scale", "grad_bias"])
@pytest.mark.parametrize("end", ["min", "max"])
def test_sliders_reach_their_ends(key: str, end: str, drawn: dict[str, Any]) -> None:
    app = open_part()
    app.slider(key=key).set_value(getattr(app.slider(key=key), end)).run()
    check(app, drawn)


@pytest.mark.parametrize("key", ["grad_length", "grad_units", "grad_seed", "grad_threshold", "grad_rate"])
@pytest.mark.parametrize("end", [0, -1])
def test_choices_reach_their_ends(key: str, end: int, drawn: dict[str, Any]) -> None:
    app = open_part()
    slider = app.select_slider(key=key)
    value = type(slider.value)(slider.options[end])
    slider.set_value(value).run()
    assert app.session_state[key] == value
    check(app, drawn)


def test_a_strong_rnn_explodes_and_clipping_is_said(drawn: dict[str, Any]) -> None:
    app = open_part(grad_scale="5.0", grad_length="80", grad_threshold="1.0")
    check(app, drawn)
    assert "It explodes in: RNN." in drawn["alt"]
    made = flows(setup_of(app))["rnn"]
    said = "\n".join(caption.value for caption in app.caption)
    assert f"the RNN’s gradient, {power(made.norm)} long, is scaled to 1.0" in said
    assert "Without it the step goes too far: L rises." in said


def test_where_nothing_is_clipped_that_is_said(drawn: dict[str, Any]) -> None:
    app = open_part(grad_threshold="10.0")
    check(app, drawn)
    assert any(caption.value.startswith("No gradient is longer than the threshold") for caption in app.caption)
