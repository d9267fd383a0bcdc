"""The bundled character LSTM on the visitor's text: what it expects, what its units follow, and how it writes on."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from explorer.character_views import (
    MOST,
    PROPERTIES,
    Property,
    Reading,
    Signal,
    Typed,
    Written,
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
from explorer.components.coloured_text import Guesses, coloured_text
from explorer.errors import UserError
from explorer.models.characters import ALPHABET
from explorer.numbers import grouped, number
from explorer.text import _
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.recurrent_pictures import ROLES as SHARED_ROLES
from explorer.ui.steps import show_steps
from pretrained.characters import CharacterReader, load_characters

DEFAULT = (
    '"It is only the wind," said Anna; but she drew the blanket up to her chin. Outside, something was walking round and '
    'round the house. It took 7 steps, and stopped. "Does the wind wear boots?" asked her brother. Nobody answered him. The '
    "candle had burnt down to the last inch, and Uncle John would not be home until morning."
)
OPENED_AT = DEFAULT.index("wind wear") + 1  # “…Does the wi”; set in lines, the text keeps its places
GUESSES = 8
LISTED = 5  # units in the ranking
CLOSELY, PARTLY = 0.7, 0.4  # |r| from which a unit is said to follow a property closely, and in part
SHORT = 200  # characters; whatever drifts correlates with whatever else drifts
STRANGE = 8  # bits: the end of the colour scale, a probability of 1/256
ROLES = {**SHARED_ROLES, "characters": "input", "embedding": "weight", "decoder": "weight"}


@st.cache_resource(show_spinner=False)
def _reader() -> CharacterReader:
    return load_characters()


@st.cache_resource(max_entries=8, show_spinner=False)
def _reading(text: str) -> Reading:
    return read_text(_reader().module, text)


@st.cache_resource(show_spinner=False)
def _sample() -> list[Reading]:
    return read_texts(_reader().module, sample_texts())


@st.cache_data(show_spinner=False)
def _strengths(name: Property) -> np.ndarray:
    """r of every unit with the property on the sample."""
    return correlations(states(_sample()), follow(name, sample_texts()))


@st.cache_data(max_entries=32, show_spinner=False)
def _own_strengths(name: Property, text: str) -> np.ndarray:
    return correlations(states([_reading(text)]), follow(name, [text]))


@st.cache_data(max_entries=16, show_spinner=False)
def _written(text: str, count: int, temperature: float, seed: int) -> Written:
    return write_on(_reader().module, _reading(text), count, temperature, seed)


def show_character_states() -> None:
    """The whole part of the page, from its heading on."""
    st.subheader(_("States that mean something"), anchor=False)
    try:
        reader = _reader()
    except UserError as error:
        st.error(str(error), icon=":material/info:")
        return
    st.markdown(
        _("This LSTM of {units} units was trained on one task: read a character, guess the next. Its books were {books}, "
          "set in lines of at most {line} characters. It was told nothing of words, quotes or lines. Type a text, and see "
          "what it expects and what it keeps in mind.").format(
              units=reader.model.hidden_size, books=reader.model.data, line=reader.model.line)
    )  # fmt: skip
    controls, picture = page.play()
    with controls:
        text = _choose_text(reader.model.line)
    with st.spinner(_("Reading {n} characters …").format(n=len(text)), show_time=True):
        reading = _reading(text)
    with picture:
        _show_surprise(reading, reader)
    st.subheader(_("What a unit follows"), anchor=False)
    _show_unit(reading, reader)
    st.subheader(_("Let it write on"), anchor=False)
    _show_written(reading)
    weights = _weights(reader)
    told = _("Embedding, gates and scores of the next character, with all {n} weights.").format(n=grouped(weights))
    label = _("Step through the last character ({mb:.0f} MB)").format(mb=4 * weights / 1e6)
    if st.toggle(label, False, key="char_stepped", bind="query-params", help=told):
        steps = last_step(reader.module, reading)
        show_steps(steps, key="char_stepper", roles=ROLES, start=steps.first("sigmoid"), url="char_step")


def _weights(reader: CharacterReader) -> int:
    return sum(weight.numel() for weight in reader.module.parameters())


def _choose_text(line: int) -> str:
    """The text field, and what the model reads of it; the last text that could be read where this one cannot."""
    told = _("English suits it best. It knows the line break and the {n} other characters of plain ASCII.")
    raw = st.text_area(_("Your text"), DEFAULT, height=240, key="char_text", bind="query-params",
                       help=told.format(n=len(ALPHABET) - 1))  # fmt: skip
    wrap = st.toggle(_("Set in lines of {n} characters").format(n=line), True, key="char_wrap", bind="query-params",
                     help=_("As the books were that it learnt from. Off: your own line breaks."))  # fmt: skip
    use = typed(raw or "", line if wrap else 0)
    said = _said(use)
    if len(use.text.strip()) < 2:
        good = st.session_state.get("char_text good", DEFAULT)
        nothing = _("There is nothing to read; type at least two letters. Until then you see the text before.")
        st.error(f"{nothing} {said}".strip())
        return good
    st.session_state["char_text good"] = use.text
    if said:
        st.caption(said)
    return use.text


def _said(use: Typed) -> str:
    """What was left out of the text, a sentence each."""
    sentences = []
    if use.left_out:
        shown = " ".join(
            f"`{c}`" if c.isprintable() and not c.isspace() else f"`U+{ord(c):04X}`" for c in use.unknown[:8]
        )
        text = _("Unknown to the model and left out: {shown} (in all {n}).")
        sentences.append(text.format(n=use.left_out, shown=shown + (" …" if len(use.unknown) > 8 else "")))
    if use.cut:
        text = _("The first {n} characters are read, {cut} more are left out.")
        sentences.append(text.format(n=MOST, cut=use.cut))
    return " ".join(sentences)


def _show_surprise(reading: Reading, reader: CharacterReader) -> None:
    """The text by surprise, with the likeliest next characters of the chosen one."""
    places, probabilities = likeliest(reading, GUESSES)
    given = np.append(2 ** -reading.surprise[1:], np.nan).astype(np.float32)
    coloured_text(
        reading.text, reading.surprise, key="char_surprise", title=_("Surprise"), limit=STRANGE, unit=_(" bits"),
        caption=_("The stronger the colour, the greater the surprise: −log₂ of the probability that the model had given to the "
                  "character. Click on one to see what it expects next."),
        guesses=Guesses(tuple(ALPHABET), places, probabilities, given), url="char",
        chosen=OPENED_AT if reading.text.split() == DEFAULT.split() else len(reading.text) - 1,
    )  # fmt: skip
    card = reader.card
    st.caption(
        _("Your text takes the model {own} bits a character, chapters of its books that it has not seen {held_out}. For those "
          "it takes {five} if only the last 4 characters are looked at (a 5-gram), {xz} with the xz compressor, {uniform} if "
          "all {n} characters are equally likely.").format(
              own=number(reading.bits, 2), held_out=number(card.bits_per_character, 2), five=number(card.five_gram_bits, 2),
              xz=number(card.xz_bits, 2), uniform=number(math.log2(len(ALPHABET)), 2), n=len(ALPHABET))
    )  # fmt: skip
    with st.expander(_("About this model")):
        st.markdown(
            _("{weights} weights, trained in {updates} updates; the books’ every 20th chapter, {held_out} characters, was held "
              "out for measuring. Licence: {licence}. It spells and quotes, but does not know what it says. It knows {n} "
              "characters and English, and from its old books also their prejudices. The script is "
              "`training/character_lstm.py`, the model card `pretrained/weights/{key}.md`.").format(
                  weights=grouped(_weights(reader)), updates=grouped(card.updates), held_out=grouped(card.held_out_characters),
                  licence=reader.model.licence, n=len(ALPHABET), key=reader.model.key)
        )  # fmt: skip


def _show_unit(reading: Reading, reader: CharacterReader) -> None:
    """The text by one unit's state, and which units follow a property most."""
    controls, picture = page.play()
    properties: dict[Property, str] = {
        "quotes": _("Inside quotes"),
        "line": _("Place in the line"),
        "word": _("Inside a word"),
        "capital": _("Capital letter"),
        "digit": _("Digit"),
    }
    signals: dict[Signal, str] = {
        "cell": _("Cell"),
        "hidden": _("Hidden"),
        "forget": _("Forget"),
        "input": _("Input"),
    }
    titles: dict[Signal, str] = {
        "cell": _("Cell of unit {n}"),
        "hidden": _("Hidden state of unit {n}"),
        "forget": _("Forget gate of unit {n}"),
        "input": _("Input gate of unit {n}"),
    }
    with controls:
        name = st.selectbox(_("Property"), list(PROPERTIES), format_func=properties.__getitem__, key="char_property",
                            bind="query-params",
                            help=_("Quotes: an odd number of \" so far. Place: characters since the line break. Inside a "
                                   "word, capital and digit: of the character just read."))  # fmt: skip
        with st.spinner(_("Comparing all units …"), show_time=True):
            sample, own = _strengths(name), _own_strengths(name, reading.text)
        units = {u: _("unit {n}").format(n=u) for u in ranked(sample).tolist()}
        chosen = st.selectbox(_("Unit, strongest first"), list(units), format_func=units.__getitem__,
                                 key=f"char_unit_{name}", bind="query-params")  # fmt: skip
        signal = st.segmented_control(_("Show"), list(signals), default="cell", required=True,
                                      format_func=signals.__getitem__, key="char_signal", bind="query-params", width="stretch",
                                      help=_("Cell: tanh c. Hidden: h = o · tanh c. Forget gate: how much of the cell stays. "
                                             "Input gate: how much of the new comes in."))  # fmt: skip
    with picture:
        signed = signal in ("cell", "hidden")
        roles: dict[Signal, str] = {"cell": "value", "hidden": "hidden", "forget": "mask", "input": "mask"}
        shown = getattr(unit(reader.module, reading, chosen), signal)
        finding = _finding(properties[name], chosen, sample, own)
        coloured_text(reading.text, shown, key="char_unit_text", title=titles[signal].format(n=chosen),
                      caption=finding, limit=1, signed=signed, role=roles[signal])  # fmt: skip
        if len(reading.text) < SHORT:
            st.caption(_("Your text is short: on fewer than {n} characters r says little.").format(n=SHORT))
        rows = "\n".join(f"| {u} | {_r(sample[u])} | {_r(own[u])} |" for u in list(units)[:LISTED])
        head = f"| {_('Unit')} | {_('r on our sample, chosen there')} | {_('r on your text')} |\n|--:|--:|--:|\n"
        st.markdown(head + rows)
        st.caption(
            _("r is Pearson’s correlation of tanh c with the property: 0 for none, ±1 for perfect. The sample is a story "
              "written for this page, {n} characters, {bits} bits each. All {units} units were compared on it, so a part of "
              "the first column is luck; your text tells how large. A unit may follow several things, and most of what the "
              "network knows is spread over many units.").format(
                  n=sum(map(len, sample_texts())), units=len(sample), bits=number(_sample_bits(), 2))
        )  # fmt: skip


