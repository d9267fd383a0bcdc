"""The controls of the Transformer page, and the model that they ask for: bundled, trained in the page, or random."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.components.diagram import fresh_choice
from explorer.live_training import Progress
from explorer.models.sequence_transformers import Translator
from explorer.models.transformer import TransformerConfig
from explorer.multihead_views import head_counts
from explorer.text import _
from explorer.transformer_views import Run, Written, run, write
from explorer.translation import ENGLISH, FRENCH, UNKNOWN
from explorer.translation_training import LONGEST, STEPS, train_translator, untrained
from explorer.ui.bounded import bounded
from explorer.ui.live_training import Curve, Plan, latest
from explorer.ui.sentence_input import sentence_input
from explorer.ui.transformer_diagram import START_OPEN, can_open
from explorer.words import sentence
from pretrained.translation import BundledTranslator, config_of, load_translator

MOST_WORDS = 14
DEFAULT = "the small black cat does not see a red flower"
WIDTHS = (16, 24, 32, 48, 64)
INNER_WIDTHS = (16, 32, 64, 128, 256)
MOST_LAYERS = 4
TRAINING, DIAGRAM = "tr_training", "tr_diagram"
Origin = Literal["bundled", "page", "random"]


@st.cache_resource(show_spinner=False)
def bundled() -> BundledTranslator:
    """The translator that comes with the explorer."""
    return load_translator()


@st.cache_resource(show_spinner=False, max_entries=16)
def _random(config: TransformerConfig, seed: int) -> Translator:
    return untrained(config, seed).eval().requires_grad_(False)


@dataclass(frozen=True)
class Settings:
    """config, seed: of the model. trained: whether trained weights are wanted, where there are some."""

    config: TransformerConfig
    seed: int
    trained: bool

    @property
    def identity(self) -> tuple[TransformerConfig, int]:
        """What a training of this model is known by."""
        return self.config, self.seed


@dataclass(frozen=True, eq=False)
class Current:
    """The model in use. progress: of its training in the page, None for other origins."""

    settings: Settings
    model: Translator
    origin: Origin
    progress: Progress | None = None

    @property
    def name(self) -> str:
        """A text that no other weights have."""
        return repr((self.origin, self.settings.identity, self.progress.step if self.progress else 0))


def choose_settings() -> Settings:
    """The controls of the model: for the expander."""
    norms = {"post": _("Behind (post-norm)"), "pre": _("In front (pre-norm)")}
    told = _("Behind each part, as in the paper of 2017; or in front, as in most models since GPT-2.")
    norm = st.segmented_control(_("Norms"), list(norms), default="post", required=True, format_func=norms.__getitem__,
                                key="tr_norm", bind="query-params", help=told)  # fmt: skip
    layers = bounded(_("Layers N"), range(1, MOST_LAYERS + 1), 2, key="tr_layers")
    d_model = bounded(_("Width d_model"), WIDTHS, 32, key="tr_width")
    heads = bounded(
        _("Heads"), head_counts(d_model), 4, key="tr_heads", help=_("The divisors of d_model, up to twelve.")
    )
    d_ff = bounded(_("Inner width d_ff"), INNER_WIDTHS, 64, key="tr_inner")
    bends = {"relu": "ReLU", "gelu": "GELU"}
    activation = st.segmented_control(_("Activation"), list(bends), default="relu", required=True,
                                      format_func=bends.__getitem__, key="tr_activation", bind="query-params")  # fmt: skip
    seed = bounded(_("Seed of the random weights"), range(10), 0, key="tr_seed")
    weights = {"trained": _("Trained"), "random": _("Random")}
    told = _("Trained ones, where there are some; or those that training starts from.")
    kept = st.segmented_control(_("Weights"), list(weights), default="trained", required=True,
                                format_func=weights.__getitem__, key="tr_weights", bind="query-params", help=told)  # fmt: skip
    config = TransformerConfig(d_model, heads, d_ff, layers, norm == "pre", "gelu" if activation == "gelu" else "relu")
    return Settings(config, seed, kept == "trained")


def current(settings: Settings) -> Current:
    """The model that these settings ask for."""
    progress = latest(TRAINING, settings.identity)
    if settings.trained and progress is not None and progress.step > 0:
        return Current(settings, cast(Translator, progress.model), "page", progress)
    if settings.trained and settings.identity == (config_of(bundled().model), bundled().model.seed):
        return Current(settings, bundled().module, "bundled")
    return Current(settings, _random(*settings.identity), "random")


def training_plan(settings: Settings) -> Plan:
    """What the Train button does with these settings."""
    card = bundled().card if settings.identity == (config_of(bundled().model), bundled().model.seed) else None
    recorded = None if card is None else Curve(*(np.array(part) for part in (card.losses, card.checked, card.accuracy)))

    def begin() -> Iterator[Progress]:
        return train_translator(settings.config, settings.seed)

    return Plan(settings.identity, begin, math.log(len(FRENCH)), {}, STEPS, recorded)


def origin_text(found: Current) -> str:
    """Where the weights come from, and how good they are."""
    if found.origin == "bundled":
        text = _("These weights come with the explorer, trained for {n} updates by what the button below runs: {exact:.1%} of "
                 "{held_out} held-out sentences come out right in every word.")  # fmt: skip
        card = bundled().card
        return text.format(n=card.updates, exact=card.exact, held_out=card.held_out)
    if found.progress is not None:
        text = _(
            "These weights were trained in this page for {n} updates: {exact:.0%} of held-out sentences come out right."
        )
        return text.format(n=found.progress.step, exact=float(found.progress.accuracy[-1]))
    return _("**These weights are random**: what it writes means nothing. Train it below.")


def choose_source() -> tuple[str, ...]:
    """The typed sentence."""
    words = sentence_input(DEFAULT, key="tr_sentence", most=MOST_WORDS, label=_("A sentence in the model's English"))
    unknown = [word for word in words.labels if word.lower() not in ENGLISH and word != UNKNOWN]
    if unknown:
        named = ", ".join(f"“{word}”" for word in dict.fromkeys(unknown))
        st.caption(_("Not among its {n} words: {named}. It reads {unk} there.").format(
            n=len(ENGLISH) - 4, named=named, unk=UNKNOWN))  # fmt: skip
    return words.labels


def choose_beginning() -> tuple[str, ...]:
    """French words that the visitor writes first; usually none."""
    typed = st.text_input(_("Begin the translation yourself"), "", key="tr_prefix", max_chars=200, bind="query-params",
                          placeholder=_("such as: une"), help=_("The model goes on from there."))  # fmt: skip
    words = sentence(typed, LONGEST - 6)
    unknown = [word for word in words.labels if word.lower() not in FRENCH]
    if unknown:
        named = ", ".join(f"“{word}”" for word in dict.fromkeys(unknown))
        st.caption(_("Not among its French words: {named}. It reads {unk} there.").format(named=named, unk=UNKNOWN))
    if words.cut:
        st.caption(_("The first {n} words are used, {cut} more are left out.").format(n=LONGEST - 6, cut=words.cut))
    return words.labels


@st.cache_data(show_spinner=False, max_entries=64)
def _written(name: str, source: tuple[str, ...], given: tuple[str, ...], _model: Translator) -> Written:
    """name: of the model's weights."""
    return write(_model, source, given, LONGEST)


