"""Multi-head attention: one layer cut into heads that attend in parallel."""

import numpy as np
import streamlit as st

from explorer.components.address import keep_in_address
from explorer.components.head_flow import head_flow
from explorer.components.maps import maps
from explorer.multihead_views import (
    Cost,
    add_heads,
    attend,
    count_parameters,
    head_counts,
    measure_costs,
    seeded_attention,
    switch_off,
)
from explorer.plots.heads import time_by_heads
from explorer.text import _
from explorer.ui import multihead_pictures as show
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.picks import fresh_pick
from explorer.ui.sentence_input import sentence_input
from explorer.ui.steps import show_steps
from explorer.words import random_vectors

MOST_WORDS = 12
WIDTHS = (4, 6, 8, 12, 16, 24)
BASE_WIDTH, BASE_HEADS = 512, (1, 2, 4, 8, 16, 32, 64)
ROLES = {
    "x": "input",
    **dict.fromkeys("query q w_query b_query".split(), "query"),
    **dict.fromkeys("key k w_key b_key".split(), "key"),
    **dict.fromkeys("value v w_value b_value".split(), "value"),
    **dict.fromkeys("scores weights heads parts joined".split(), "hidden"),
    **dict.fromkeys("w_out w_heads b_out".split(), "weight"),
    "mask": "mask",
    "output": "output",
}

page.header(
    _("Multi-head attention"),
    _("One layer of attention looks at the sentence in one way. Cut its query, key and value into slices, and each slice, a "
      "head, attends for itself, in parallel. Their outputs stand side by side again, and $W_O$ mixes them. "
      "**The words' vectors and all weights here are random**, drawn with a seed; the arithmetic is that of a trained layer."),
    show.formula(),
    more="multihead",
)  # fmt: skip

sentence_box, width_box, heads_box = st.columns([2, 1, 1], gap="medium")
with sentence_box:
    typed = sentence_input("The cat sat because it was tired", key="heads_sentence", most=MOST_WORDS)
with width_box:
    d_model = bounded(_("Width of a word's vector, d_model"), WIDTHS, 6, key="heads_width")
with heads_box:
    heads = bounded(_("Heads"), head_counts(d_model), 3, key="heads_count",
                    help=_("The divisors of d_model, up to twelve: all heads are equally wide."))  # fmt: skip
with st.expander(_("More")):
    left, right = st.columns(2, gap="medium")
    causal = left.toggle(_("Causal mask"), key="heads_causal", bind="query-params",
                         help=_("No word may look at the words after it."))  # fmt: skip
    with right:
        seed = bounded(_("Seed of the random numbers"), range(10), 0, key="heads_seed")
words = typed.labels
attention = seeded_attention(d_model, heads, seed)
run = attend(random_vectors(words, d_model, seed), attention, causal)
head_flow(run, words, key="heads_flow")
st.markdown(show.sizes_text(d_model, heads, count_parameters(d_model, heads)))

st.subheader(_("Where each head looks"), anchor=False)
st.markdown(show.attention_text(run.weights))
maps(show.attention_maps(words, run.weights), key="heads_maps", columns=min(max(heads, 2), 4), height=300)
told = _("From each word, its row, to each word, its column; each row sums to 1.")
st.caption(f"{told} {_('What the mask hides is exactly 0.') if causal else ''}")

st.subheader(_("Switch heads off"), anchor=False)
controls, picture = page.play()
with controls:
    st.markdown(_("A head that is off still attends, but its output is set to 0 before it meets $W_O$. Nothing else is "
                  "touched. Which word misses it most?"))  # fmt: skip
    left, right = st.columns(2)
    off = {
        head
        for head in range(heads)
        if not (left, right)[head % 2].toggle(
            show.head_name(head), head != 1, key=f"heads_on_{head}", bind="query-params"
        )
    }
without = switch_off(run, attention, off, causal)
with picture:
    maps(show.off_maps(words, run, without), key="heads_off", columns=3, height=260)
    maps([show.change_map(words, without)], key="heads_change", columns=1, height=130)
    st.markdown(show.off_text(words, heads, off, without))

