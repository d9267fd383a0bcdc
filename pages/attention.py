"""Attention: typed queries, keys and values, a decoder that looks back, and a sentence that attends to itself."""

import streamlit as st

from explorer.attention_views import (
    CURVE,
    Widths,
    additive_score,
    against_temperature,
    against_width,
    compare,
    masking,
    pay_attention,
    steps,
)
from explorer.components.maps import maps
from explorer.decoder_views import decoder_steps
from explorer.plots import attention as plots
from explorer.self_attention_views import sentence_steps
from explorer.text import _
from explorer.ui import attention_input as choose
from explorer.ui import attention_pictures as show
from explorer.ui import page
from explorer.ui.attention_decoder import decoder_section
from explorer.ui.attention_sentence import sentence_section
from explorer.ui.bounded import bounded
from explorer.ui.steps import show_steps

ROLES = {
    "query": "query",
    "q": "query",
    "decoder_state": "query",
    "key": "key",
    "k": "key",
    "value": "value",
    "values": "value",
    "encoder_states": "value",
    "x": "input",
    "mask": "mask",
    **dict.fromkeys("w_query w_key w_value v".split(), "weight"),
    **dict.fromkeys("scores weights hidden both combined logits".split(), "hidden"),
    **dict.fromkeys("output context probabilities".split(), "output"),
}


@st.cache_data(show_spinner=False)
def measured_widths() -> Widths:
    """What the width d_k does to the softmax."""
    return against_width()


page.header(
    _("Attention"),
    _("A query says what it looks for, keys say what is offered. Where they fit, the value behind the key is passed on: the "
      "output is a mixture of all values, weighted by a softmax. Type your own numbers into Q, K and V."),
    show.formula(),
    more="attention",
)  # fmt: skip

controls, picture = page.play()
with controls:
    visible = st.container()
    more = st.expander(_("More"))
with visible:
    setup = choose.choose_setup(more)
tables = choose.read_tables()
result = pay_attention(tables, setup)
with picture:
    grids = st.container()
    maps(show.flow_maps(tables, result), key="attn_maps", columns=3, height=200, pick=True)
    st.markdown(show.worked(tables, setup, result))
    st.markdown(show.entropy_table(tables, result))
    st.caption(_("The bits are the entropy of a row: how widely a query looks. It is 0 at one key alone, and the most where "
                 "all keys get the same weight; the share says how much of that."))  # fmt: skip
with grids:
    choose.type_tables()
with more:
    choose.choose_sizes()

st.subheader(_("Four ways to score"), anchor=False)
st.markdown(_("The same queries and keys, mask and temperature under each score. Make a key ten times as long: which score "
              "does not notice?"))  # fmt: skip
maps(show.compared_maps(tables, compare(tables, setup)), key="attn_compared", columns=4, height=170, size="small")
with st.expander(_("The random weights of the additive score")):
    maps(
        show.additive_maps(additive_score(tables.query.shape[1], setup.seed)),
        key="attn_additive",
        columns=3,
        height=150,
    )

st.subheader(_("When the softmax saturates"), anchor=False)
controls, picture = page.play()
queries, keys = show.names(tables)
with controls:
    st.markdown(_("Large scores make one weight 1 and the others 0. Then the slope of the softmax is nearly 0 too, and little "
                  "is learned. A low temperature does it, and so do wide vectors: their dot products grow."))  # fmt: skip
    axes = {"temperature": _("Temperature"), "width": _("Width d_k")}
    axis = st.segmented_control(_("Against"), list(axes), default="temperature", required=True, format_func=axes.__getitem__,
                                key="attn_axis", bind="query-params")  # fmt: skip
    row = bounded(_("Query"), range(1, len(queries) + 1), len(queries), key="attn_row", disabled=axis == "width") - 1
with picture:
    if axis == "temperature":
        curves = against_temperature(result.masked[row])
        finding = show.temperature_finding(curves, CURVE, queries[row])
        figure = plots.against_temperature(CURVE, curves, keys, setup.temperature, page.theme())
    else:
        widths = measured_widths()
        finding = show.width_finding(widths)
        shares = {_("divided by √d_k"): widths.scaled_share, _("not divided"): widths.plain_share}
        figure = plots.against_width(widths.widths, shares, page.theme())
    page.chart(figure, key="attn_saturation", alt=finding)
    st.caption(finding)

st.subheader(_("Why −∞, and why some write −1e9"), anchor=False)
masked = masking(result.scores[row], setup.temperature)
st.markdown(show.masking_table(masked, queries[row]))
st.markdown(show.masking_text(masked))

words, seed = decoder_section()

step_box = st.container()
page.at_scale(_("Self-attention: query, key and value all come from one sentence, $Q = XW_Q$, $K = XW_K$, $V = XW_V$. Type "
                "your own, in any script. Then change the order of its words."))  # fmt: skip
sentence, order = sentence_section()

with step_box:
    page.step_through(_("Step with the arrow keys. Point at a number on the right: the numbers it was made from light up. "
                        "Click on a score or a weight and set it to another number: the change flows on to the output. Look "
                        "at it as original, edited and difference. A weight that you set leaves its row with another sum than "
                        "1; set a score, and the softmax sees to it."))  # fmt: skip
    codes = {"typed": _("Q, K, V"), "decoder": _("Decoder"), "sentence": _("Self-attention")}
    code = st.segmented_control(_("Code"), list(codes), default="typed", required=True, format_func=codes.__getitem__,
                                key="attn_code", bind="query-params")  # fmt: skip
    named, walk = {
        "typed": (show.names(tables), lambda edits=None: steps(tables, setup, edits)),
        "decoder": ((words, words), lambda edits=None: decoder_steps(words, seed, edits)),
        "sentence": ((sentence.ordered(order),) * 2, lambda edits=None: sentence_steps(sentence, order, edits)),
    }[code]
    walked = walk()
    show_steps(walked, key=f"attn_stepper_{code}", roles=ROLES, start=walked.first("softmax"), labels=show.labels(*named),
               url="step" if code == "typed" else f"{code}_step", rerun=walk)  # fmt: skip

page.code(show.snippet(tables, setup), result.output)
page.sources(
    [
        (
            "Bahdanau, Cho & Bengio 2015: Neural machine translation by jointly learning to align and translate",
            "https://arxiv.org/abs/1409.0473",
        ),
        (
            "Luong, Pham & Manning 2015: Effective approaches to attention-based neural machine translation",
            "https://arxiv.org/abs/1508.04025",
        ),
        ("Vaswani et al. 2017: Attention Is All You Need", "https://arxiv.org/abs/1706.03762"),
        ("Jain & Wallace 2019: Attention is not Explanation", "https://arxiv.org/abs/1902.10186"),
        (
            "PyTorch: F.scaled_dot_product_attention",
            "https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html",
        ),
    ]
)
