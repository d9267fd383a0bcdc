"""Positional encoding: waves that tell attention where a word stands."""

import streamlit as st

from explorer.components.address import keep_in_address
from explorer.components.maps import maps
from explorer.plots import positions as plots
from explorer.position_views import distances, dot_products, encode, see, shift, stepped, wave, wavelengths
from explorer.text import _
from explorer.ui import page
from explorer.ui import positions_pictures as show
from explorer.ui.bounded import bounded
from explorer.ui.picks import fresh_pick
from explorer.ui.positions_training import training
from explorer.ui.sentence_input import sentence_input
from explorer.ui.steps import show_steps

BASES = (10, 100, 1000, 10_000, 100_000)
ROLES = {
    "position": "input",
    "encoding": "input",
    "rotations": "weight",
    **dict.fromkeys("even angle sin cos upper lower".split(), "hidden"),
    **dict.fromkeys("pairs turned shifted".split(), "output"),
}

page.header(
    _("Positional encoding"),
    _("Attention takes the words as a set: it does not know which comes first. So each position gets a vector of its own, "
      "added to the word's. Vaswani and colleagues made it of waves, fast ones on the left and slow ones on the right. "
      "In the formula, d is the width of the vectors, d_model."),
    show.formula(),
    more="positions",
)  # fmt: skip

controls, picture = page.play()
with controls:
    length = bounded(_("Positions"), range(16, 129, 8), 48, key="pos_length")
    d_model = bounded(_("Dimensions d_model"), range(4, 129, 4), 128, key="pos_width")
    base = bounded(_("Base"), BASES, 10_000, key="pos_base",
                   help=_("How slow the slowest wave is. Vaswani and colleagues took 10000."))  # fmt: skip
    with st.expander(_("More")):
        picked = fresh_pick("pos_heatmap")
        if picked is not None:
            st.session_state["pos_dimension"], st.session_state["pos_at"] = picked.column, min(picked.row, length - 2)
        dimension = bounded(_("Dimension"), range(d_model), 16, key="pos_dimension")
        position = bounded(_("Position"), range(length - 1), 10, key="pos_at")
        keep_in_address({"pos_dimension": str(dimension), "pos_at": str(position)}, key="pos_address")
encoding, periods = encode(length, d_model, base), wavelengths(d_model, base)
with picture:
    maps([show.heatmap(encoding, dimension, periods)], key="pos_heatmap", columns=1, height=380, pick=True)
    drawn = wave(length, d_model, base, dimension)
    text = show.wave_text(drawn, d_model, base, dimension)
    figure = plots.wave(drawn.positions, drawn.values, encoding[:, dimension], position, drawn.name, page.theme())
    page.chart(figure, key="pos_wave", alt=text.replace("$", ""))
    st.markdown(text)

st.subheader(_("How alike are two positions?"), anchor=False)
controls, picture = page.play()
with controls:
    st.markdown(_("Attention compares vectors by their dot product. Two positions give the same number wherever they "
                  "stand, as long as they are equally far apart. Set the base to 10: which far ones look alike?"))  # fmt: skip
    offset = bounded(_("Offset k"), range(1, length - position), 5, key="pos_offset")
dots, apart = dot_products(encoding), distances(encoding)
with picture:
    maps(show.alike_maps(dots, apart, position), key="pos_alike", columns=2, height=300)
    finding = show.offset_finding(dots, apart)
    page.chart(plots.by_offset(dots.mean, apart.mean, offset, page.theme()), key="pos_by_offset", alt=finding)
    st.caption(finding)

st.subheader(_("A shift is a rotation"), anchor=False)
controls, picture = page.play()
pair = dimension // 2
turn = shift(length, d_model, base, pair, position, offset)
with controls:
    st.markdown(_("A sine and its cosine are a point on a circle. Moving on by k positions turns the point by a fixed angle, "
                  "wherever it starts. So one matrix, $R(k)$, leads from each position to the one k further on, and a layer "
                  "can learn to look k words back. Dimension, position and offset are those chosen above."))  # fmt: skip
left, right = picture.columns([2, 3], gap="medium", vertical_alignment="center")
with left:
    names = f"PE({position})", f"PE({position + offset})"
    told = _("{a} turns into {b}.").format(a=names[0], b=names[1])
    page.chart(plots.circle(turn.before, turn.after, turn.angle, names, page.theme()), key="pos_circle", alt=told)
with right:
    st.markdown(show.rotation_text(turn, pair, position, offset, periods[pair]))
    st.caption(_("The vector holds the sine above the cosine, so $R(k)$ has cos on its diagonal and sin, −sin beside it. The "
                 "drawing has the cosine to the right and the sine upwards; the dotted line is the turn."))  # fmt: skip

st.subheader(_("What attention sees"), anchor=False)
controls, picture = page.play()
with controls:
    typed = sentence_input("the cat saw the dog and the dog saw the bird", key="pos_sentence", most=16, least=2)
    seed = bounded(_("Seed of the random vectors and weights"), range(10), 0, key="pos_seed")
    st.markdown(_("One head of self-attention. **The words' vectors and its weights are random**, so whom it looks at means "
                  "nothing. That equal words look alike does: without positions they must."))  # fmt: skip
without, added = see(typed.labels, d_model, base, seed)
with picture:
    maps(show.seen_maps(typed.labels, without, added), key="pos_seen", columns=2, height=380)
    st.caption(_("From each word, its row, to each word, its column; each row sums to 1."))
    st.markdown(show.seen_text(typed.labels, without, added))

page.step_through()
codes = {"encoding": _("The encoding"), "shift": _("The rotation")}
code = st.segmented_control(_("Code"), list(codes), default="encoding", required=True, format_func=codes.__getitem__,
                            key="pos_code", bind="query-params")  # fmt: skip
steps, kept = stepped(length, d_model, base, offset if code == "shift" else None)
if kept < length:
    st.caption(_("Here the first {n} positions.").format(n=kept))
show_steps(steps, key=f"pos_stepper_{code}", roles=ROLES, start=steps["turned" if code == "shift" else "angle"].index)

page.at_scale(_("Does a model need this? Three small models, alike but for their positions, learn to name the word that "
                "stands before each word. One has no positions, one learns a vector for each, one gets the sinusoids. Train "
                "them: it takes a few seconds. Then look at words beyond the length of the training sentences."))  # fmt: skip
training()

page.code(
    f"""
from explorer.models.positions import shift_positions, sinusoid_positions

encoding = sinusoid_positions({length}, {d_model}, {base})
dot_products = encoding @ encoding.T
shifted = shift_positions(encoding[:-{offset}], {offset}, {base})
assert (shifted - encoding[{offset}:]).abs().max() < 1e-4
result = encoding.numpy()
""",
    encoding,
)
page.sources(
    [
        ("Vaswani et al. 2017: Attention is all you need, section 3.5", "https://arxiv.org/abs/1706.03762"),
        ("Gehring et al. 2017: Convolutional sequence to sequence learning, with learned positions",
         "https://arxiv.org/abs/1705.03122"),
        ("Shaw, Uszkoreit & Vaswani 2018: Self-attention with relative position representations",
         "https://arxiv.org/abs/1803.02155"),
        ("Su et al. 2021: RoFormer, rotary position embedding (RoPE)", "https://arxiv.org/abs/2104.09864"),
    ]
)  # fmt: skip
