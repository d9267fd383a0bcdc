"""Vision Transformer: a photo as a sequence of patches, and where its tokens look."""

import streamlit as st
from torch import Tensor

from explorer.models.vit import VisionTransformer
from explorer.patches import on_patches
from explorer.text import _
from explorer.trace import Trace
from explorer.ui import page
from explorer.ui import vit_controls as choose
from explorer.ui import vit_measure as measure
from explorer.ui import vit_pictures as show
from explorer.ui import vit_sections as sections
from explorer.ui.models import about_model, choose_classifier
from explorer.ui.photo_input import photo_input, photo_source
from explorer.ui.steps import show_steps
from explorer.vit_reading import Reading, steps

ROLES = {
    **dict.fromkeys("x patches vectors band".split(), "input"),
    **dict.fromkeys("conv_proj weight bias w_query w_key w_value b_query b_key b_value".split(), "weight"),
    **dict.fromkeys("query q".split(), "query"),
    **dict.fromkeys("key k".split(), "key"),
    **dict.fromkeys("value v".split(), "value"),
    **dict.fromkeys("extra scores weights heads joined normed asking hidden attended".split(), "hidden"),
    **dict.fromkeys("tokens maps output by_class by_teacher".split(), "output"),
    "difference": "gradient",
}


@st.cache_resource(max_entries=6, show_spinner=False)
def steps_of(
    key: str, digest: str, part: str, layer: int, query: int, row: int, _network: VisionTransformer, _x: Tensor,
    _reading: Reading,
) -> Trace:  # fmt: skip
    """The steps of one part of the network on this photo, kept."""
    return steps(_network, _x, _reading, part, layer, query, row)


page.header(
    _("Vision Transformer"),
    _("Cut a photo into patches, make each patch a token, and a Transformer reads the photo as it reads a sentence. Nothing in "
      "it knows what is near and what is far: it has to learn that. Follow one photo through a trained network, and look from "
      "any of its patches."),
    show.formula(distilled=False),
    more="vit",
)  # fmt: skip

controls, picture = page.play()
with controls:
    photo = photo_input("coco_pizza.jpg")
    classifier = choose_classifier(("Vision Transformer",), key="vit_model")
    network, card = classifier.module, classifier.model
    visible, more = st.container(), st.expander(_("More"))
cut = choose.choose_cut(visible, more)
given = sections.given_of(card.key, photo.digest, classifier, photo.pixels)
reading = sections.reading_of(card.key, photo.digest, network, given.x)
choose.follow_clicks(reading, given.patch)
with more:
    place = choose.choose_patch(reading)
between = st.container()
# First in time, though not on the page: it answers most of the controls.
layer, head, query, row = sections.attention(card.key, photo.digest, reading, place, photo.pixels, given.box)
choose.remember(reading)
with picture:
    sections.patches(card.key, photo.digest, card.name, network, given, place, photo.pixels, cut)
with between:
    sections.projection(card.key, network, given, reading, place)
    sections.extra_tokens(card.key, photo.digest, reading)
    sections.positions(card.key, network, reading, place)
sections.roll_out(card.key, photo.digest, network, given, reading, query, photo.pixels, classifier.labels)

page.step_through(
    _("The real network on your photo. In a layer, the extra tokens and the patch that you look from ask all tokens.")
)
parts = {
    "patches": _("Patches to tokens"),
    "row": _("A row of patches"),
    "block": _("A layer"),
    "head": _("The answer"),
}
part = st.segmented_control(_("Part"), list(parts), default="patches", required=True, format_func=parts.__getitem__,
                            key="vit_part", bind="query-params", wrap=True)  # fmt: skip
wanted = (layer, query.token) if part == "block" else (0, 0)
taken = steps_of(card.key, photo.digest, part, *wanted, place[0] if part == "row" else 0, network, given.x, reading)
askers = {"rows": choose.asking_names(reading, query)}
start = {"patches": "conv2d", "row": "linear", "block": "softmax", "head": "linear"}[part]
show_steps(taken, key=f"vit_stepper_{part}", roles=ROLES, start=taken.first(start),
           labels={"scores": askers, "weights": askers})  # fmt: skip

measure.at_scale(card.key, network)

about_model(card)
page.code(
    f"""
import torch
from explorer.patches import on_patches
from pretrained.classification import load_classifier, preprocess
{photo_source(photo)}
classifier = load_classifier("{card.key}")
with torch.inference_mode():
    output = classifier.module.read(preprocess(classifier, photo.pixels))
weights = output.attention[{layer}][0]  # layer {layer + 1}: (heads, tokens, tokens), rows sum to 1
row = {f"weights[:, {query.token}].mean(0)" if head is None else f"weights[{head}, {query.token}]"}
result = on_patches(row.numpy(), {reading.grid})  # without the extra tokens
""",
    on_patches(row, reading.grid),
)
page.sources(
    [
        ("Dosovitskiy et al. 2021: An image is worth 16x16 words", "https://arxiv.org/abs/2010.11929"),
        ("Touvron et al. 2021: Training data-efficient image transformers and distillation through attention (DeiT)",
         "https://arxiv.org/abs/2012.12877"),
        ("Abnar & Zuidema 2020: Quantifying attention flow in Transformers", "https://arxiv.org/abs/2005.00928"),
        ("Jain & Wallace 2019: Attention is not explanation", "https://arxiv.org/abs/1902.10186"),
        ("torchvision: VisionTransformer", "https://docs.pytorch.org/vision/stable/models/vision_transformer.html"),
    ]
)  # fmt: skip
measure.go_on(card.key, network)
