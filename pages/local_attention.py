"""Attention in images: Swin's windows, a Transformer held to windows, a convolutional network with an attention block."""

import numpy as np
import streamlit as st

from explorer.components.maps import maps
from explorer.local_attention import trace_windows
from explorer.map_attention import Block
from explorer.plots.local_attention import cost
from explorer.text import _
from explorer.trace import Trace
from explorer.ui import local_blocks, page
from explorer.ui import local_windows as show
from explorer.ui.bounded import bounded
from explorer.ui.local_heads import choose_cell, heads_section
from explorer.ui.photo_input import photo_input
from explorer.ui.steps import show_steps
from explorer.window_pictures import square
from explorer.windows import stages

SIZES = tuple(56 * n for n in (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64))  # pixels
ROLES = {
    **dict.fromkeys("x cells windows qkv".split(), "input"),
    **dict.fromkeys("scores weights hidden squeezed joined".split(), "hidden"),
    **dict.fromkeys("mask gates regions rows columns".split(), "mask"),
    **dict.fromkeys("out mixed attended back heads".split(), "output"),
    "query": "query",
    "q": "query",
    "key": "key",
    "k": "key",
    "value": "value",
    "v": "value",
    **dict.fromkeys("qkv proj fc1 fc2 w_query w_key w_value out_proj".split(), "weight"),
}


@st.cache_resource(max_entries=4, show_spinner=False)
def window_steps(digest: str, moved: bool, _photo: np.ndarray) -> Trace:
    """The steps of attention within windows on this photo's colours, kept."""
    return trace_windows(_photo, moved=moved)


page.header(
    _("Attention in images"),
    _("Attention compares every place of an image with every other, and an image has many. So it came to images in four ways: "
      "as a block in a convolutional network, within local windows, pixel by pixel, and over patches. Here you see the first "
      "two, on your photo."),
    show.formula(),
    more="local_attention",
)  # fmt: skip

controls, picture = page.play()
with controls:
    photo = photo_input("china_temple.jpg")
    made = stages(show.CONFIG, 224)
    names = {number: f"{one.side} × {one.side}" for number, one in enumerate(made)}
    stage = st.segmented_control(_("Patches"), list(names), default=1, required=True, format_func=names.__getitem__,
                                 key="local_stage", bind="query-params", wrap=True)  # fmt: skip
    moved = st.toggle(_("Windows moved by half"), False, key="local_moved", bind="query-params",
                      help=_("As in every second block of Swin."))  # fmt: skip
    blocks = bounded(_("Blocks in a row"), range(1, 7), 2, key="local_blocks")
    size = (made[stage].side, made[stage].side)
    with st.expander(_("More")):
        patch = choose_cell("local_maps", size, _("Row"), _("Column"))
view = square(photo.pixels)
with picture:
    maps(show.seen_maps(view, size, patch, blocks, moved=moved), key="local_maps", columns=2, height=400, pick=True)
    st.markdown(show.reach_text(size, patch))

st.subheader(_("Moving windows without more of them"), anchor=False)
controls, picture = page.play()
with controls:
    st.markdown(_("Windows moved by half would be cut off at the edges: more windows, of all sizes. Rolling the map makes "
                  "whole ones of the pieces. A mask keeps patches apart that only met by the roll."))  # fmt: skip
    window = bounded(_("Window"), range(1, made[stage].windows + 1), made[stage].windows, key="local_number") - 1
    st.caption(show.rolling_text(made[stage]))
with picture:
    maps(show.roll_maps(view, size, window), key="local_roll", columns=4, height=230, size="small")

st.subheader(_("A map that gets smaller"), anchor=False)
st.markdown(_("After each stage, four neighbouring patches become one of twice the width, as pooling does in a convolutional "
              "network. A window of 7 × 7 patches covers twice as much of the photo each time."))  # fmt: skip
maps(show.stage_maps(view, made), key="local_stages", columns=4, height=200, size="small")
st.markdown(show.stage_table(made))
st.caption(_("For 224 × 224 pixels. The last two columns count the multiply–adds of one attention."))

st.subheader(_("What windows save"), anchor=False)
st.latex(show.cost_formulas())
controls, picture = page.play()
with controls:
    side = bounded(_("Side of the photo, pixels"), SIZES, 224, key="local_size")
    st.caption(_("h × w patches of width C, windows of M × M. Twice the side makes four times the patches: global attention "
                 "pays sixteen times for comparing them, windows four times."))  # fmt: skip
with picture:
    curves = show.cost_curves(SIZES, stage)
    finding = show.cost_finding(stages(show.CONFIG, side)[stage], stage + 1, side)
    page.chart(cost(np.array(SIZES), curves, side, page.theme()), key="local_cost", alt=finding)
    st.caption(finding)

source, result = heads_section(photo)
look = local_blocks.blocks_section(photo)

page.step_through()
codes = {"windows": _("Moved windows"), "squeeze": _("Squeeze-and-excitation"), "gaussian": _("Cells, without weights"),
         "attention": _("Cells, trained")}  # fmt: skip
code = st.segmented_control(_("Code"), list(codes), default="windows", required=True, format_func=codes.__getitem__,
                            key="local_code", bind="query-params", wrap=True)  # fmt: skip
if code == "windows":
    steps = window_steps(photo.digest, True, view)
    st.caption(_("Your photo as 4 × 4 patches of one colour each, windows of 2 × 2, moved by 1. The weight matrices are the "
                 "identity and the bias is 0, so patches look at those of like colour."))  # fmt: skip
else:
    kind: Block = code
    steps = local_blocks.block_steps(kind, photo.digest, look.maps)
    st.caption(_("On the maps of your photo above, with the real weights."))
start = steps.first("roll" if code == "windows" else "mean" if code == "squeeze" else "softmax")
show_steps(steps, key=f"local_stepper_{code}", roles=ROLES, start=start)

page.code(source, result)
page.sources(
    [
        ("Liu et al. 2021: Swin Transformer", "https://arxiv.org/abs/2103.14030"),
        ("Hu, Shen & Sun 2018: Squeeze-and-Excitation Networks", "https://arxiv.org/abs/1709.01507"),
        ("Wang et al. 2018: Non-local Neural Networks", "https://arxiv.org/abs/1711.07971"),
        ("Ramachandran et al. 2019: Stand-Alone Self-Attention in Vision Models", "https://arxiv.org/abs/1906.05909"),
        ("Dosovitskiy et al. 2021: An Image Is Worth 16x16 Words", "https://arxiv.org/abs/2010.11929"),
        ("torchvision: Swin Transformer", "https://docs.pytorch.org/vision/stable/models/swin_transformer.html"),
        ("torchvision.ops.SqueezeExcitation",
         "https://docs.pytorch.org/vision/stable/generated/torchvision.ops.SqueezeExcitation.html"),
    ]
)  # fmt: skip
