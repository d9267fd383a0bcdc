"""The character LSTM's part of the recurrent page: what is typed, what is said about it, and every control."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.character_views import PROPERTIES, correlations, follow, read_text, states, typed, unit
from explorer.models.characters import ALPHABET
from explorer.ui import character_states
from explorer.ui.character_states import DEFAULT
from pretrained import LoadError
from pretrained.characters import load_characters

SHOWN = typed(DEFAULT, 64).text


def script() -> None:
    from explorer.ui.character_states import show_character_states

    show_character_states()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What the coloured texts are given, by key."""
    calls: dict[str, dict[str, Any]] = {}

    def record(text: str, values: np.ndarray, *, key: str, **rest: Any) -> None:
        assert len(values) == len(text)
        calls[key] = {"text": text, "values": values, **rest}

    monkeypatch.setattr(character_states, "coloured_text", record)
    return calls


def open_part(**query: str) -> AppTest:
    app = AppTest.from_function(script, default_timeout=120)
    app.query_params.update(query)
    return app.run()


def check(app: AppTest) -> None:
    assert not app.exception, app.exception[0].message
    assert [error.value for error in app.error] == []


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


def test_it_opens_on_a_text_with_its_surprise(drawn: dict[str, dict[str, Any]]) -> None:
    app = open_part()
    check(app)
    surprise = drawn["char_surprise"]
    assert surprise["text"] == SHOWN
    reading = read_text(load_characters().module, SHOWN)
    np.testing.assert_allclose(surprise["values"], reading.surprise, rtol=1e-4)
    assert f"Your text takes the model {reading.bits:.2f} bits a character" in captions(app)
    guesses, at = surprise["guesses"], surprise["chosen"]
    assert SHOWN[: at + 1].endswith("Does the wi")
    best = ALPHABET[guesses.places[at, 0]]
    assert guesses.probabilities[at, 0] == pytest.approx(reading.probabilities[at, ALPHABET.index(best)], rel=1e-4)
    assert guesses.given[at] == pytest.approx(reading.probabilities[at, ALPHABET.index("n")], rel=1e-3)
    assert np.isnan(guesses.given[-1])


def test_units_are_named_with_their_measured_correlation(drawn: dict[str, dict[str, Any]]) -> None:
    app = open_part()
    reader = load_characters()
    reading = read_text(reader.module, SHOWN)
    number = app.selectbox(key="char_unit_quotes").value
    r = correlations(states([reading]), follow("quotes", [SHOWN]))[number]
    table = next(markdown.value for markdown in app.markdown if markdown.value.startswith("| Unit"))
    first = table.splitlines()[2]
    assert first.startswith(f"| {number} | ")
    assert first.endswith(f" | {r:.2f} |".replace("-", "−"))
    assert f"Unit {number} follows “Inside quotes” closely" in drawn["char_unit_text"]["caption"]
    expected = unit(reader.module, reading, number)
    for choice, values in (("hidden", expected.hidden), ("forget", expected.forget), ("input", expected.input)):
        app.segmented_control(key="char_signal").set_value(choice).run()
        check(app)
        np.testing.assert_allclose(drawn["char_unit_text"]["values"], values, atol=1e-5)
        assert drawn["char_unit_text"]["signed"] == (choice == "hidden")


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_has_its_ranking(name: str, drawn: dict[str, dict[str, Any]]) -> None:
    app = open_part()
    app.selectbox(key="char_property").set_value(name).run()
    check(app)
    ranking = app.selectbox(key=f"char_unit_{name}")
    assert len(ranking.options) == 640
    strongest = drawn["char_unit_text"]["caption"]
    ranking.select_index(639).run()
    check(app)
    assert "hardly follows" in drawn["char_unit_text"]["caption"] != strongest
    if name == "digit":  # nobody follows it, and that is said
        assert "none of the others follows it better" in strongest


def test_a_property_that_never_changes_has_no_correlation(drawn: dict[str, dict[str, Any]]) -> None:
    app = open_part(char_text="no numbers here at all", char_property="Digit")
    check(app)
    assert "your text never changes in it" in drawn["char_unit_text"]["caption"]
    table = next(markdown.value for markdown in app.markdown if markdown.value.startswith("| Unit"))
    assert table.splitlines()[2].endswith("| – |")
    assert "Your text is short" in captions(app)


