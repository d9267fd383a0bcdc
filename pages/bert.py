"""BERT: what a trained language model attends to, head by head, on the visitor's own sentence."""

import numpy as np
import streamlit as st

from explorer.text import _
from explorer.trace import Trace
from explorer.ui import bert_compare, bert_export, bert_texts, bert_views, page
from explorer.ui.bert_code import reading_code
from explorer.ui.bounded import bounded
from explorer.ui.language_models import choose_language_model
from explorer.ui.steps import show_steps
from pretrained import language
from pretrained.language import LanguageModel

ROLES = bert_views.ATTENTION_ROLES | {"wide": "hidden", "residual": "input", "self.dense": "weight"}


@st.cache_resource(max_entries=6, show_spinner=False)
def steps_of(
    key: str, text: str, pair: str | None, layer: int, whole: bool, _model: LanguageModel, _x: np.ndarray
) -> Trace:
    """The steps of one layer, kept."""
    return language.trace_layer(_model, layer, _x, whole)


page.header(
    _("BERT"),
    _("A BERT reads a whole sentence at once, forwards and backwards, and was trained to fill in words that were hidden from "
      "it. Every head of every layer says how much each token looks at each other one. Here you see all of it, on real "
      "weights. **Attention is not an explanation**: it says whose values a head mixes, not why the model decides."),
    rf"\begin{{gathered}} {page.tex('hidden', 'attention')} = \text{{softmax}}\left(\frac{{{page.tex('query', 'Q')}"
    rf"{page.tex('key', 'K')}^\top}}{{\sqrt{{d_\text{{head}}}}}}\right) \\ "
    rf"{page.tex('output', 'head')} = {page.tex('hidden', 'attention')}\,{page.tex('value', 'V')} \end{{gathered}}",
    more="bert",
)  # fmt: skip

controls, picture = page.play()
with controls:
    text = bert_texts.type_sentence()
    chosen = choose_language_model()
    if chosen is None:
        st.info(_("No language model is on this computer yet. Run the set-up of the README again, which brings a small one, or "
                  "download one of these."), icon=":material/info:")  # fmt: skip
        st.stop()
    reader = chosen.reader
    stack = bert_texts.choose_stack() if reader.kind == "encoder-decoder" else "encoder"
    more = st.expander(_("More"))
    with more:
        pair = bert_texts.type_second(reader)
    texts = bert_texts.read_typed(reader, text, pair)
    texts, found = bert_texts.attended_or_last(chosen, texts, stack)
    with more:
        hide, renormalise, whole = bert_views.choose_tokens()
        brightest = st.select_slider(_("Darkest at a weight of"), bert_views.BRIGHTEST, 0.5, key="bert_brightest",
                                     bind="query-params")  # fmt: skip
    layers, heads = found.attention.shape[:2]
    layer, head = bert_views.choose_head(layers, heads)
with picture:
    view = bert_views.choose_view()
    wish = bert_views.Wish(view, layer, head, hide, renormalise, whole, float(brightest), stack)
    if view == "compare":
        bert_compare.show_comparison(chosen, texts, found, wish)
    else:
        bert_views.show(found, wish, reader)
    bert_export.offer(found, wish, chosen.key)

model = reader.own
if model is None:
    page.step_through(_("{name} runs on the code of transformers, which cannot be stepped into; choose a plain BERT to step "
                        "into its layers.").format(name=reader.name))  # fmt: skip
else:
    page.step_through()
    left, right = st.columns([4, 11], gap="medium")
    with left:
        stepped = bounded(_("Layer to step into"), range(1, layers + 1), layer + 1, key="bert_step_layer") - 1
        parts = {"attention": _("Self-attention"), "layer": _("Whole layer")}
        part = st.segmented_control(_("Part"), list(parts), default="attention", required=True,
                                    format_func=parts.__getitem__, key="bert_part", bind="query-params")  # fmt: skip
    tokens = texts.tokens
    if len(tokens) > bert_views.STEPPED:
        st.caption(_("The first {n} tokens only; more are too many to step through.").format(n=bert_views.STEPPED))
    x, words = found.hidden[stepped][: bert_views.STEPPED], tokens.labels[: bert_views.STEPPED]
    sides = {name: {"rows": words} for name in ("x", "query", "key", "value", "mixed", "joined")}
    sides |= {name: {"rows": words, "columns": words} for name in ("scores", "weights")}
    steps = steps_of(chosen.key, tokens.text, tokens.pair, stepped, part == "layer", model, x)
    show_steps(steps, key=f"bert_stepper_{part}", roles=ROLES, labels=sides)

page.code(
    reading_code(chosen.key, texts, stack)
    + f"""
result = reading.attention[{layer}, {head}]  # from each token, its row, to each token, its column
""",
    found.attention[layer, head],
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
