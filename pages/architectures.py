"""Architectures: networks that made history side by side, what they cost, inception and residual blocks."""

import streamlit as st
from torch import Tensor

from explorer.architecture_blocks import BLOCKS, Kind, inception_maps, trace_block
from explorer.architectures import NETWORKS, outline
from explorer.components.maps import maps
from explorer.models.googlenet import INCEPTIONS
from explorer.models.plain import DEPTHS
from explorer.plots.architectures import accuracy_against_cost, layer_gradients
from explorer.residual_gradients import VIEWS, GradientNorms, gradient_norms, views
from explorer.text import _
from explorer.trace import Trace
from explorer.ui import architectures_pictures as show
from explorer.ui import architectures_run as run
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.photo_input import photo_input, photo_source
from explorer.ui.steps import show_steps
from pretrained.catalog import get, published
from pretrained.library import library_models
from pretrained.records import ImageClassifier, Published

FIRST = ["alexnet", "vgg16", "googlenet", "resnet18"]
ROLES = {
    **dict.fromkeys("x shortcut".split(), "input"),
    **dict.fromkeys("conv1 conv2 conv bn bn1 bn2 branch1 branch2 branch3 branch4".split(), "weight"),
    **dict.fromkeys("out one three five pooled".split(), "hidden"),
}


@st.cache_data(show_spinner=False)
def all_published() -> tuple[dict[str, Published], dict[str, Published]]:
    """What torchvision publishes: of NETWORKS, by record; of all others it has, by name."""
    chosen = {one.record: published(get(one.record, ImageClassifier)) for one in NETWORKS.values()}
    return chosen, {model.name: published(model) for model in library_models()}


@st.cache_data(show_spinner=False, max_entries=32)
def norms_of(digest: str, depth: int, shortcut: bool, normalised: bool, _pieces: Tensor) -> GradientNorms:
    """The gradients of one untrained network on this photo, kept."""
    return gradient_norms(depth, shortcut, normalised, _pieces)


@st.cache_resource(show_spinner=False, max_entries=8)
def steps_of(digest: str, kind: Kind, piece: int, _pieces: Tensor) -> Trace:
    """The steps of one block on a piece of this photo, kept."""
    return trace_block(kind, _pieces[piece : piece + 1])


page.header(
    _("Architectures"),
    _("From AlexNet to Transformers, networks became deeper, and cheaper for what they can do. Here they stand side by side: "
      "each row is a size of map, and what happens there. Every number is counted by running their code, or measured on your "
      "computer."),
    rf"\text{{multiply–adds}} = {page.tex('output', 'H')} \cdot {page.tex('output', 'W')} \cdot "
    rf"{page.tex('output', 'C')}_\text{{out}} \cdot {page.tex('weight', 'k')}^2 \cdot "
    rf"{page.tex('input', 'C')}_\text{{in}}",
    more="architectures",
)  # fmt: skip

chosen = st.multiselect(_("Networks"), list(NETWORKS), default=FIRST, key="arch_networks", bind="query-params",
                        format_func=lambda key: NETWORKS[key].name, max_selections=5)  # fmt: skip
if not chosen:
    st.caption(_("Choose a network; until then you see AlexNet."))
names = {"macs": _("Multiply–adds"), "parameters": _("Parameters")}
by = st.segmented_control(_("Bars show"), list(names), default="macs", required=True, format_func=names.__getitem__,
                          key="arch_by", bind="query-params")  # fmt: skip
with st.spinner(_("Counting …"), show_time=True):
    outlines = [outline(key) for key in chosen or FIRST[:1]]
st.html(show.aligned_html(outlines, by))
st.caption(show.aligned_finding(outlines, by))

page.section(
    _("Accuracy and cost"), _("Depth counts the layers with weights on the longest way from the photo to the answer.")
)
with st.spinner(_("Reading what torchvision publishes …"), show_time=True):
    known, others = all_published()
keys = chosen or FIRST[:1]
controls, picture = page.play()
with controls:
    costs = {"macs": _("Multiply–adds"), "parameters": _("Parameters"), "time": _("Time on this computer")}
    cost = st.segmented_control(_("Cost"), list(costs), default="macs", required=True, format_func=costs.__getitem__,
                                key="arch_cost", bind="query-params", wrap=True)  # fmt: skip
    run.buttons(keys)
    st.caption(_("Accuracies are those that torchvision publishes for its weights; the weights that are measured here are "
                 "random, which changes neither time nor memory. Memory is the weights and the most that one photo needs "
                 "beside them."))  # fmt: skip
