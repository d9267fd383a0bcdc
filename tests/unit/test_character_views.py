"""What the page shows of the character LSTM, on small networks with random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.character_views import (
    MOST,
    PROPERTIES,
    Property,
    correlations,
    follow,
    last_step,
    likeliest,
    ranked,
    read_text,
    read_texts,
    sample_texts,
    states,
    typed,
    unit,
    write_on,
)
from explorer.models.characters import ALPHABET, CharacterLSTM, decode, encode

HIDDEN = 12
TEXTS = st.text(alphabet=ALPHABET, min_size=1, max_size=20)


@pytest.fixture(scope="module")
def model() -> CharacterLSTM:
    torch.manual_seed(0)
    module = CharacterLSTM(5, HIDDEN).eval().requires_grad_(False)
    for parameter in module.parameters():
        parameter.mul_(4)  # so that it has opinions
    return module


@given(TEXTS)
def test_encoding_is_undone_by_decoding(text: str) -> None:
    assert decode(encode(text)) == text


def test_a_character_outside_the_alphabet_has_no_place() -> None:
    with pytest.raises(KeyError):
        encode("é")


@pytest.mark.parametrize(
    ("text", "line", "kept", "unknown", "left_out", "cut"),
    [
        ("a\r\nb\rc", 0, "a\nb\nc", (), 0, 0),
        ("“Né”\té", 0, "N", ("“", "é", "”", "\t"), 5, 0),
        ("one two three", 7, "one two\nthree", (), 0, 0),
        ("one\ntwo\n\n\nthree", 64, "one two\n\nthree", (), 0, 0),
        ("", 64, "", (), 0, 0),
        ("고양이", 64, "", ("고", "양", "이"), 3, 0),
        ("x" * 10_000, 0, "x" * MOST, (), 0, 10_000 - MOST),
    ],
)
def test_what_is_typed(text: str, line: int, kept: str, unknown: tuple[str, ...], left_out: int, cut: int) -> None:
    use = typed(text, line)
    assert (use.text, use.unknown, use.left_out, use.cut) == (kept, unknown, left_out, cut)


@settings(max_examples=30)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_texts_read_side_by_side_are_read_as_alone(model: CharacterLSTM, texts: list[str]) -> None:
    for text, found in zip(texts, read_texts(model, texts), strict=True):
        logits, hidden, _state = model(encode(text)[:, None])
        assert found.text == text
        np.testing.assert_allclose(found.probabilities, logits[:, 0].softmax(dim=-1), atol=1e-5)
        np.testing.assert_allclose(found.hidden, hidden[:, 0], atol=1e-5)
        np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
        assert np.isnan(found.surprise[0])
        given_ = [found.probabilities[t - 1, ALPHABET.index(text[t])] for t in range(1, len(text))]
        np.testing.assert_allclose(2.0 ** -found.surprise[1:], given_, rtol=1e-4)
        assert np.isnan(found.bits) if len(text) == 1 else found.bits == pytest.approx(found.surprise[1:].mean())


def test_the_likeliest_are_in_order_and_together_at_most_1(model: CharacterLSTM) -> None:
    reading = read_text(model, "The cat.")
    places, probabilities = likeliest(reading, 5)
    assert (places.shape, places.dtype, probabilities.shape) == ((8, 5), np.uint8, (8, 5))
    assert (np.diff(probabilities, axis=1) <= 0).all()
    np.testing.assert_array_equal(probabilities[:, 0], reading.probabilities.max(axis=1))
    np.testing.assert_array_equal(places[:, 0], reading.probabilities.argmax(axis=1))


@pytest.mark.parametrize("number", [0, 5, HIDDEN - 1])
def test_a_unit_has_the_gates_that_the_trace_has(model: CharacterLSTM, number: int) -> None:
    text = 'He said: "No.'
    found = unit(model, read_text(model, text), number)
    assert found.cell.shape == found.forget.shape == (len(text),)
    for length in (1, 2, len(text)):
        steps = last_step(model, read_text(model, text[:length]))
        for name, values in (("forget_gate", found.forget), ("input_gate", found.input), ("h", found.hidden)):
            assert values[length - 1] == pytest.approx(steps[name].output[0, number].item(), abs=1e-6)
        assert found.cell[length - 1] == pytest.approx(np.tanh(steps["c"].output[0, number].item()), abs=1e-6)


def test_the_last_step_gives_the_models_logits(model: CharacterLSTM) -> None:
    text = "Once upon"
    logits = last_step(model, read_text(model, text)).result[0]
    assert torch.allclose(logits[-1, 0], model(encode(text)[:, None])[0][-1, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("quotes", 'a "b" c', [0, 0, 1, 1, 0, 0, 0]),
        ("quotes", '"a\n\nb"', [1, 1, 1, 0, 0, 1]),
        ("quotes", '"\nb', [1, 1, 1]),
        ("line", "ab\nc\n\nde", [1, 2, 0, 1, 0, 0, 1, 2]),
        ("line", "\nab", [0, 1, 2]),
        ("word", "It is!", [1, 1, 0, 1, 1, 0]),
        ("capital", "It IS", [1, 0, 0, 1, 1]),
        ("digit", "a12b", [0, 1, 1, 0]),
    ],
)
def test_properties_of_a_text(name: Property, text: str, values: list[int]) -> None:
    np.testing.assert_array_equal(PROPERTIES[name](text), values)
    np.testing.assert_array_equal(follow(name, [text, text]), values * 2)


@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 5))
def test_correlations_are_numpys(count: int, units: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    found, values = random.standard_normal((count, units)).astype(np.float32), random.standard_normal(count)
    expected = [np.corrcoef(found[:, u], values)[0, 1] for u in range(units)]
    np.testing.assert_allclose(correlations(found, values), expected, rtol=1e-5, atol=1e-9)


def test_what_never_changes_correlates_with_nothing() -> None:
    found = np.array([[0.3, 1], [0.3, 2], [0.3, 3]], np.float32)
    np.testing.assert_array_equal(correlations(found, np.array([1.0, 2, 3])), [np.nan, 1])
    assert np.isnan(correlations(found, np.ones(3))).all()


def test_units_are_ranked_by_the_size_of_r() -> None:
    assert ranked(np.array([0.1, -0.9, np.nan, 0.5])).tolist() == [1, 3, 0, 2]


def test_states_are_bounded_and_stand_one_text_after_the_other(model: CharacterLSTM) -> None:
    readings = read_texts(model, ["abc", "de"])
    found = states(readings)
    assert found.shape == (5, HIDDEN)
    assert np.abs(found).max() <= 1
    np.testing.assert_array_equal(found[3:], np.tanh(readings[1].cell))


def test_greedy_writing_takes_the_likeliest_and_feeds_it_back(model: CharacterLSTM) -> None:
    text = "Onc"
    written = write_on(model, read_text(model, text), 12, 0.0, seed=3)
    for character, bits in zip(written.text, written.surprise, strict=True):
        probabilities = model(encode(text)[:, None])[0][-1, 0].softmax(dim=-1)
        assert ALPHABET.index(character) == probabilities.argmax()
        assert bits == pytest.approx(-np.log2(probabilities.max().item()), abs=1e-4)
        text += character


def test_drawn_text_follows_its_seed_and_its_probabilities(model: CharacterLSTM) -> None:
    reading = read_text(model, "Once")
    one = write_on(model, reading, 40, 1.0, seed=1)
    assert one.text == write_on(model, reading, 40, 1.0, seed=1).text
    assert one.text != write_on(model, reading, 40, 1.0, seed=2).text
    firsts = [write_on(model, reading, 1, 1.0, seed).text for seed in range(400)]
    likely = int(reading.probabilities[-1].argmax())
    share = float(reading.probabilities[-1, likely])
    assert firsts.count(ALPHABET[likely]) / 400 == pytest.approx(share, abs=4 * (share * (1 - share) / 400) ** 0.5)
    sharp = write_on(model, reading, 40, 0.3, seed=1)
    assert sharp.surprise.mean() < one.surprise.mean()


def test_the_sample_is_set_like_the_books() -> None:
    texts = sample_texts()
    assert len(texts) > 5
    for text in texts:
        assert set(text) <= set(ALPHABET)
        assert max(map(len, text.split("\n"))) <= 64
        assert text == typed(text, 64).text
    everything = "\n\n".join(texts)
    assert everything.count('"') > 20
    assert sum(map(str.isdigit, everything)) > 10
