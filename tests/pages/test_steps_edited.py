"""Steps whose numbers can be set: what the browser asks for becomes the trace that is shown and kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st
    import torch

    from explorer.models.attention import scaled_dot_product_attention
    from explorer.trace import trace
    from explorer.ui import steps

    size = st.slider("Size", 2, 4, 3, key="size")
    x = torch.arange(size * 2.0).view(size, 2) / 5

    def run(edits=None):
        return trace(scaled_dot_product_attention, x, x, x, edits=edits)

    def encode(trace, options, *, original=None, given=None):
        st.session_state["shown"] = (trace, options, original, given)
        return kept(trace, options, original=original, given=given)

    kept = getattr(steps, "real_encode", steps.encode)
    steps.real_encode, steps.encode = kept, encode
    key = st.segmented_control("Code", ["stepper", "other"], default="stepper", required=True, key="code")
    steps.show_steps(run(), key=key, roles={}, labels={"weights": {"rows": ["a"] * size}}, rerun=run)


@pytest.fixture
def app():
    from explorer.ui import steps

    encode = steps.encode
    yield AppTest.from_function(script, default_timeout=60)
    steps.encode = encode
    vars(steps).pop("real_encode", None)


def record(**changed: Any) -> dict[str, Any]:
    made = {"step": 3, "output": 0, "flat": 4, "value": "0.9", "shape": [3, 3], "op": "softmax"}
    return made | {"expression": "scores.softmax(dim=-1)"} | changed


def send(app: AppTest, *records: dict[str, Any]) -> AppTest:
    app.session_state["stepper"] = {"edits": list(records)}
    return app.run()


def test_without_edits_the_trace_is_the_codes_own(app):
    app.run()
    assert not app.exception
    trace, options, original, given = app.session_state["shown"]
    assert options["edit"]
    assert options["edits"] == []
    assert options["labels"] == {"weights": {"rows": ["a", "a", "a"]}}
    assert (original, given) == (None, {})
    assert not any(step.edited for step in trace.steps)


def test_an_edit_runs_the_code_again(app):
    send(app, record())
    assert not app.exception
    trace, options, original, _ = app.session_state["shown"]
    weights = original["weights"].output.clone()
    weights[1, 1] = 0.9
    np.testing.assert_allclose(trace["output"].output, weights @ trace["output"].inputs["other"], rtol=1e-6)
    assert options["edits"] == [record()]
    assert options["edits_text"] == "3:0:4:3x3:0.9"


def test_edits_outlive_other_controls_while_they_fit(app):
    send(app, record())
    app.slider(key="size").set_value(4).run()
    assert not app.exception
    assert [info.value for info in app.info] == ["One of your edits fits no step any more and is left out."]
    assert app.session_state["shown"][1]["edits"] == []
    app.slider(key="size").set_value(3).run()
    assert not app.info
    assert app.session_state["shown"][1]["edits"] == [record()]


def test_several_edits_that_no_longer_fit_are_counted(app):
    send(app, record(), record(flat=5), record(step=0, op="transpose", shape=[9]))
    assert [info.value for info in app.info] == ["One of your edits fits no step any more and is left out."]
    app.slider(key="size").set_value(2).run()
    assert [info.value for info in app.info] == ["3 of your edits fit no step any more and are left out."]


@pytest.mark.parametrize(
    "bad", [record(value="abc"), record(value="nan"), {"step": 1}, record(flat=9), record(flat=5, value="1e99")]
)
def test_nonsense_is_one_sentence_and_the_last_good_edits_stay(app, bad):
    send(app, record())
    send(app, record(), bad)
    assert not app.exception
    assert len(app.error) == 1
    assert app.session_state["shown"][1]["edits"] == [record()]


def test_edits_are_in_the_address(app):
    app.query_params["step_edits"] = "3:0:4:3x3:0.9"
    app.run()
    assert not app.exception
    assert app.session_state["shown"][1]["edits"] == [record()]
    send(app)
    assert app.session_state["shown"][1]["edits"] == []


def test_edits_of_one_stepper_are_not_those_of_another_and_wait_for_it(app):
    app.query_params["step_edits"] = "3:0:4:3x3:0.9"
    app.run()
    app.segmented_control(key="code").set_value("other").run()
    assert not app.exception
    assert app.session_state["shown"][1]["edits"] == []
    assert not app.info
    app.segmented_control(key="code").set_value("stepper").run()
    assert app.session_state["shown"][1]["edits"] == [record()]


def test_a_damaged_address_is_one_sentence(app):
    app.query_params["step_edits"] = "what"
    app.run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.session_state["shown"][1]["edits"] == []
