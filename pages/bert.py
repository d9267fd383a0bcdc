"""BERT: what a trained language model attends to, predicts, and makes of a word in its context."""

import json

import numpy as np
import streamlit as st

from explorer.errors import UserError
from explorer.text import _
from explorer.tokens import Tokens, encode
from explorer.trace import Trace
from explorer.ui import bert_compare, bert_export, bert_predictions, bert_views, bert_words, page
from explorer.ui.bounded import bounded
from explorer.ui.language_models import choose_language_model, here, reading_of, records
from explorer.ui.steps import show_steps
from pretrained import language
from pretrained.language import LanguageModel

FIRST = "The cat sat on the mat because it was tired."
MOST_TYPED = 60_000  # characters
STEPPED = 24  # tokens; more are too many to step through
ROLES = {
    "x": "input",
    "query": "query",
    "key": "key",
    "value": "value",
    "scores": "hidden",
    "weights": "hidden",
    "mixed": "hidden",
    "joined": "output",
    "keep": "mask",
    "wide": "hidden",
    "residual": "input",
    "self.query": "weight",
    "self.key": "weight",
    "self.value": "weight",
    "self.dense": "weight",
}


@st.cache_resource(max_entries=6, show_spinner=False)
def steps_of(
    key: str, text: str, pair: str | None, layer: int, whole: bool, _model: LanguageModel, _x: np.ndarray
) -> Trace:
    """The steps of one layer, kept."""
    return language.trace_layer(_model, layer, _x, whole)


def typed(model: LanguageModel, text: str, pair: str | None) -> Tokens:
    """The tokens of what is typed; where nothing can be read, one sentence says so and the last good text stays."""
    try:
        tokens = encode(model.tokenizer, text, pair, limit=model.limit)
    except UserError as error:
        st.error(str(error), icon=":material/edit_off:")
        text, pair = st.session_state.get("bert_good", (FIRST, None))
        tokens = encode(model.tokenizer, text, pair, limit=model.limit)
    st.session_state["bert_good"] = (text, pair)
    if tokens.cut:
        st.caption(_("{name} reads at most {limit} tokens; the last {cut} are left out.").format(
            name=model.name, limit=model.limit, cut=tokens.cut))  # fmt: skip
    return tokens


page.header(
    _("BERT"),
    _("A BERT reads a whole sentence at once, forwards and backwards, and was trained to fill in words that were hidden from "
      "it. Every head of every layer says how much each token looks at each other one. Here you see all of it, on real "
      "weights. **Attention is not an explanation**: it says whose values a head mixes, not why the model decides."),
    rf"{page.tex('hidden', 'attention')} = \text{{softmax}}\left(\frac{{{page.tex('query', 'Q')}"
    rf"{page.tex('key', 'K')}^\top}}{{\sqrt{{d_\text{{head}}}}}}\right) \qquad "
    rf"{page.tex('output', 'head')} = {page.tex('hidden', 'attention')}\,{page.tex('value', 'V')}",
    more="bert",
)  # fmt: skip

controls, picture = page.play()
with controls:
    text = st.text_area(
        _("Your sentence"), FIRST, key="bert_text", max_chars=MOST_TYPED, height=80, bind="query-params"
    )
    chosen = choose_language_model()
    if chosen is None:
        st.info(_("No language model is on this computer yet. Run the set-up of the README again, which brings a small one, or "
                  "download one of these."), icon=":material/info:")  # fmt: skip
        st.stop()
    key, model = chosen
    layers, heads = model.module.bert.config.layers, model.module.bert.config.heads
    with st.expander(_("More")):
        paired = st.toggle(_("A second sentence"), key="bert_paired", bind="query-params")
        pair = st.text_area(_("The second"), _("It was very old."), key="bert_pair", max_chars=MOST_TYPED, height=80,
                            bind="query-params") if paired else None  # fmt: skip
        hide, renormalise, whole = bert_views.choose_tokens()
        brightest = st.select_slider(_("Darkest at a weight of"), bert_views.BRIGHTEST, 0.5, key="bert_brightest",
                                     bind="query-params")  # fmt: skip
    layer, head = bert_views.choose_head(layers, heads)
    tokens = typed(model, text, pair)