def choose_written(used: Current, source: tuple[str, ...], given: tuple[str, ...]) -> tuple[Written, int]:
    """All that the model writes, and how many words of it are written already."""
    written = _written(used.name, source, given, used.model)
    all_words = len(written.words) - written.ended
    told = _("The model reads what is written and gives the next word. Move on, word by word.")
    count = bounded(_("Words written so far"), range(written.given, all_words + 1), 3, key="tr_written", help=told)
    return written, count


@st.cache_resource(show_spinner=False, max_entries=24)
def _run(name: str, source: tuple[str, ...], target: tuple[str, ...], _model: Translator) -> Run:
    """name: of the model's weights. Nobody changes it."""
    return run(_model, source, target)


def run_of(used: Current, source: tuple[str, ...], target: tuple[str, ...]) -> Run:
    """One run of the model; another box or layer of it needs no other."""
    return _run(used.name, source, target, used.model)


def choose_layer(layers: int) -> int:
    """The layer whose numbers are shown, counted from 0."""
    return bounded(_("Layer shown"), range(1, layers + 1), layers, key="tr_layer") - 1


def choose_box(pre_norm: bool) -> str:
    """The box that is open: the one clicked, else the one in the address, else cross-attention."""
    picked = fresh_choice(DIAGRAM)
    held = picked or st.session_state.get("tr_open") or st.query_params.get("tr_box", START_OPEN)
    if held not in can_open(pre_norm):  # a sum of its own is there only with the norm in front
        held = held.replace(".add", ".norm")
    st.session_state["tr_open"] = held if held in can_open(pre_norm) else START_OPEN
    return st.session_state["tr_open"]


def word_lists(box: DeltaGenerator) -> None:
    """What the model can read and write."""
    box.markdown(_("**English it reads:** {words}").format(words=", ".join(ENGLISH[4:])))
    box.markdown(_("**French it writes:** {words}").format(words=", ".join(FRENCH[4:])))
