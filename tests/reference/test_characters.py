"""The character LSTM against the same with torch.nn's LSTM, and the bundled weights on a text that they have not seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.character_views import read_text, read_texts, sample_texts, typed
from explorer.models.characters import ALPHABET, CharacterLSTM, encode, generate, read
from pretrained import LoadError, catalog
from pretrained.characters import BUNDLED, load_characters

# Jane Austen, Northanger Abbey (1817), its beginning; in the public domain, and none of the children's books.
PARAGRAPH = typed(
    "No one who had ever seen Catherine Morland in her infancy would have supposed her born to be an heroine. Her situation "
    "in life, the character of her father and mother, her own person and disposition, were all equally against her. Her "
    "father was a clergyman, without being neglected, or poor, and a very respectable man, though his name was Richard--and "
    "he had never been handsome.",
    64,
).text
BOUND = 2.0
"""Bits per character of PARAGRAPH. The bundled model takes 1.6; broken in any of the ways below, it takes more than 4."""


def official(model: CharacterLSTM, embedding: int, hidden: int) -> CharacterLSTM:
    """The same network over torch.nn.LSTM, with the same weights."""
    other = CharacterLSTM(embedding, hidden, lstm=nn.LSTM)
    other.load_state_dict(model.state_dict())
    return other.eval()


@settings(max_examples=25)
@given(
    embedding=st.integers(1, 9),
    hidden=st.integers(1, 17),
    length=st.integers(1, 12),
    batch=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_it_equals_the_one_over_torch_nn(embedding: int, hidden: int, length: int, batch: int, seed: int) -> None:
    torch.manual_seed(seed)
    model = CharacterLSTM(embedding, hidden)
    other = official(model, embedding, hidden)
    characters = torch.randint(0, len(ALPHABET), (length, batch))
    before = (torch.randn(1, batch, hidden), torch.randn(1, batch, hidden))
    for state in (None, before):
        logits, states, (h, c) = model(characters, state)
        expected, expected_states, (expected_h, expected_c) = other(characters, state)
        for found, wanted in ((logits, expected), (states, expected_states), (h, expected_h), (c, expected_c)):
            assert found.shape == wanted.shape
            assert torch.allclose(found, wanted, atol=1e-5)
        read_logits, read_states, cells = read(model, characters, state)
        assert torch.allclose(read_logits, expected, atol=1e-5)
        assert torch.allclose(read_states, expected_states, atol=1e-5)
        assert torch.allclose(cells[-1], expected_c[0], atol=1e-5)


def test_the_bundled_weights_give_the_same_in_both() -> None:
    reader = load_characters()
    other = official(reader.module, reader.model.embedding_size, reader.model.hidden_size)
    with torch.inference_mode():
        expected = other(encode(PARAGRAPH)[:, None])[0][:, 0].softmax(dim=-1)
    np.testing.assert_allclose(read_text(reader.module, PARAGRAPH).probabilities, expected, atol=1e-5)


def test_the_bundled_file_reads_well() -> None:
    reader = load_characters()
    assert not any(parameter.requires_grad for parameter in reader.module.parameters())
    assert read_text(reader.module, PARAGRAPH).bits < BOUND
    # The app's own sample lies near the books that were held out.
    bits = np.mean([reading.bits for reading in read_texts(reader.module, sample_texts())])
    assert bits == pytest.approx(reader.card.bits_per_character, abs=0.3)


@pytest.mark.parametrize("broken", ["untrained", "gates swapped", "no memory", "letters shifted"])
def test_a_broken_model_exceeds_the_bound(broken: str) -> None:
    reader = load_characters()
    model = CharacterLSTM(reader.model.embedding_size, reader.model.hidden_size).requires_grad_(False)
    if broken != "untrained":
        model.load_state_dict(reader.module.state_dict())
    if broken == "gates swapped":
        for parameter in model.lstm.weights():
            parameter.copy_(parameter.unflatten(0, (4, -1))[[1, 0, 2, 3]].flatten(0, 1))
    if broken == "no memory":
        model.lstm.weight_hh_l0.zero_()
    if broken == "letters shifted":
        model.embedding.weight.copy_(model.embedding.weight.roll(1, dims=0))
    assert read_text(model, PARAGRAPH).bits > 2 * BOUND


def test_greedy_writing_is_that_of_torch_nn() -> None:
    reader = load_characters()
    other = official(reader.module, reader.model.embedding_size, reader.model.hidden_size)
    text = "Once upon a time there was"
    with torch.inference_mode():
        logits, _hidden, state = reader.module(encode(text)[:, None])
        written = generate(reader.module, logits[-1], state, 30, temperature=0)
        expected = encode(text)[:, None]
        for _ in range(30):
            expected = torch.cat([expected, other(expected)[0][-1:].argmax(dim=-1)])
    assert torch.equal(written, expected[len(text) :])


def test_damaged_weights_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = catalog.WEIGHTS / f"{BUNDLED}.safetensors"
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    with pytest.raises(LoadError, match=r"^character-lstm-640\.json, which comes with the explorer, is missing"):
        load_characters()
    (tmp_path / source.name).with_suffix(".json").write_bytes(source.with_suffix(".json").read_bytes())
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / source.name).write_bytes(content)
    with pytest.raises(
        LoadError, match=r"^character-lstm-640\.safetensors, which comes with the explorer, is missing or"
    ):
        load_characters()