st.subheader(_("The output is a sum over heads"), anchor=False)
controls, picture = page.play()
with controls:
    st.markdown(_("Concatenating and multiplying by $W_O$ is the same as giving each head the rows of $W_O$ that it meets, "
                  "$W_O^i$, and adding up: $\\sum_i \\text{head}_i W_O^i + b_O$. Every head writes into all dimensions of the "
                  "output. Click a cell to see its sum."))  # fmt: skip
    picked = fresh_pick("heads_sum")
    if picked is not None:
        st.session_state["heads_word"], st.session_state["heads_dimension"] = picked.row + 1, picked.column
    word = bounded(_("Word"), range(1, len(words) + 1), 5, key="heads_word") - 1
    dimension = bounded(_("Dimension of the output"), range(d_model), 2, key="heads_dimension")
    keep_in_address({"heads_word": str(word + 1), "heads_dimension": str(dimension)}, key="heads_address")
added = add_heads(run)
with picture:
    maps(
        show.sum_maps(words, run, added, (word, dimension)),
        key="heads_sum",
        columns=min(heads + 2, 5),
        height=230,
        pick=True,
    )
    st.markdown(show.sum_text(words, run, added, (word, dimension)))

page.step_through()
codes = {"layer": _("The layer"), "off": _("With heads off"), "sum": _("The sum over heads")}
code = st.segmented_control(_("Code"), list(codes), default="layer", required=True, format_func=codes.__getitem__,
                            key="heads_code", bind="query-params")  # fmt: skip
steps = {"layer": run, "off": without, "sum": added}[code].steps
show_steps(steps, key=f"heads_stepper_{code}", roles=ROLES, start=steps["parts" if code == "sum" else "output"].index)

page.at_scale(_("Published models differ in width, yet in all of these a head is 64 wide. The last column has the parameters "
                "of one of their attention layers. Below, a layer as wide as Vaswani's base model, with more and more heads, "
                "timed on this computer."))  # fmt: skip
st.markdown(show.known_table())


@st.cache_data(show_spinner=_("Timing the layer with {n} numbers of heads.").format(n=len(BASE_HEADS)), max_entries=8)
def measured(length: int) -> list[Cost]:
    """The costs on this computer; measured once."""
    return measure_costs(BASE_WIDTH, length, BASE_HEADS)


controls, picture = page.play()
with controls:
    length = bounded(_("Words in the sequence"), (16, 32, 64, 128, 256), 64, key="heads_length")
    if st.button(_("Measure again"), key="heads_measure", icon=":material/timer:"):
        measured.clear(length)
costs = measured(length)
with controls:
    st.markdown(show.cost_finding(costs))
with picture:
    figure = time_by_heads(np.array([c.heads for c in costs]), np.array([c.milliseconds for c in costs]), page.theme())
    page.chart(figure, key="heads_time", alt=show.cost_finding(costs))
    st.markdown(show.cost_table(costs))

mask, imported = "None", ""
if causal:
    mask, imported = f"causal_mask({len(words)})", "from explorer.models.attention import causal_mask\n"
page.code(
    f"""
import torch
{imported}from explorer.multihead_views import seeded_attention
from explorer.trace import trace
from explorer.words import random_vectors, sentence

words = sentence({typed.text!r}, {MOST_WORDS}).labels
x = torch.from_numpy(random_vectors(words, {d_model}, seed={seed}))[None]
attention = seeded_attention({d_model}, {heads}, seed={seed})
mask = {mask}
steps = trace(attention, x, x, x, mask)
output, weights = steps.result
heads = steps["output"]  # what the heads give, (1, heads, words, d_head)
zeroed = heads.output.clone()
zeroed[:, {sorted(off)}] = 0
without, _ = trace(attention, x, x, x, mask, edits={{heads.index: zeroed}}).result
result = torch.cat([output, without]).detach().numpy()
""",
    np.stack([run.output, without.output]),
)
page.sources(
    [
        ("Vaswani et al. 2017: Attention is all you need, section 3.2.2", "https://arxiv.org/abs/1706.03762"),
        ("Voita et al. 2019: Analyzing multi-head self-attention: specialized heads do the heavy lifting",
         "https://arxiv.org/abs/1905.09418"),
        ("Michel, Levy & Neubig 2019: Are sixteen heads really better than one?", "https://arxiv.org/abs/1905.10650"),
        ("Devlin et al. 2018: BERT", "https://arxiv.org/abs/1810.04805"),
        ("Radford et al. 2019: Language models are unsupervised multitask learners (GPT-2)",
         "https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf"),
        ("PyTorch: nn.MultiheadAttention",
         "https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html"),
    ]
)  # fmt: skip