@pytest.mark.parametrize("text", ["", "   \n ", "고양이", "é x"])
def test_what_cannot_be_read_is_said_and_the_last_text_stays(text: str, drawn: dict[str, dict[str, Any]]) -> None:
    app = open_part(char_text="Once upon a time")
    check(app)
    app.text_area(key="char_text").set_value(text).run()
    assert not app.exception
    assert [error.value.split(";")[0] for error in app.error] == ["There is nothing to read"]
    assert drawn["char_surprise"]["text"] == "Once upon a time"
    app.text_area(key="char_text").set_value("She sat down").run()
    check(app)
    assert drawn["char_surprise"]["text"] == "She sat down"


def test_unknown_characters_and_what_is_too_long_are_said(drawn: dict[str, dict[str, Any]]) -> None:
    app = open_part()
    app.text_area(key="char_text").set_value("“Naïve” <b>cat</b>").run()
    check(app)
    assert drawn["char_surprise"]["text"] == "Nave <b>cat</b>"
    assert "Unknown to the model and left out: `“` `ï` `”` (in all 3)." in captions(app)
    app.text_area(key="char_text").set_value("word " * 2000).run()
    check(app)
    assert len(drawn["char_surprise"]["text"]) == 1000
    assert "The first 1000 characters are read, 8999 more are left out." in captions(app)


def test_lines_are_set_or_left(drawn: dict[str, dict[str, Any]]) -> None:
    text = "one\ntwo " + "three " * 20
    app = open_part(char_text=text)
    assert max(map(len, drawn["char_surprise"]["text"].split("\n"))) <= 64
    app.toggle(key="char_wrap").set_value(False).run()
    check(app)
    assert drawn["char_surprise"]["text"] == text


def test_it_writes_on_as_the_controls_say(drawn: dict[str, dict[str, Any]]) -> None:
    app = open_part()
    first = drawn["char_written"]
    assert len(first["text"]) == 200
    app.select_slider(key="char_seed").set_value(5).run()
    assert drawn["char_written"]["text"] != first["text"]
    app.select_slider(key="char_seed").set_value(0).run()
    assert drawn["char_written"]["text"] == first["text"]
    app.select_slider(key="char_count").set_value(50).run()
    assert drawn["char_written"]["text"] == first["text"][:50]
    app.slider(key="char_temperature").set_value(0.0).run()
    check(app)
    assert app.select_slider(key="char_seed").disabled
    assert "Always the likeliest character" in drawn["char_written"]["caption"]
    reading = read_text(load_characters().module, SHOWN)
    assert drawn["char_written"]["text"][0] == ALPHABET[reading.probabilities[-1].argmax()]


def test_the_step_into_the_network_is_asked_for() -> None:
    app = open_part()
    assert not app.toggle(key="char_stepped").value
    assert not [button for button in app.get("download_button") if button.key == "char_stepper_save"]
    app.toggle(key="char_stepped").set_value(True).run()
    check(app)
    assert [button for button in app.get("download_button") if button.key == "char_stepper_save"]


def test_a_state_of_the_address_is_restored(drawn: dict[str, dict[str, Any]]) -> None:
    app = open_part(char_property="Place in the line", char_signal="Forget", char_temperature="1.2", char_seed="7",
                    char_count="100", char_wrap="false", char_unit_line="unit 145", char_text="The cat\nsat")  # fmt: skip
    check(app)
    state = app.session_state
    assert (state["char_property"], state["char_signal"], state["char_unit_line"]) == ("line", "forget", 145)
    assert (state["char_temperature"], state["char_seed"], state["char_count"]) == (1.2, 7, 100)
    assert drawn["char_unit_text"]["title"] == "Forget gate of unit 145"
    assert drawn["char_surprise"]["text"] == "The cat\nsat"


def test_missing_weights_are_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise LoadError("character-lstm-640.safetensors is missing.")

    monkeypatch.setattr(character_states, "load_characters", fail)
    character_states._reader.clear()
    app = open_part()
    assert not app.exception
    assert [error.value for error in app.error] == ["character-lstm-640.safetensors is missing."]
    monkeypatch.undo()
    check(app.run())
