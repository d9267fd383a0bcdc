"""One way to ask any language model, whichever code runs it: the explorer's own BERT, or transformers.

A LanguageModel is explorer.models.bert, which can be stepped through; a ForeignModel is transformers'. This module does not
import transformers, which takes seconds, before a model of it is asked. pretrained.readers loads either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, cast

import numpy as np
from tokenizers import Tokenizer

from explorer.errors import UserError
from explorer.text import _
from explorer.tokens import Tokens
from pretrained import language
from pretrained.download import Progress
from pretrained.language import LanguageModel
from pretrained.reading import Guesses, Kind, Reading, TwoReadings

if TYPE_CHECKING:
    from pretrained.foreign import ForeignModel

Guessing = Literal["masked", "next", "nothing"]
"""What a model says of words: which one is hidden in a place, which one comes next, neither."""


class Reader(Protocol):
    """A language model, loaded.

    own: the explorer's own model, whose code can be stepped into; None where transformers' code runs. kind: as ForeignModel has
    it. limit: the longest text, in tokens. guesses: as Guessing; judges_pairs: whether it says if a sentence follows another.
    switches_heads: whether heads can be switched off.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def own(self) -> LanguageModel | None: ...  # noqa: D102
    @property
    def kind(self) -> Kind: ...  # noqa: D102
    @property
    def tokenizer(self) -> Tokenizer: ...  # noqa: D102
    @property
    def limit(self) -> int: ...  # noqa: D102
    @property
    def mask(self) -> int: ...  # noqa: D102
    @property
    def guesses(self) -> Guessing: ...  # noqa: D102
    @property
    def judges_pairs(self) -> bool: ...  # noqa: D102
    @property
    def switches_heads(self) -> bool: ...  # noqa: D102

    def read(self, tokens: Tokens, head_mask: np.ndarray | None = None) -> Reading:
        """What the only stack makes of a text. head_mask: float (layers, heads), 0 switches a head off.

        UserError: it cannot read this text. Not for an encoder-decoder.
        """

    def read_both(self, tokens: Tokens, written: Tokens) -> TwoReadings:
        """What an encoder-decoder makes of a text, and of what its decoder has so far. UserError: as read."""

    def start_decoder(self, text: str) -> Tokens:
        """A typed text for an encoder-decoder's decoder to go on from. UserError: there is nothing in it."""

    def write(self, tokens: Tokens, progress: Progress | None = None) -> Tokens:
        """What an encoder-decoder itself writes on having read the tokens. progress(tokens so far, at most)."""

    def guess(
        self,
        tokens: Tokens,
        place: int,
        *,
        written: Tokens | None = None,
        top: int = 10,
        head_mask: np.ndarray | None = None,
    ) -> Guesses:
        """The likeliest words: for the [MASK] in the place, or to follow the place. written: as foreign.guess."""

    def guess_by_layer(self, reading: Reading, place: int, top: int = 10) -> tuple[Guesses, ...]:
        """The masked-word head on what goes into the first layer and comes out of each; () where that cannot be asked."""

    def follows(self, reading: Reading) -> float:
        """P(the second sentence follows the first), 0–1. Only where judges_pairs."""

    def output_weight(self, layer: int) -> np.ndarray | None:
        """W_O of a layer as nn.Linear has it, float32 (width, heads · d_head); None where it is not known by name."""


