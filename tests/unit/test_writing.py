"""What a decoder has so far: typed, or written by a model with random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.errors import UserError
from explorer.tokens import encode
from pretrained import foreign, foreign_loading, writing
from tests.unit.tiny_models import save

BOTH = ("T5ForConditionalGeneration", "BartForConditionalGeneration")


@pytest.fixture(scope="module", params=BOTH)
def pair(request, tmp_path_factory):
    """(the explorer's, transformers' own)."""
    folder = tmp_path_factory.mktemp("model")
    reference = save(folder, request.param)
    return foreign_loading.from_folder(folder, "tiny"), reference


def tokens_of(model, text="The cats sat on the mat"):
    return encode(model.tokenizer, text, limit=model.limit)


def test_typed_text_is_moved_one_place_on_as_in_training(pair):
    model, reference = pair
    labels = torch.from_numpy(tokens_of(model, "the 🙂").ids)[None]
    expected = reference.prepare_decoder_input_ids_from_labels(labels=labels)[0]
    typed = writing.typed(model, "the 🙂")
    assert typed.ids.tolist() == expected.tolist()
    assert typed.special[0]
    assert typed.words[0] == -1
    assert typed.labels[0] == typed.pieces[0] == model.tokenizer.id_to_token(model.start_id)
    assert {len(part) for part in (typed.labels, typed.pieces, typed.segments, typed.spans, typed.words)} == {
        len(typed)
    }
    for label, (start, end) in zip(typed.labels, typed.spans.tolist(), strict=True):
        assert start == end or label in (typed.text[start:end].strip(), "␣")


def test_typed_text_that_is_empty_or_too_long(pair):
    model, _ = pair
    with pytest.raises(UserError, match="The sentence is empty"):
        writing.typed(model, "  ")
    typed = writing.typed(model, "cat " * 5000)
    assert len(typed) == model.limit
    assert typed.cut > 0


def test_it_writes_the_likeliest_token_each_time(pair):
    model, reference = pair
    tokens, seen = tokens_of(model), []
    written = writing.generated(model, tokens, 6, progress=lambda done, of: seen.append((done, of)))
    ids = torch.from_numpy(tokens.ids)[None]
    expected = [model.start_id]
    with torch.no_grad():
        for _ in range(6):
            scores = reference(input_ids=ids, decoder_input_ids=torch.tensor([expected])).logits[0, -1]
            expected.append(int(scores.argmax()))
    until = next((i for i, token in enumerate(expected[1:], 1) if token in model.end_ids), len(expected))
    assert written.ids.tolist() == expected[:until]
    assert seen[0] == (1, 6)
    assert foreign.read_both(model, tokens, written).cross.attention.shape[2:] == (len(written), len(tokens))
    guesses = foreign.guess(model, tokens, 0, written=written, top=1)
    assert guesses.ids.tolist() == expected[1:2]


def test_other_ways_of_search_in_its_files_do_not_count(pair, monkeypatch):
    model, _ = pair
    tokens = tokens_of(model)
    expected = writing.generated(model, tokens, 8).ids.tolist()
    settings = model.module.generation_config
    for name, value in {"num_beams": 3, "no_repeat_ngram_size": 1, "min_length": 5, "repetition_penalty": 9.0}.items():
        monkeypatch.setattr(settings, name, value)
    assert writing.generated(model, tokens, 8).ids.tolist() == expected


def test_a_visitor_can_stop_it(pair):
    model, _ = pair
    steps: list[int] = []
    written = writing.generated(
        model, tokens_of(model), 30, progress=lambda done, _of: steps.append(done), cancelled=lambda: len(steps) == 2
    )
    assert len(written) <= 3
    assert len(steps) <= 2


def test_a_model_without_such_a_decoder(tmp_path):
    save(tmp_path, "GPT2LMHeadModel")
    model = foreign_loading.from_folder(tmp_path, "tiny")
    with pytest.raises(UserError, match="tiny has no decoder that reads another text"):
        writing.generated(model, tokens_of(model))
    with pytest.raises(UserError, match="tiny has no decoder"):
        writing.typed(model, "cat")


def test_what_was_written_is_labelled_by_its_characters(pair):
    """Tokens of typed text, taken for written ones, have the same labels."""
    model, _ = pair
    tokens = tokens_of(model, "the cats sat 🙂 on")
    written = writing.tokens_of(model.tokenizer, tokens.ids.tolist())
    assert written.text.strip() == tokens.text
    assert [label for label in written.labels if label != "␣"] == [label for label in tokens.labels if label != "␣"]
    assert written.special.tolist() == tokens.special.tolist()
    assert written.words.tolist() == tokens.words.tolist()
    assert (written.segments == 0).all()
    for label, (start, end), special in zip(written.labels, written.spans.tolist(), written.special, strict=True):
        assert special or label in (written.text[start:end].strip(), "␣")


def test_a_character_that_was_not_finished(tmp_path):
    save(tmp_path, "BartForConditionalGeneration")
    model = foreign_loading.from_folder(tmp_path, "tiny")
    ids = tokens_of(model, "cat 🙂").ids.tolist()[1:-2]  # without <s>, the last byte and </s>
    written = writing.tokens_of(model.tokenizer, ids)
    assert written.text.strip() == "cat"
    assert written.labels[0] == "cat"
    assert all(label.startswith("<0x") or label == "␣" for label in written.labels[1:])
    assert written.words.tolist() == [0, *[1] * (len(ids) - 1)]
    assert (np.diff(written.spans[2:], axis=1) == 0).all()
