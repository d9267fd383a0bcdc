"""RNN or attention? What each costs, measured on the visitor's machine against the length of the text."""

import streamlit as st

from explorer.components.maps import maps
from explorer.cost_curves import curves
from explorer.cost_measure import LENGTHS, to_csv
from explorer.dependency import COUNTED, KINDS, WIDTH, Counts, Kind, count, read
from explorer.sequence_layers import Key, Layer, Setup, make_layers
from explorer.text import _
from explorer.trace import Trace
from explorer.ui import page
from explorer.ui import rnn_or_attention_pictures as show
from explorer.ui import rnn_or_attention_run as run
from explorer.ui import rnn_or_attention_tables as tables
from explorer.ui import rnn_or_attention_texts as tell
from explorer.ui.bounded import bounded
from explorer.ui.steps import show_steps
from explorer.word_influence import Trait, traits

WORDS = ("The", "cat", "sat", "on", "the", "mat")
READERS: tuple[Key, ...] = ("rnn", "lstm", "conv", "attention")
TEXTS = {
    50: _("A message"),
    500: _("A page"),
    5000: _("A chapter"),
    100_000: _("A novel"),
    1_000_000: _("A shelf of novels"),
}
ROLES = {
    **dict.fromkeys("x x_t padded".split(), "input"),
    **dict.fromkeys("weight bias w_ih w_hh b_ih b_hh in_proj_weight in_proj_bias out_proj".split(), "weight"),
    **dict.fromkeys("w_query w_key w_value b_query b_key b_value".split(), "weight"),
    **dict.fromkeys("h c gates candidate input_gate forget_gate output_gate hidden".split(), "hidden"),
    **dict.fromkeys("query q".split(), "query"),
    **dict.fromkeys("key k".split(), "key"),
    **dict.fromkeys("value v".split(), "value"),
    **dict.fromkeys("scores weights heads output joined".split(), "output"),
}  # fmt: skip


@st.cache_data(show_spinner=False)
def counted() -> dict[Kind, Counts]:
    """Steps and paths of every kind of layer; they depend on nothing that can be set."""
    return {kind: count(kind) for kind in KINDS}


@st.cache_data(show_spinner=False, max_entries=32)
def traits_of(words: int) -> dict[Key, Trait]:
    """What each word does to each output."""
    return traits(words)


@st.cache_resource(show_spinner=False, max_entries=32)
def layers_of(setup: Setup) -> dict[Key, Layer]:
    """The layers that are compared."""
    return make_layers(setup)


@st.cache_resource(show_spinner=False)
def traces() -> dict[Key, Trace]:
    """Each layer reading the six words."""
    return {key: read(WORDS, key) for key in READERS}


page.header(
    _("RNN or attention?"),
    _("An RNN reads word after word, and each step waits for the one before. Self-attention looks at all pairs of words at "
      "once, and there are n² of them. Which is faster, and which needs more memory? This page measures it on your computer."),
    rf"\begin{{aligned}} {page.tex('hidden', 'h_{t}')} &= \tanh(W {page.tex('input', 'x_{t}')} + "
    rf"U {page.tex('hidden', 'h_{t-1}')}), \quad t = 1 \dots n \\ {page.tex('output', 'Y')} &= \text{{softmax}}\!\left("
    rf"\frac{{{page.tex('query', 'Q')}{page.tex('key', 'K')}^\top}}{{\sqrt d}}\right) {page.tex('value', 'V')} \end{{aligned}}",
    more="rnn_or_attention",
)  # fmt: skip

controls, picture = page.play()
with controls:
    passing = st.segmented_control(_("Pass"), list(tell.PASSES), default="training", required=True,
                                   format_func=tell.PASSES.__getitem__, key="versus_pass", bind="query-params")  # fmt: skip
    longest = bounded(_("Longest text, words"), LENGTHS[3:], 4096, key="versus_longest")
    button_box = st.container()
    with st.expander(_("More")):
        width = bounded(_("Width d of a word’s vector"), (16, 32, 64, 128, 256), 64, key="versus_width")
        codes = {"library": _("torch.nn’s"), "plain": _("The plain code")}
        code = st.segmented_control(_("Whose code"), list(codes), default="library", required=True,
                                    format_func=codes.__getitem__, key="versus_code", bind="query-params")  # fmt: skip
        equals = {"width": _("Width"), "parameters": _("Parameters")}
        equal = st.segmented_control(_("Equal in"), list(equals), default="width", required=True,
                                     format_func=equals.__getitem__, key="versus_equal", bind="query-params")  # fmt: skip
        both = st.toggle(_("Draw the worse law too"), True, key="versus_both", bind="query-params")
setup = Setup(width, code, equal)
layers = layers_of(setup)
job = run.current_job(setup, longest)
with button_box:
    bar = run.buttons(setup, longest, job)
points = run.held(setup).points
time, held = (curves(points, passing, what, longest) for what in ("time", "memory"))

with picture:
    for what, made in (("time", time), ("memory", held)):
        finding = tell.cost_finding(made, what, passing)
        figure = show.cost_chart(what, tell.PASSES[passing], page.theme(), both, longest, made)
        page.chart(figure, key=f"versus_{what}", alt=finding)
        st.markdown(finding)
        st.caption(tell.law_finding(made, what))
    ends = run.cut_text(run.held(setup), longest)
    if ends:
        st.caption(ends)

