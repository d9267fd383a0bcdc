"""Short reviews by a grammar of our own, whose verdict depends on the order of the words and not only on which they are.

“not” turns an adjective round, and of two opposite halves the main clause counts: what follows “but”, or what does not
follow “although”. So the same words in another order may say the opposite, and counting words does not help.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

PAD, UNKNOWN = "<pad>", "<unk>"
THINGS = "food soup waiter room film music story view book hotel".split()
GOOD = "good great lovely friendly clever charming".split()
BAD = "bad awful dull rude boring ugly".split()
ADVERBS = "very really so".split()
WORDS = (PAD, UNKNOWN, "the", "was", "not", "but", "although", "and", *ADVERBS, *THINGS, *GOOD, *BAD)
"""The vocabulary; a word's number is its place."""
VERDICTS = ("negative", "positive")
UNKNOWN_SHARE = 0.04
"""How often a thing is one that the model does not know."""


@dataclass(frozen=True)
class Review:
    """words: four to thirteen of them. positive: the verdict."""

    words: tuple[str, ...]
    positive: bool


def draw(source: random.Random) -> Review:
    """A review by the grammar; both verdicts are equally likely, and so is every kind of sentence under each."""
    positive = source.random() < 0.5
    kind = source.choice(("one", "and", "but", "but", "although first", "although last", "although last"))
    main = _clause(source, positive)
    if kind == "one":
        words = main
    elif kind == "and":
        words = [*main, "and", *_clause(source, positive)]
    else:
        other = _clause(source, not positive)
        words = {
            "but": [*other, "but", *main],
            "although first": ["although", *other, *main],
            "although last": [*main, "although", *other],
        }[kind]
    return Review(tuple(words), positive)


def _clause(source: random.Random, positive: bool) -> list[str]:
    """The thing was (not) (very) adjective, with this verdict."""
    turned = source.random() < 0.4
    thing = UNKNOWN if source.random() < UNKNOWN_SHARE else source.choice(THINGS)
    adverb = [source.choice(ADVERBS)] if source.random() < 0.3 else []
    return [
        "the",
        thing,
        "was",
        *(["not"] if turned else []),
        *adverb,
        source.choice(GOOD if positive != turned else BAD),
    ]