measured = run.costs()
with picture:
    st.markdown(show.costs_table(outlines, known, {NETWORKS[key].name: one for key, one in measured.items()}))
    titles = {"macs": _("Billion multiply–adds for one photo"), "parameters": _("Million parameters"),
              "time": _("Milliseconds for one photo, here")}  # fmt: skip
    placed, rest = show.placed(
        outlines, known, others, {NETWORKS[key].name: one for key, one in measured.items()}, cost
    )
    finding = show.cheapest(placed)
    page.chart(accuracy_against_cost(placed, rest, titles[cost], page.theme()), key="arch_scatter", alt=finding)
    st.caption(finding)

page.section(_("Inception: four looks at the same map"))
controls, picture = page.play()
with controls:
    photo = photo_input("coco_pizza.jpg")
    pieces = views(photo.pixels)
    block = st.segmented_control(_("Block"), list(INCEPTIONS), default="3a", required=True, key="arch_inception",
                                 bind="query-params", wrap=True)  # fmt: skip
    config = INCEPTIONS[block]
    piece = bounded(_("Piece of your photo"), range(1, VIEWS + 1), 1, key="arch_piece") - 1
    st.markdown(show.inception_text(config))
with picture:
    looks = inception_maps(pieces[piece : piece + 1])
    maps(show.inception_pictures(looks, config), key="arch_branches", columns=4, height=220, size="small")
    st.caption(_("One channel of each branch on a piece of your photo, 32 × 32 pixels, with random weights: what matters "
                 "here is how far each branch looks. 1 × 1 convolutions first make the wide ones affordable."))  # fmt: skip

page.section(_("Residual or plain"))
controls, picture = page.play()
with controls:
    depth = bounded(_("Layers"), DEPTHS, 44, key="arch_depth")
    normalised = st.toggle(_("Batch normalisation"), True, key="arch_norm", bind="query-params")
with picture:
    curves = {
        name: norms_of(photo.digest, depth, shortcut, normalised, pieces)
        for name, shortcut in ((_("With shortcuts"), True), (_("Plain"), False))
    }
    finding = show.gradient_finding({name: one.ratio for name, one in curves.items()})
    figure = layer_gradients({name: one.norms for name, one in curves.items()}, page.theme())
    page.chart(figure, key="arch_gradients", alt=finding)
    st.caption(finding + " " + _("Measured just now: one pass of 16 pieces of your photo forwards and backwards through "
                                 "untrained networks for 32 × 32 pixels (He et al. 2016), which differ in nothing but the "
                                 "shortcuts."))  # fmt: skip

page.step_through(
    _(
        "On the piece of your photo that you chose above. Compare a residual block with a plain one: find the line that adds x."
    )
)
kinds = {"residual": _("Residual block"), "plain": _("Plain block"), "inception": _("Inception block")}
kind = st.segmented_control(_("Block to step through"), list(kinds), default="residual", required=True,
                            format_func=kinds.__getitem__, key="arch_code", bind="query-params")  # fmt: skip
steps = steps_of(photo.digest, kind, piece, pieces)
show_steps(steps, key=f"arch_steps_{kind}", roles=ROLES, start=steps.first(BLOCKS[kind]))

page.code(
    f"""
from explorer.residual_gradients import gradient_norms, views
{photo_source(photo)}
result = gradient_norms({depth}, shortcut=True, normalised={normalised}, x=views(photo.pixels)).norms
print(result)
""",
    curves[_("With shortcuts")].norms,
)
page.sources(
    [
        ("Krizhevsky, Sutskever & Hinton 2012: ImageNet Classification with Deep Convolutional Neural Networks",
         "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks"),
        ("Simonyan & Zisserman 2015: Very Deep Convolutional Networks (VGG)", "https://arxiv.org/abs/1409.1556"),
        ("Szegedy et al. 2015: Going Deeper with Convolutions (GoogLeNet)", "https://arxiv.org/abs/1409.4842"),
        ("He et al. 2016: Deep Residual Learning for Image Recognition", "https://arxiv.org/abs/1512.03385"),
        ("Yang et al. 2019: A Mean Field Theory of Batch Normalization", "https://arxiv.org/abs/1902.08129"),
        ("torchvision: models and their weights", "https://docs.pytorch.org/vision/stable/models.html"),
    ]
)  # fmt: skip
run.go_on(keys)