with st.expander(_("What is measured, and the fits in numbers")):
    st.markdown(tables.layers_table(layers))
    st.markdown(tell.how_it_is_measured(run.circumstances(), setup))
    st.markdown(f"**{_('Time')}**\n\n{tables.fits_table(time, 'time')}")
    st.markdown(f"**{_('Peak memory')}**\n\n{tables.fits_table(held, 'memory')}")
    st.download_button(_("Save the points (CSV)"), lambda: to_csv(setup, points), file_name="rnn-or-attention.csv",
                       mime="text/csv", icon=":material/download:", key="versus_csv")  # fmt: skip

st.subheader(_("Steps that wait, and ways from word to word"), anchor=False)
st.markdown(_("A longer list of calls is not slower if they can run side by side. So count only what must wait: the longest "
              "chain of calls in the recorded trace. And what a word has to say to another one has to get there: count the "
              "calls on the shortest way from the first word to the last."))  # fmt: skip
chains = counted()
left, right = st.columns(2, gap="medium")
for column, what, finding in ((left, "steps", tell.steps_finding(chains)), (right, "path", tell.path_finding(chains))):
    with column:
        page.chart(show.count_chart(what, page.theme(), longest, chains), key=f"versus_{what}", alt=finding)
        st.caption(finding)
lengths = ", ".join(map(str, COUNTED))
text = _("The points are counted in traces of {lengths} words; the lines go through all of them exactly.")
st.caption(text.format(lengths=lengths))

st.subheader(_("Who hears whom"), anchor=False)
controls, picture = page.play()
with controls:
    st.markdown(_("How much does each output (row) change with each word (column)? Autograd knows: it is the size of the "
                  "gradient. The weights are random here. Which layer still hears the first word at the end?"))  # fmt: skip
    words = bounded(_("Words"), range(4, 33, 4), 24, key="versus_words")
felt = traits_of(words)
with picture:
    maps(show.influence_maps(felt), key="versus_influence", columns=4, height=200, size="small")

st.subheader(_("For and against"), anchor=False)
forward, training, memory = (
    curves(points, kind, what, longest)
    for kind, what in (("forward", "time"), ("training", "time"), ("training", "memory"))
)
found = tables.Findings(forward, training, memory, layers, chains, felt, words)
st.markdown(tables.pros_table(found))
st.markdown(_("The same against theory: what Vaswani et al. (2017) derive, and what came out here."))
st.markdown(tables.published_table(found))

page.step_through(_("Both read the same six words. Each column is a round: what stands in it waits for the round before, and "
                    "for nothing else. Then step through the calls."))  # fmt: skip
walks = traces()
reader = st.segmented_control(_("Reader"), READERS, default="rnn", required=True, format_func=tell.NAMES.__getitem__,
                              key="versus_reader", bind="query-params")  # fmt: skip
text = _("“The cat sat on the mat”, each word a random vector of {d} numbers; the weights are random too.")
st.caption(text.format(d=WIDTH))
other: Key = "rnn" if reader == "attention" else reader
maps(show.round_maps({key: walks[key] for key in (other, "attention")}), key="versus_rounds", columns=2, height=170)
show_steps(walks[reader], key=f"versus_stepper_{reader}", roles=ROLES, start=show.opening(walks[reader]))

page.at_scale(_("What would a whole book take, on this computer? Nobody waits for that here: both laws are carried on far "
                "beyond what was measured. Where the points tell them apart, the better one is bold. Short texts can mislead: "
                "in the end the time of attention grows with n², in blocks too."))  # fmt: skip
with page.play()[0]:
    n = bounded(_("Your text, words"), list(TEXTS), 5000, key="versus_text")
st.markdown(f"**{TEXTS[n]}**")
st.markdown(tables.outlook_table(time, held, n))

page.code(
    f"""
import torch
from explorer.cost_measure import measure, quick_plan
from explorer.dependency import last_state, longest_chain, shortest_path
from explorer.models.attention import MultiHeadAttention
from explorer.models.recurrent import RNN
from explorer.sequence_layers import Setup
from explorer.trace import trace

points = {{}}
for progress in measure(Setup({width}, "{code}", "{equal}"), quick_plan(256)):
    if progress.point:
        points[progress.layer, progress.point.passing, progress.length] = progress.point
for (layer, passing, n), point in points.items():
    print(f"{{layer:9}} {{passing:8}} {{n:4}} words {{1000 * point.median:8.3f}} ms {{point.peak:9}} bytes")

rnn, attention = RNN({WIDTH}, {WIDTH}), MultiHeadAttention({WIDTH}, heads=1)
result = []  # for each length: calls that wait in the RNN and in attention; calls from the first word to the last
for n in {COUNTED}:
    x = torch.randn(n, 1, {WIDTH})
    words = x.transpose(0, 1)
    attending = trace(attention, words, words, words)
    result.append([longest_chain(trace(rnn, x)), longest_chain(attending),
                   shortest_path(trace(last_state, rnn, x), x[0]), shortest_path(attending, words)])
""",
    tables.counted_columns(chains),
)
page.sources(
    [
        ("Vaswani et al. 2017: Attention Is All You Need, table 1", "https://arxiv.org/abs/1706.03762"),
        ("Dao et al. 2022: FlashAttention, exact attention without the n × n matrix", "https://arxiv.org/abs/2205.14135"),
        ("Hochreiter & Schmidhuber 1997: Long Short-Term Memory", "https://doi.org/10.1162/neco.1997.9.8.1735"),
        ("van den Oord et al. 2016: WaveNet, with dilated convolutions", "https://arxiv.org/abs/1609.03499"),
        ("PyTorch: scaled_dot_product_attention",
         "https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html"),
    ]
)  # fmt: skip
if job is not None:
    run.go_on(job, bar)
