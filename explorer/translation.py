"""A little English and its French: sentences by a grammar of our own, so that a small Transformer can learn all of it.

The languages differ in what makes translation hard for a word list: most adjectives follow their noun, articles and
adjectives agree with it, and “does not see a” is “ne voit pas de”.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

PAD, START, END, UNKNOWN = "<pad>", "<start>", "<end>", "<unk>"
SPECIAL = (PAD, START, END, UNKNOWN)

DETERMINERS = {"the": ("le", "la"), "a": ("un", "une"), "this": ("ce", "cette"), "my": ("mon", "ma")}
"""As before consonants: no French word here begins with a vowel."""
MASCULINE = dict(
    pair.split("/")
    for pair in "cat/chat dog/chien horse/cheval king/roi boy/garçon baker/boulanger book/livre castle/château boat/bateau "
    "cheese/fromage".split()
)
FEMININE = dict(
    pair.split("/")
    for pair in "cow/vache mouse/souris girl/fille queen/reine woman/femme car/voiture house/maison flower/fleur "
    "table/table lamp/lampe".split()
)
LIVING = "cat dog horse king boy baker cow mouse girl queen woman".split()
THINGS = "book castle boat cheese car house flower table lamp".split()
BEFORE = {
    "small": ("petit", "petite"),
    "big": ("grand", "grande"),
    "old": ("vieux", "vieille"),
    "beautiful": ("beau", "belle"),
}
AFTER = {
    "black": ("noir", "noire"),
    "white": ("blanc", "blanche"),
    "green": ("vert", "verte"),
    "red": ("rouge", "rouge"),
}
"""Adjectives by where French puts them."""
TRANSITIVE = {"sees": ("see", "voit"), "follows": ("follow", "suit"), "finds": ("find", "trouve"),
              "wants": ("want", "veut"), "draws": ("draw", "dessine")}  # fmt: skip
INTRANSITIVE = {"sleeps": ("sleep", "dort"), "sings": ("sing", "chante"), "runs": ("run", "court")}
PREPOSITIONS = {"in": "dans", "under": "sous", "behind": "derrière", "with": "avec"}
UNKNOWN_SHARE = 0.04
"""How often a noun is one that the model does not know: it learns to carry <unk> over."""


def _french_words() -> list[str]:
    pairs = [*DETERMINERS.values(), *BEFORE.values(), *AFTER.values()]
    verbs = [french for _base, french in [*TRANSITIVE.values(), *INTRANSITIVE.values()]]
    words = [word for pair in pairs for word in pair]
    return [*words, *MASCULINE.values(), *FEMININE.values(), *verbs, *PREPOSITIONS.values(), "ne", "pas", "de"]


def _english_words() -> list[str]:
    verbs = [word for third, (base, _french) in [*TRANSITIVE.items(), *INTRANSITIVE.items()] for word in (third, base)]
    return [*DETERMINERS, *MASCULINE, *FEMININE, *BEFORE, *AFTER, *verbs, *PREPOSITIONS, "does", "not"]


ENGLISH = (*SPECIAL, *dict.fromkeys(_english_words()))
FRENCH = (*SPECIAL, *dict.fromkeys(_french_words()))
"""The vocabularies; a word's number is its place."""


@dataclass(frozen=True)
class Pair:
    """A sentence in both languages, as words; <start> and <end> are not among them."""

    english: tuple[str, ...]
    french: tuple[str, ...]


def draw(source: random.Random) -> Pair:
    """A sentence by the grammar, of three to twelve English words."""
    english, french = _noun_phrase(source, LIVING, adjectives=(0, 0, 1, 1, 2))
    with_object, negated = source.random() < 0.75, source.random() < 0.3
    third, (base, verb) = source.choice([*(TRANSITIVE if with_object else INTRANSITIVE).items()])
    english += ["does", "not", base] if negated else [third]
    french += ["ne", verb, "pas"] if negated else [verb]
    if with_object:
        more = _noun_phrase(source, [*LIVING, *THINGS], adjectives=(0, 1, 1, 2), after_not=negated)
        english += more[0]
        french += more[1]
    if source.random() < (0.2 if with_object else 0.6) and len(english) < 9:
        preposition = source.choice([*PREPOSITIONS])
        more = _noun_phrase(source, THINGS if preposition != "with" else LIVING, adjectives=(0, 0, 1))
        english += [preposition, *more[0]]
        french += [PREPOSITIONS[preposition], *more[1]]
    return Pair(tuple(english), tuple(french))


def _noun_phrase(
    source: random.Random, nouns: Sequence[str], adjectives: Sequence[int], after_not: bool = False
) -> tuple[list[str], list[str]]:
    """Determiner, up to two adjectives, noun: in English, and in French, agreeing. after_not: “a” becomes “de”."""
    determiner, noun = source.choice([*DETERMINERS]), source.choice(nouns)
    gender = int(noun in FEMININE)
    french_noun = (FEMININE if gender else MASCULINE)[noun]
    many = source.choice(adjectives)
    before = source.choice([*BEFORE]) if many == 2 or (many == 1 and source.random() < 0.5) else None
    after = source.choice([*AFTER]) if many == 2 or (many == 1 and before is None) else None
    if source.random() < UNKNOWN_SHARE:
        noun, french_noun, gender = UNKNOWN, UNKNOWN, 0
    article = "de" if after_not and determiner == "a" else DETERMINERS[determiner][gender]
    english = [determiner, *filter(None, [before, after]), noun]
    french = [article, *([BEFORE[before][gender]] if before else []), french_noun]
    return english, [*french, *([AFTER[after][gender]] if after else [])]


def held_out(pair: Pair) -> bool:
    """Whether a sentence is one of the tenth that no model is trained on."""
    return crc32(" ".join(pair.english).encode()) % 10 == 0


def numbers(words: Sequence[str], vocabulary: Sequence[str]) -> list[int]:
    """Places in the vocabulary; what is not in it, whatever its case, is <unk>."""
    places = {word: place for place, word in enumerate(vocabulary)}
    return [places.get(word.lower(), places[UNKNOWN]) for word in words]