@dataclass(frozen=True, eq=False)
class OwnReader:
    """A BERT that runs as explorer.models.bert."""

    own: LanguageModel
    kind: Kind = "encoder"
    switches_heads: bool = True

    @property
    def name(self) -> str:
        """For the visitor."""
        return self.own.name

    @property
    def tokenizer(self) -> Tokenizer:
        """What cuts a text into tokens."""
        return self.own.tokenizer

    @property
    def limit(self) -> int:
        """The longest text, in tokens."""
        return self.own.limit

    @property
    def mask(self) -> int:
        """The id of [MASK]. UserError: its vocabulary has none."""
        return self.own.mask

    @property
    def guesses(self) -> Guessing:
        """What it says of words."""
        return "masked" if self.own.guesses_words else "nothing"

    @property
    def judges_pairs(self) -> bool:
        """Whether it says if a sentence follows another."""
        return self.own.judges_pairs

    def read(self, tokens: Tokens, head_mask: np.ndarray | None = None) -> Reading:
        """As Reader."""
        return language.read(self.own, tokens, head_mask)

    def read_both(self, tokens: Tokens, written: Tokens) -> TwoReadings:
        """UserError: it has no decoder."""
        raise UserError(_("{name} has no decoder that reads another text.").format(name=self.name))

    def start_decoder(self, text: str) -> Tokens:
        """UserError: it has no decoder."""
        raise UserError(_("{name} has no decoder that reads another text.").format(name=self.name))

    def write(self, tokens: Tokens, progress: Progress | None = None) -> Tokens:
        """UserError: it has no decoder."""
        raise UserError(_("{name} has no decoder that reads another text.").format(name=self.name))

    def guess(
        self,
        tokens: Tokens,
        place: int,
        *,
        written: Tokens | None = None,
        top: int = 10,
        head_mask: np.ndarray | None = None,
    ) -> Guesses:
        """As Reader."""
        return language.guess(self.own, self.read(tokens, head_mask).hidden[-1, place], top)

    def guess_by_layer(self, reading: Reading, place: int, top: int = 10) -> tuple[Guesses, ...]:
        """As Reader."""
        return tuple(language.guess(self.own, hidden[place], top) for hidden in reading.hidden)

    def follows(self, reading: Reading) -> float:
        """As Reader."""
        return language.probability_that_it_follows(self.own, cast(np.ndarray, reading.pooled))

    def output_weight(self, layer: int) -> np.ndarray | None:
        """As Reader."""
        return language.output_weight(self.own, layer)


@dataclass(frozen=True, eq=False)
class ForeignReader:
    """A model that transformers runs."""

    model: ForeignModel
    own: None = None
    judges_pairs: bool = False

    @property
    def name(self) -> str:
        """Its id."""
        return self.model.name

    @property
    def kind(self) -> Kind:
        """Encoder, decoder or both."""
        return self.model.kind

    @property
    def tokenizer(self) -> Tokenizer:
        """What cuts a text into tokens."""
        return self.model.tokenizer

    @property
    def limit(self) -> int:
        """The longest text, in tokens."""
        return self.model.limit

    @property
    def mask(self) -> int:
        """The id of its [MASK]. UserError: its vocabulary has none."""
        return self.model.mask

    @property
    def guesses(self) -> Guessing:
        """What it says of words; a decoder that reads another text also writes the next one."""
        if self.model.guesses_words and self.model.mask_id is not None:
            return "masked"
        return "next" if self.model.guesses_next else "nothing"

    @property
    def switches_heads(self) -> bool:
        """Not in two stacks, and not where its attention cannot be observed."""
        return self.model.has_parts and self.kind != "encoder-decoder"

    def read(self, tokens: Tokens, head_mask: np.ndarray | None = None) -> Reading:
        """As Reader."""
        from pretrained import foreign

        return foreign.read(self.model, tokens, head_mask)

    def read_both(self, tokens: Tokens, written: Tokens) -> TwoReadings:
        """As Reader."""
        from pretrained import foreign

        return foreign.read_both(self.model, tokens, written)

    def start_decoder(self, text: str) -> Tokens:
        """As Reader."""
        from pretrained import writing

        return writing.typed(self.model, text)

    def write(self, tokens: Tokens, progress: Progress | None = None) -> Tokens:
        """As Reader."""
        from pretrained import writing

        return writing.generated(self.model, tokens, progress=progress)

    def guess(
        self,
        tokens: Tokens,
        place: int,
        *,
        written: Tokens | None = None,
        top: int = 10,
        head_mask: np.ndarray | None = None,
    ) -> Guesses:
        """As Reader."""
        from pretrained import foreign

        return foreign.guess(self.model, tokens, place, written=written, top=top, head_mask=head_mask)

    def guess_by_layer(self, reading: Reading, place: int, top: int = 10) -> tuple[Guesses, ...]:
        """None: what its head is made of is not known by name."""
        return ()

    def follows(self, reading: Reading) -> float:
        """It is never asked."""
        raise NotImplementedError

    def output_weight(self, layer: int) -> np.ndarray | None:
        """Not known by name."""
        return None
