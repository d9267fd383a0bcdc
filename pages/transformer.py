"""Transformer: encoder and decoder as a diagram whose boxes open, on a small translator that can be trained in the page."""

import streamlit as st

from explorer.components.diagram import diagram
from explorer.components.maps import maps
from explorer.text import _
from explorer.translation_training import STEPS
from explorer.ui import page
from explorer.ui import transformer_code as code_of
from explorer.ui import transformer_diagram as layout
from explorer.ui import transformer_pictures as show
from explorer.ui import transformer_settings as choose
from explorer.ui.live_training import live_training
from explorer.ui.steps import show_steps
from explorer.ui.transformer_blocks import kinds
from explorer.ui.transformer_classifier import classifier_section

ROLES = {
    **dict.fromkeys("words vectors position positions encoding".split(), "input"),
    **dict.fromkeys("query q w_query b_query".split(), "query"),
    **dict.fromkeys("key k w_key b_key".split(), "key"),
    **dict.fromkeys("value v w_value b_value".split(), "value"),
    **dict.fromkeys("x scores weights heads joined hidden memory pooled".split(), "hidden"),
    **dict.fromkeys("mask may_look share".split(), "mask"),
    **dict.fromkeys("output logits probabilities".split(), "output"),
}

page.header(
    _("Transformer"),
    _("The encoder reads a sentence, all its words at once. The decoder writes another one, word by word, and looks at what "
      "the encoder has read. Each part, attention or a feed-forward network, adds what it finds to what came in; a norm keeps "
      "the numbers in range. This one translates a little English into French."),
    show.header_formula(),
    more="transformer",
)  # fmt: skip

controls, picture = page.play()
with controls:
    visible = st.container()
    more = st.expander(_("More"))
with more:
    settings = choose.choose_settings()
    given = choose.choose_beginning()
    choose.word_lists(st.container())
config, used = settings.config, choose.current(settings)
with visible:
    source = choose.choose_source()
    written, count = choose.choose_written(used, source, given)
    layer = choose.choose_layer(config.layers)
    st.caption(choose.origin_text(used))
result = choose.run_of(used, source, written.words[:count])
box = choose.choose_box(config.pre_norm)
kind = kinds(config.pre_norm)[layout.kind_of(box)]
drawn = layout.picture(result, config, layer)
with picture:
    left, right = st.columns([3, 2], gap="medium")
with left:
    diagram(
        drawn.boxes,
        drawn.arrows,
        key=choose.DIAGRAM,
        selected=box,
        frames=drawn.frames,
        height=drawn.height,
        alt=_("Encoder on the left, decoder on the right, from the words at the bottom to the next word on top."),
        url="tr_box",
    )
with right:
    st.html(show.written_html(written, count) + show.next_html(result.probabilities[-1]))
    if not written.ended:
        st.caption(_("Cut after {n} words: no <end> came.").format(n=len(written.words)))
    st.markdown(show.block_title(box, kind, layer))
    st.markdown(show.block_text(box, kind, config))
    maps([show.block_map(result, box, layer, kind)], key="tr_block", columns=1, height=230)
    st.caption(_("Choose another box in the diagram by a click, or with the arrow keys and Enter. It opens here, and below "
                 "line by line."))  # fmt: skip

page.step_through()
codes = {"box": _("The opened box"), "all": _("The whole run"), "classifier": _("The classifier")}
code = st.segmented_control(_("Code"), list(codes), default="box", required=True, format_func=codes.__getitem__,
                            key="tr_code", bind="query-params")  # fmt: skip
step_box = st.container()

page.section(_("Who looks where"))
controls, picture = page.play()
with controls:
    names = {"cross": _("Cross"), "masked": _("Masked"), "attention": _("Encoder")}
    chosen = st.segmented_control(_("Attention"), list(names), default="cross", required=True,
                                  format_func=names.__getitem__, key="tr_looks", bind="query-params")  # fmt: skip
    st.markdown(show.looks_finding(result, show.LOOKS[chosen], layer))
    st.caption(_("Layer {n}, chosen above. A row is a word that looks, a column one that is looked at; rows sum to 1. "
                 "Attention is not an explanation.").format(n=layer + 1))  # fmt: skip
with picture:
    shown = [*show.looks(result, show.LOOKS[chosen], layer, mean=True), show.mask_map(result, show.LOOKS[chosen])]
    maps(shown, key="tr_looks_mean", columns=2, height=330)
maps(show.looks(result, show.LOOKS[chosen], layer), key="tr_looks_heads", columns=4, height=220)

page.section(_("Train it"))
controls, picture = page.play()
with controls:
    st.markdown(_("Random sentences of a small grammar, {steps} updates of 64 each. The loss is the cross-entropy of each "
                  "French word, given the right words before it. Stop when you like: the model so far is then the one above. "
                  "Change the sizes under More first: how small may d_model be?").format(steps=STEPS))  # fmt: skip
    st.caption(choose.origin_text(used))
with picture:
    live_training(choose.TRAINING, choose.training_plan(settings))

page.section(_("A classifier, trained while you watch"))
reviewed, verdict = classifier_section()

page.section(_("Parameters"))
st.markdown(show.parameters_table(config))

page.at_scale(_("The same blocks in other numbers. Encoder alone: BERT. Decoder alone, without cross-attention: GPT. Both: the "
                "Transformer of 2017, and T5."))  # fmt: skip
st.markdown(show.published_table(config))

with step_box:
    walk, labels = {
        "box": lambda: code_of.box_steps(result, box, layer),
        "all": lambda: (result.steps, {}),
        "classifier": lambda: (verdict.steps, code_of.attention_labels(reviewed, reviewed)),
    }[code]()
    subject = box if code == "box" else code
    show_steps(walk, key="tr_stepper", roles=ROLES, start=code_of.first_shown(walk), labels=labels, subject=subject)

page.code(code_of.snippet(used, source, result.target[1:]), result.probabilities)
page.sources(
    [
        ("Vaswani et al. 2017: Attention is all you need", "https://arxiv.org/abs/1706.03762"),
        (
            "Xiong et al. 2020: On layer normalization in the Transformer architecture",
            "https://arxiv.org/abs/2002.04745",
        ),
        ("Hendrycks & Gimpel 2016: Gaussian error linear units", "https://arxiv.org/abs/1606.08415"),
        ("Devlin et al. 2018: BERT", "https://arxiv.org/abs/1810.04805"),
        (
            "Radford et al. 2019: Language models are unsupervised multitask learners (GPT-2)",
            "https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
        ),
        ("Raffel et al. 2020: T5", "https://arxiv.org/abs/1910.10683"),
        ("PyTorch: nn.Transformer", "https://docs.pytorch.org/docs/stable/generated/torch.nn.Transformer.html"),
        ("Jain & Wallace 2019: Attention is not Explanation", "https://arxiv.org/abs/1902.10186"),
    ]
)