reading = reading_of(model, tokens)
with picture:
    chosen_view = bert_views.choose_view()
wish = bert_views.Wish(chosen_view, layer, head, hide, renormalise, whole, float(brightest))
with picture:
    bert_views.show(reading, wish, lambda number: language.output_weight(model, number))
    bert_export.offer(reading, wish, key)

if model.guesses_words:
    st.subheader(_("A masked word"), anchor=False)
    bert_predictions.show_masked_word(model, tokens)
if model.judges_pairs:
    st.subheader(_("The next sentence"), anchor=False)
    bert_predictions.show_next_sentence(model, tokens.text)
if not (model.guesses_words and model.judges_pairs):
    st.caption(_("{name} was trained to compare sentences and has lost the heads that guess masked words and judge next "
                 "sentences. Choose an official BERT to see them.").format(name=model.name))  # fmt: skip

st.subheader(_("One word, several contexts"), anchor=False)
bert_words.show_word_in_contexts(model)

st.subheader(_("Compare"), anchor=False)
others = [name for name in here() if name != key]
bert_compare.show_comparison(model, reading, wish, others)

st.subheader(_("Switch heads off"), anchor=False)
bert_predictions.show_heads_off(model, tokens, reading)

page.step_through()
left, right = st.columns([4, 11], gap="medium")
with left:
    stepped_layer = bounded(_("Layer to step into"), range(1, layers + 1), layer + 1, key="bert_step_layer") - 1
    parts = {"attention": _("Self-attention"), "layer": _("Whole layer")}
    part = st.segmented_control(_("Part"), list(parts), default="attention", required=True, format_func=parts.__getitem__,
                                key="bert_part", bind="query-params")  # fmt: skip
x = reading.hidden[stepped_layer][:STEPPED]
if len(tokens) > STEPPED:
    st.caption(_("The first {n} tokens only; more are too many to step through.").format(n=STEPPED))
words = tokens.labels[:STEPPED]
sides = {name: {"rows": words} for name in ("x", "query", "key", "value", "mixed", "joined")}
show_steps(steps_of(key, tokens.text, tokens.pair, stepped_layer, part == "layer", model, x), key=f"bert_stepper_{part}",
           roles=ROLES, labels=sides | {name: {"rows": words, "columns": words} for name in ("scores", "weights")})  # fmt: skip

record = records()[key]
loading = (
    'minilm.checked(), "all-MiniLM-L6-v2")'
    if record.source == "package"
    else f'hub.fetch_repository("{record.hub_repo}"), "{record.name}")'
)
typed_text = json.dumps(tokens.text, ensure_ascii=False)
typed_pair = "None" if tokens.pair is None else json.dumps(tokens.pair, ensure_ascii=False)
page.code(
    f"""
from explorer.tokens import encode
from pretrained import hub, language, minilm
model = language.from_folder({loading}
tokens = encode(model.tokenizer, {typed_text}, {typed_pair}, limit=model.limit)
reading = language.read(model, tokens)
result = reading.attention[{layer}, {head}]  # from each token, its row, to each token, its column
""",
    reading.attention[layer, head],
)
page.sources(
    [
        (
            "Devlin, Chang, Lee & Toutanova 2019: BERT, pre-training of deep bidirectional Transformers",
            "https://arxiv.org/abs/1810.04805",
        ),
        ("Vig 2019: A multiscale visualization of attention (BertViz)", "https://arxiv.org/abs/1906.05714"),
        ("Clark, Khandelwal, Levy & Manning 2019: What does BERT look at?", "https://arxiv.org/abs/1906.04341"),
        ("Jain & Wallace 2019: Attention is not explanation", "https://arxiv.org/abs/1902.10186"),
        ("Abnar & Zuidema 2020: Quantifying attention flow in Transformers", "https://arxiv.org/abs/2005.00928"),
        ("Kobayashi et al. 2020: Attention is not only a weight", "https://arxiv.org/abs/2004.10102"),
        ("Wang et al. 2020: MiniLM", "https://arxiv.org/abs/2002.10957"),
    ]
)
