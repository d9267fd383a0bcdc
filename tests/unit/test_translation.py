"""The grammar of the translator, its training, and the bundled weights that came of it."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from explorer.models.transformer import TransformerConfig
from explorer.translation import (
    AFTER,
    BEFORE,
    ENGLISH,
    FEMININE,
    FRENCH,
    MASCULINE,
    SPECIAL,
    UNKNOWN,
    Pair,
    draw,
    held_out,
    numbers,
)
from explorer.translation_training import STEPS, batch, exact, real, sentences, train_translator, untrained
from pretrained.translation import config_of, load_translator

SMALL = TransformerConfig(d_model=16, heads=2, d_ff=16, layers=1)


@pytest.fixture(scope="module")
def drawn() -> list[Pair]:
    source = random.Random(0)
    return [draw(source) for _ in range(3000)]


def test_every_word_is_in_the_vocabulary(drawn):
    for vocabulary, side in ((ENGLISH, "english"), (FRENCH, "french")):
        assert len(set(vocabulary)) == len(vocabulary)
        assert vocabulary[:4] == SPECIAL
        used = {word for pair in drawn for word in getattr(pair, side)}
        assert used - {UNKNOWN} == set(vocabulary[4:])  # all of it is used, and nothing else
        assert 0.5 < sum(UNKNOWN in getattr(pair, side) for pair in drawn) / (2 * 0.04 * len(drawn)) < 1.5


def test_sentences_are_as_long_as_promised(drawn):
    lengths = [len(pair.english) for pair in drawn]
    assert min(lengths) == 3
    assert max(lengths) == 12
    assert len(set(lengths)) > 8


def phrases(french: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """Each noun with the determiner and the adjectives that belong to it."""
    before = {word for pair in BEFORE.values() for word in pair}
    after = {word for pair in AFTER.values() for word in pair}
    found = []
    for place, word in enumerate(french):
        if word in {*FEMININE.values(), *MASCULINE.values(), UNKNOWN}:
            first = place - 1
            while french[first] in before:
                first -= 1
            found.append((word, [*french[first:place], *(w for w in french[place + 1 : place + 2] if w in after)]))
    return found


def test_articles_and_adjectives_agree_with_their_noun(drawn):
    feminine = {"la", "une", "cette", "ma", *(pair[1] for pair in (*BEFORE.values(), *AFTER.values()))}
    masculine = {"le", "un", "ce", "mon", *(pair[0] for pair in (*BEFORE.values(), *AFTER.values()))}
    seen = set()
    for pair in drawn:
        for noun, around in phrases(pair.french):
            assert set(around) <= {"de", *(feminine if noun in FEMININE.values() else masculine)}, (noun, around)
            seen |= set(around)
    assert seen == feminine | masculine | {"de"}


def test_a_negation_has_two_words_and_changes_the_article(drawn):
    negated = 0
    for pair in drawn:
        english, french = " ".join(pair.english), f" {' '.join(pair.french)} "
        assert (" ne " in french) == (" pas " in french) == ("does not" in english)
        assert " pas un " not in french
        assert " pas une " not in french
        negated += " pas " in french
    assert 0.25 < negated / len(drawn) < 0.35


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("the small black cat does not see a red flower", "le petit chat noir ne voit pas de fleur rouge"),
        ("my old queen sleeps in this green house", "ma vieille reine dort dans cette maison verte"),
        ("a boy draws the big white horse", "un garçon dessine le grand cheval blanc"),
        ("the dog follows my cow with the king", "le chien suit ma vache avec le roi"),
        ("the cat sleeps", "le chat dort"),
        ("the girl sees the <unk>", "la fille voit le <unk>"),
    ],
)
def test_the_bundled_translator_translates(english, french):
    model = load_translator().module
    assert exact(model, [Pair(tuple(english.split()), tuple(french.split()))]) == 1


def test_a_tenth_is_held_out_and_never_trained_on(drawn):
    assert 0.08 < sum(map(held_out, drawn)) / len(drawn) < 0.12
    assert all(map(held_out, sentences(20, seed=0, held=True)))
    assert not any(map(held_out, sentences(20, seed=0, held=False)))


def test_numbers_ignore_case_and_know_what_is_unknown():
    assert numbers(("The", "zebra", "sees"), ENGLISH) == [
        ENGLISH.index("the"),
        ENGLISH.index(UNKNOWN),
        ENGLISH.index("sees"),
    ]


def test_a_batch_is_shifted_by_one_word():
    pairs = [
        Pair(("the", "cat", "sleeps"), ("le", "chat", "dort")),
        Pair(("a", "dog", "does", "not", "run"), ("un", "chien", "ne", "court", "pas")),
    ]
    english, written, following = batch(pairs)
    assert english.shape == (2, 5)
    assert real(english)[0, 0, 0].tolist() == [True, True, True, False, False]
    assert [FRENCH[i] for i in written[0]] == ["<start>", "le", "chat", "dort", "<pad>", "<pad>"]
    assert [FRENCH[i] for i in following[0]] == ["le", "chat", "dort", "<end>", "<pad>", "<pad>"]


def test_training_is_the_same_every_time_and_learns():
    first, second = (list(train_translator(SMALL, seed=3, steps=40)) for _ in range(2))
    np.testing.assert_allclose(first[-1].losses, second[-1].losses, rtol=1e-4)
    assert first[-1].losses[-5:].mean() < first[-1].losses[:5].mean() - 0.3
    assert [report.step for report in first] == list(range(0, 41, 5))
    before = untrained(SMALL, seed=3).state_dict()
    for name, tensor in first[0].model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_the_bundled_weights_are_what_this_code_gives():
    bundled = load_translator()
    assert len(bundled.card.losses) == bundled.card.updates == STEPS
    report = next(r for r in train_translator(config_of(bundled.model), bundled.model.seed) if r.step == 10)
    np.testing.assert_allclose(report.losses, bundled.card.losses[:10], atol=2e-3)


def test_the_bundled_translator_is_as_good_as_its_card_says():
    bundled = load_translator()
    assert exact(bundled.module, sentences(bundled.card.held_out, seed=-2, held=True)) == pytest.approx(
        bundled.card.exact
    )
    assert bundled.card.exact > 0.99