def _sample_bits() -> float:
    surprise = np.concatenate([reading.surprise[1:] for reading in _sample()])
    return float(surprise.mean())


def _r(value: float) -> str:
    return "–" if np.isnan(value) else number(value, 2)


def _finding(name: str, unit_number: int, sample: np.ndarray, own: np.ndarray) -> str:
    """How strongly the unit follows the property, on the sample and on the visitor's text."""
    strength = abs(sample[unit_number])
    verdict = (
        _("Unit {n} follows “{name}” closely")
        if strength >= CLOSELY
        else _("Unit {n} follows “{name}” in part")
        if strength >= PARTLY
        else _("Unit {n} hardly follows “{name}”")
    ).format(n=unit_number, name=name)
    if strength < PARTLY and np.nanargmax(np.abs(sample)) == unit_number:
        verdict += _(", and none of the others follows it better")
    text = _("{verdict}: r = {sample} on our sample").format(verdict=verdict, sample=_r(sample[unit_number]))
    if np.isnan(own[unit_number]):
        return _("{text}; your text never changes in it.").format(text=text)
    return _("{text}, {own} on your text.").format(text=text, own=_r(own[unit_number]))


def _show_written(reading: Reading) -> None:
    """What the model writes after the text."""
    controls, picture = page.play()
    with controls:
        temperature = st.slider(_("Temperature"), 0.0, 1.5, 0.7, 0.1, key="char_temperature", bind="query-params",
                                help=_("The scores are divided by it before the softmax. At 0 the likeliest character "
                                       "is taken."))  # fmt: skip
        count = bounded(_("Characters"), (50, 100, 200, 300, 400), 200, key="char_count")
        seed = bounded(_("Seed"), range(20), 0, key="char_seed", disabled=temperature == 0)
    with picture:
        with st.spinner(_("Writing …"), show_time=True):
            written = _written(reading.text, count, temperature, seed)
        bits = float(written.surprise.mean())
        greedy = _("Always the likeliest character: {bits} bits each. Does it go round in circles?")
        drawn = _("Drawn at temperature {t}: {bits} bits a character, as the model itself sees it at temperature 1.")
        text = drawn if temperature else greedy
        coloured_text(written.text, written.surprise, key="char_written", title=_("It goes on"), limit=STRANGE, unit=_(" bits"),
                      caption=text.format(bits=number(bits, 2), t=number(temperature, 1)), height=220)  # fmt: skip
