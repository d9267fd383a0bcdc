"""What the pages on BERT read: the visitor's sentence, a second one, and what a decoder has so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from explorer.errors import UserError
from explorer.text import _
from explorer.tokens import Tokens, encode
from explorer.ui.language_models import Chosen, both_of, reading_of
from pretrained.asking import Reader
from pretrained.reading import Attended, CrossReading, Reading

FIRST = "The cat sat on the mat because it was tired."
WRITTEN = "The cat sat on the mat"
MOST_TYPED = 60_000  # characters
MOST_KEPT = 8  # texts that a model wrote

Stack = Literal["encoder", "decoder", "cross"]


@dataclass(frozen=True, eq=False)
class Texts:
    """tokens: of what was typed. written: what an encoder–decoder's decoder has so far, None for other models.

    own_words: whether the model itself wrote it.
    """

    tokens: Tokens
    written: Tokens | None = None
    own_words: bool = False


def type_sentence() -> str:
    """The field; what it says is the same on both pages."""
    return st.text_area(
        _("Your sentence"), FIRST, key="bert_text", max_chars=MOST_TYPED, height=80, bind="query-params"
    )


def type_second(reader: Reader) -> str | None:
    """The field for a second sentence; None: there is none. What a decoder has so far is asked for elsewhere."""
    if reader.kind == "encoder-decoder":
        return None
    if not st.toggle(_("A second sentence"), key="bert_paired", bind="query-params"):
        return None
    return st.text_area(_("The second"), _("It was very old."), key="bert_pair", max_chars=MOST_TYPED, height=80,
                        bind="query-params")  # fmt: skip


def read_typed(reader: Reader, text: str, pair: str | None = None) -> Texts:
    """The tokens of what is typed, and the decoder's; where nothing can be read, one sentence says so and the last good
    text stays.
    """
    tokens = None
    for number, (first, second) in enumerate(
        [(text, pair), st.session_state.get("bert_good", (FIRST, None)), (FIRST, None)]
    ):
        try:
            tokens = encode(reader.tokenizer, first, second, limit=reader.limit)
        except UserError as error:
            if number == 0:
                st.error(str(error), icon=":material/edit_off:")
            continue
        st.session_state["bert_good"] = (first, second)
        break
    if tokens is None:
        st.stop()
    say_what_is_cut(reader, tokens)
    if reader.kind != "encoder-decoder":
        return Texts(tokens)
    return _with_decoder(reader, tokens)


def say_what_is_cut(reader: Reader, tokens: Tokens) -> None:
    """One sentence, if it does not read the whole text."""
    if tokens.cut:
        st.caption(_("{name} reads at most {limit} tokens; the last {cut} are left out.").format(
            name=reader.name, limit=reader.limit, cut=tokens.cut))  # fmt: skip


def choose_stack() -> Stack:
    """Which attention of an encoder–decoder."""
    names: dict[Stack, str] = {"encoder": _("Encoder"), "decoder": _("Decoder"), "cross": _("Cross")}
    return st.segmented_control(
        _("Which attention"), list(names), default="cross", required=True, format_func=names.__getitem__,
        wrap=True, key="bert_stack", bind="query-params",
        help=_("The encoder's tokens to each other, the decoder's to each other, or the decoder's to the encoder's."),
    )  # fmt: skip


def attended(chosen: Chosen, texts: Texts, stack: Stack) -> Reading | CrossReading:
    """The attention to look at. UserError: the model cannot read this text."""
    reader = chosen.reader
    if texts.written is None:
        return reading_of(reader, texts.tokens)
    found = both_of(reader, texts.tokens, texts.written)
    if stack == "cross":
        return found.cross
    return found.encoder if stack == "encoder" else found.decoder


def attended_or_last(chosen: Chosen, texts: Texts, stack: Stack) -> tuple[Texts, Reading | CrossReading]:
    """The same; of what the model cannot read, one sentence, and the first sentence instead."""
    try:
        return texts, attended(chosen, texts, stack)
    except UserError as error:
        st.error(str(error), icon=":material/edit_off:")
    reader = chosen.reader
    tokens = encode(reader.tokenizer, FIRST, limit=reader.limit)
    written = None if texts.written is None else reader.start_decoder(WRITTEN)
    texts = Texts(tokens, written)
    try:
        return texts, attended(chosen, texts, stack)
    except UserError:
        st.stop()


def of_one_text(found: Attended) -> bool:
    """Whether queries and keys are the same tokens."""
    return isinstance(found, Reading)


def _with_decoder(reader: Reader, tokens: Tokens) -> Texts:
    sources = {"typed": _("Typed"), "own": _("Written by the model")}
    source = st.segmented_control(_("The decoder’s text"), list(sources), default="typed", required=True,
                                  format_func=sources.__getitem__, key="bert_written_by", bind="query-params")  # fmt: skip
    if source == "own":
        written = _written(reader, tokens)
        if written is not None:
            st.text(f"→ {written.text}" if written.text.strip() else _("What it wrote makes no text that can be read."))
            return Texts(tokens, written, own_words=True)
    typed = st.text_area(_("What the decoder has so far"), WRITTEN, key="bert_written", max_chars=MOST_TYPED, height=80,
                         bind="query-params")  # fmt: skip
    for number, text in enumerate((typed, st.session_state.get("bert_good_written", WRITTEN), WRITTEN)):
        try:
            written = reader.start_decoder(text)
        except UserError as error:
            if number == 0:
                st.error(str(error), icon=":material/edit_off:")
            continue
        st.session_state["bert_good_written"] = text
        say_what_is_cut(reader, written)
        return Texts(tokens, written)
    return st.stop()


def _written(reader: Reader, tokens: Tokens) -> Tokens | None:
    """What the model writes, kept; while it does, how far it is, and a way to stop."""
    kept: dict[tuple, Tokens | str] = st.session_state.setdefault("bert_own_words", {})
    key = (reader.name, *tokens.ids.tolist())
    if key not in kept:
        bar = st.progress(0.0, _("{name} writes …").format(name=reader.name))
        stop = st.empty()
        # The click ends this run; the next one shows what is typed instead.
        stop.button(_("Stop"), icon=":material/stop:", key="bert_stop_writing", on_click=_type_instead)

        def show(done: int, most: int | None) -> None:
            bar.progress(min(done / most, 1.0) if most else 0.0, _("{done} of at most {most} tokens").format(
                done=done, most=most))  # fmt: skip

        while len(kept) >= MOST_KEPT:
            del kept[next(iter(kept))]
        try:
            kept[key] = reader.write(tokens, progress=show)
        except UserError as error:
            kept[key] = str(error)
        bar.empty()
        stop.empty()
    found = kept[key]
    if isinstance(found, str):
        st.error(found, icon=":material/edit_off:")
        return None
    return found


def _type_instead() -> None:
    st.session_state["bert_written_by"] = "typed"
