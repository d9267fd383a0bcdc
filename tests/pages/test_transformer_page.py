"""The Transformer page: what it opens on, what its controls change, and what it says of words that it does not know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page_visits import expect_no_fault as check
from page_visits import expect_the_code_computes_what_is_shown, visit
from streamlit.testing.v1 import AppTest

from explorer.ui.transformer_diagram import can_open


def at(app: AppTest, kind: str, key: str):
    return next(widget for widget in getattr(app, kind) if widget.key == key)


def texts(app: AppTest) -> str:
    return "\n".join(
        [*(m.value for m in app.markdown), *(c.value for c in app.caption), *(h.body for h in app.get("html"))]
    )


def compare(app: AppTest) -> None:
    expect_the_code_computes_what_is_shown(app, atol=1e-5)


def open_page(**query: object) -> AppTest:
    return visit("transformer", **query)


@pytest.fixture(scope="module")
def opened() -> AppTest:
    app = open_page()
    check(app)
    return app


def test_it_opens_on_a_trained_translator_in_the_middle_of_a_sentence(opened):
    assert at(opened, "text_input", "tr_sentence").value == "the small black cat does not see a red flower"
    assert at(opened, "select_slider", "tr_written").value == 3
    said = texts(opened)
    assert "These weights come with the explorer" in said
    assert "To write “noir” after “chat”, it looks at “black” most" in said
    assert "**Cross-attention** · decoder, layer 2" in said
    shares = opened.session_state["code_result"]
    assert shares.shape == (4, 62)
    np.testing.assert_allclose(shares.sum(-1), 1, rtol=1e-5)
    assert shares[-1].max() > 0.9


STATES = {
    "tr_sentence": st.sampled_from(("my dog runs", "고양이가 잔다", "the cat sees a cat with the cat", "!")),
    "tr_prefix": st.sampled_from(("", "le", "la la la", "<start> 네")),
    "tr_written": st.integers(0, 20),
    "tr_layer": st.integers(1, 4),
    "tr_norm": st.sampled_from(("Behind (post-norm)", "In front (pre-norm)")),
    "tr_layers": st.integers(1, 4),
    "tr_width": st.sampled_from((16, 24, 32, 48, 64)),
    "tr_heads": st.integers(1, 12),
    "tr_inner": st.sampled_from((16, 64, 256)),
    "tr_activation": st.sampled_from(("ReLU", "GELU")),
    "tr_weights": st.sampled_from(("Trained", "Random")),
    "tr_seed": st.integers(0, 9),
    "tr_looks": st.sampled_from(("Cross", "Masked", "Encoder")),
    "tr_code": st.sampled_from(("The opened box", "The whole run", "The classifier")),
    "tr_box": st.sampled_from((*can_open(False), *can_open(True))),
}


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(state=st.fixed_dictionaries({}, optional=STATES))
def test_any_state_of_the_address_opens_and_its_code_computes_what_it_shows(state):
    app = open_page(**state)
    check(app)
    compare(app)


def test_at_most_three_controls_stand_before_more(opened):
    keys = ["tr_sentence", "tr_written", "tr_layer"]
    in_more = {
        "tr_norm",
        "tr_layers",
        "tr_width",
        "tr_heads",
        "tr_inner",
        "tr_activation",
        "tr_seed",
        "tr_weights",
        "tr_prefix",
    }
    kinds = ("text_input", "select_slider", "segmented_control")
    found = {widget.key for kind in kinds for widget in getattr(opened, kind)}
    inside = {w.key for box in opened.expander if box.label == "More" for kind in kinds for w in getattr(box, kind)}
    assert in_more <= inside
    assert set(keys) <= found
    assert not set(keys) & inside


def test_word_by_word_to_the_end():
    app = open_page()
    slider = at(app, "select_slider", "tr_written")
    expected = "le petit chat noir ne voit pas de fleur rouge".split()
    assert list(slider.options) == [str(n) for n in range(len(expected) + 1)]
    for count in (0, 6, len(expected)):
        at(app, "select_slider", "tr_written").set_value(count).run()
        check(app)
        following = [*expected, "&lt;end&gt;"][count]
        assert f">{following}</b>" in texts(app)
        assert app.session_state["code_result"].shape == (count + 1, 62)
        compare(app)


def test_a_typed_beginning_is_gone_on_from():
    app = open_page(tr_prefix="une belle")
    check(app)
    assert at(app, "select_slider", "tr_written").options[0] == "2"
    assert "&lt;start&gt; une belle" in texts(app)
    compare(app)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_sizes_change_the_model_and_its_parameters(norm):
    app = open_page()
    at(app, "segmented_control", "tr_norm").set_value(norm)
    at(app, "select_slider", "tr_width").set_value(24).run()
    at(app, "select_slider", "tr_heads").set_value(12)
    at(app, "select_slider", "tr_layers").set_value(3)
    at(app, "select_slider", "tr_inner").set_value(128)
    at(app, "segmented_control", "tr_activation").set_value("gelu").run()
    check(app)
    said = texts(app)
    assert "These weights are random" in said
    d, f, n, english, french = 24, 128, 3, 58, 62
    attention, feed_forward, norms = 4 * d * d + 4 * d, 2 * d * f + f + d, 2 * d
    encoder, decoder = attention + feed_forward + 2 * norms, 2 * attention + feed_forward + 3 * norms
    count = (english + french) * d + n * (encoder + decoder) + 2 * norms + d * french + french
    assert f"**{count:,}**".replace(",", "\u202f") in said
    assert said.count(f"{count:,}".replace(",", "\u202f")) == 2  # ours, and torch's
    compare(app)


def test_heads_are_divisors_of_the_width():
    app = open_page()
    for width in (16, 24, 48):
        at(app, "select_slider", "tr_width").set_value(width).run()
        check(app)
        heads = [int(option) for option in at(app, "select_slider", "tr_heads").options]
        assert heads == [n for n in range(1, 13) if width % n == 0]


def test_words_that_it_does_not_know_are_said_and_read_as_unknown():
    app = open_page()
    at(app, "text_input", "tr_sentence").set_value("the 고양이 sees a Zebra").run()
    check(app)
    assert "Not among its 54 words: “고양이”, “Zebra”. It reads <unk> there." in texts(app)
    compare(app)
    at(app, "text_input", "tr_prefix").set_value("xylophone").run()
    check(app)
    assert "Not among its French words: “xylophone”." in texts(app)


def test_an_empty_sentence_keeps_the_last_one():
    app = open_page()
    at(app, "text_input", "tr_sentence").set_value("my dog runs").run()
    check(app)
    shown = app.session_state["code_result"]
    at(app, "text_input", "tr_sentence").set_value("   ").run()
    assert len(app.error) == 1
    assert "my dog runs" in app.error[0].value
    assert not app.exception
    np.testing.assert_array_equal(app.session_state["code_result"], shown)


def test_a_long_sentence_is_cut_and_says_so():
    app = open_page()
    at(app, "text_input", "tr_sentence").set_value("the cat sees " * 9).run()
    check(app)
    assert "The first 14 words are used, 13 more are left out." in texts(app)


def test_random_weights_can_be_looked_at():
    app = open_page()
    at(app, "segmented_control", "tr_weights").set_value("random").run()
    check(app)
    assert "These weights are random" in texts(app)
    assert app.session_state["code_result"].max() < 0.6
    compare(app)


@pytest.mark.parametrize(
    "box", ["source.embedding", "encoder.feed_forward", "decoder.masked", "decoder.norm3", "softmax"]
)
def test_every_kind_of_box_opens_from_the_address(box):
    app = open_page(tr_box=box)
    check(app)
    named = {"embedding": "Embedding × √d", "feed_forward": "Feed-forward", "masked": "Masked self-attention",
             "norm3": "Add & Norm", "softmax": "Softmax"}  # fmt: skip
    assert f"**{named[box.rpartition('.')[2]]}** · " in texts(app)


def test_a_box_that_is_not_there_falls_back():
    for box, title in (("nonsense", "Cross-attention"), ("encoder.add1", "Add & Norm")):
        app = open_page(tr_box=box)
        check(app)
        assert f"**{title}** · " in texts(app)


def test_training_begins_can_be_stopped_and_is_kept():
    app = open_page()
    at(app, "button", "tr_classifier_train").click().run()
    check(app)
    assert [b.key for b in app.button if b.key.startswith("tr_classifier")] == ["tr_classifier_stop"]
    job = app.session_state["tr_classifier_job"]
    held = app.session_state["tr_classifier_held"] = {job.identity: next(job.reports)}
    for _ in range(4):
        held[job.identity] = next(job.reports)
    at(app, "button", "tr_classifier_stop").click().run()
    check(app)
    assert not job.running
    assert at(app, "button", "tr_classifier_train").label == "Go on"
    assert "After 20 updates" in texts(app)
    at(app, "button", "tr_classifier_train").click().run()
    assert app.session_state["tr_classifier_job"] is job
    assert job.running


def test_a_translator_trained_in_the_page_is_used_and_its_code_gives_the_same():
    app = open_page(tr_width="16", tr_layers="1", tr_inner="16")
    at(app, "button", "tr_training_train").click().run()
    job = app.session_state["tr_training_job"]
    job.running = False
    reports = [next(job.reports) for _ in range(3)]
    app.session_state["tr_training_held"] = {job.identity: reports[-1]}
    app.run()
    check(app)
    assert "These weights were trained in this page for 10 updates" in texts(app)
    expect_the_code_computes_what_is_shown(app, atol=1e-3)


def test_the_verdict_of_a_review_of_ones_own():
    app = open_page()
    at(app, "text_input", "tr_review").set_value("the 영화 was not dull").run()
    check(app)
    said = texts(app)
    assert "read as <unk>: “영화”" in said
    assert "Before training" in said
    assert "word counts" not in said  # that stands in the curve
    assert "Counting words (logistic regression) gets 5" in said
