"""Image classification: a photo through ResNet, and where it looked."""

import numpy as np
import streamlit as st
import torch

from explorer.components.maps import Map, maps
from explorer.explain import Look, enlarge, grad_cam, mosaic, overlay
from explorer.images import fit
from explorer.models.resnet import ResNet
from explorer.plots.bars import probabilities
from explorer.text import _
from explorer.trace import Trace, trace
from explorer.ui import page
from explorer.ui.models import choose_classifier
from explorer.ui.photo_input import photo_input, photo_source
from explorer.ui.steps import show_steps
from pretrained.catalog import published
from pretrained.classification import Classifier, Prediction, classify, preprocess

SHOWN = 520  # longer side of the photo on the page, pixels
CHANNELS = 12  # feature maps shown
ROLES = {
    "x": "input",
    "out": "hidden",
    "shortcut": "input",
    "conv1": "weight",
    "conv2": "weight",
    "conv3": "weight",
    "bn1": "weight",
    "bn2": "weight",
    "bn3": "weight",
    "downsample": "weight",
    "fc": "weight",
}


@st.cache_data(max_entries=16, show_spinner=False)
def look_at(
    key: str, digest: str, layer: str, target: int | None, _classifier: Classifier, _pixels: np.ndarray
) -> Look:
    """One pass of the photo, kept: thresholds and pictures never run the network again."""
    return grad_cam(_classifier.module, preprocess(_classifier, _pixels), layer, target)


@st.cache_data(max_entries=16, show_spinner=False)
def answer(key: str, digest: str, _classifier: Classifier, _pixels: np.ndarray) -> Prediction:
    """The classifier's answer to the photo, kept."""
    return classify(_classifier, _pixels)


@st.cache_resource(max_entries=6, show_spinner=False)
def steps_of(key: str, digest: str, part: str, _network: ResNet, _x: np.ndarray) -> Trace:
    """The steps of one part of the network on this photo, kept."""
    return trace(_network.logits if part == "head" else _network.get_submodule(part), torch.from_numpy(_x)[None])


page.header(
    _("Image classification"),
    _(
        "A residual network turns a photo into one score for each class it knows. Block after block it adds a change to what "
        "came in. Give it a photo, read its answer, and see where on the photo the evidence lay."
    ),
    rf"{page.tex('output', 'block')}({page.tex('input', 'x')}) = \text{{relu}}\big({page.tex('weight', 'F')}"
    rf"({page.tex('input', 'x')}) + {page.tex('input', 'x')}\big) \qquad "
    rf"p_c = \frac{{e^{{z_c}}}}{{\sum_k e^{{z_k}}}}",
    more="classification",
)

controls, picture = page.play()
with controls:
    photo = photo_input("coco_pizza.jpg")
    classifier = choose_classifier()
    network = classifier.module
    key = classifier.model.key
    prediction = answer(key, photo.digest, classifier, photo.pixels)
    blocks = network.blocks()
    with st.expander(_("More")):
        target = st.selectbox(
            _("Class to explain"),
            [None, *classifier.labels],
            format_func=lambda label: label or _("the best answer"),
            key="target",
            help=_("Ask for a class that is not there, too: what speaks for it?"),
        )
        layer = st.select_slider(_("Block"), blocks, blocks[-1], key="block", bind="query-params")
        strength = st.slider(_("How dark the rest gets"), 0.0, 1.0, 0.7, 0.05, key="dim", bind="query-params")

wanted = None if target is None else classifier.labels.index(target)
look = look_at(key, photo.digest, layer, wanted, classifier, photo.pixels)
pixels = fit(photo.pixels, SHOWN)
scale = pixels.shape[1] / photo.pixels.shape[1]
left, top, right, bottom = (round(edge * scale) for edge in prediction.box)
heat = np.zeros(pixels.shape[:2], np.float32)
heat_box = heat[max(top, 0) : bottom, max(left, 0) : right]
heat_box[:] = enlarge(look.cam, heat_box.shape[1], heat_box.shape[0])
whole = prediction.box == (0.0, 0.0, float(photo.pixels.shape[1]), float(photo.pixels.shape[0]))
name = classifier.labels[look.target]

with picture:
    side = classifier.model.input_size
    seen = (
        _("The network sees the whole photo, squeezed to {side} × {side} pixels.")
        if whole
        else _("The network sees what is inside the frame, {side} × {side} pixels; the rest is cut off.")
    ).format(side=side)
    maps(
        [
            Map(pixels, _("Your photo"), seen, role="input",
                frame=None if whole else (left, top, right - left, bottom - top)),
            Map(overlay(pixels, heat, strength), _("What speaks for “{name}”").format(name=name),
                _("Grad-CAM at {layer}: bright where that block held evidence for the class.").format(layer=layer),
                role="gradient"),
        ],
        key="class_maps",
        height=380,
    )  # fmt: skip
    page.chart(
        probabilities(
            prediction.labels, prediction.probabilities, page.theme(),
            next((i for i, c in enumerate(prediction.classes) if c == look.target), None),
        ),
        key="top5",
        alt=_("The best answer is {label} at {p:.0%}.").format(label=prediction.labels[0], p=prediction.probabilities[0]),
    )  # fmt: skip
    st.caption(
        _(
            "Probabilities over the {n} classes this model knows. It answers with one of them, whatever you show it."
        ).format(n=len(classifier.labels))
    )

page.section(
    _("Inside"), _("Move *Block* under “More”: the maps get smaller, and what they answer to gets harder to name.")
)
kernels, features = st.columns([4, 11], gap="medium")
with kernels:
    weight = network.conv1.weight.detach().numpy()
    maps(
        [Map(mosaic(weight), _("First-layer kernels"),
             _("{n} kernels of 7 × 7 over red, green and blue; grey means 0.").format(n=len(weight)), role="weight")],
        key="first_kernels", columns=1, height=300,
    )  # fmt: skip
with features:
    block_maps = look.maps[layer]
    strongest = np.argsort(-np.abs(look.weights) * block_maps.mean(axis=(1, 2)), kind="stable")[:CHANNELS]
    st.markdown(
        _("**{layer}**: {c} maps of {h} × {w}. These {n} count most for “{name}”.").format(
            layer=layer,
            c=block_maps.shape[0],
            h=block_maps.shape[1],
            w=block_maps.shape[2],
            n=len(strongest),
            name=name,
        )
    )
    maps(
        [Map(block_maps[c], _("channel {c}").format(c=c), share="block", role="hidden") for c in strongest],
        key="feature_maps", columns=6, height=130, size="small",
    )  # fmt: skip

page.step_through(
    _(
        "Choose a part and step through it with the real weights and your photo. In a block, look for the line that adds x."
    )
)
parts = {"head": _("Pooling and the linear layer")} | {block: block for block in blocks[1:]}
part = st.selectbox(_("Part"), list(parts), index=list(parts).index("layer1.0"),
                    format_func=parts.__getitem__, key="part", bind="query-params", width=320)  # fmt: skip
into = look.maps[blocks[-1] if part == "head" else blocks[blocks.index(part) - 1]]
steps = steps_of(key, photo.digest, part, network, into)
start = steps.first("add") if part != "head" else steps.first("linear")
show_steps(steps, key="resnet_stepper", roles=ROLES, start=start)

card = classifier.model
page.section(_("About this model"))
facts = published(card)
st.markdown(
    _("**{name}**: {parameters} million parameters, trained on {data}. On {measured_on} its best answer is right "
      "for {top1:.1%}, one of its best five for {top5:.1%}. Licence: {licence}.").format(
        name=card.name, parameters=f"{facts.parameters / 1e6:.1f}", data=card.data, measured_on=facts.measured_on,
        top1=facts.top1, top5=facts.top5, licence=card.licence,
    )
)  # fmt: skip
page.code(
    f"""
from pretrained.catalog import published
from pretrained.classification import classify, load_classifier
{photo_source(photo)}
classifier = load_classifier("{card.key}")
prediction = classify(classifier, photo.pixels)
for label, probability in zip(prediction.labels, prediction.probabilities):
    print(f"{{probability:6.1%}} {{label}}")
result = prediction.probabilities
""",
    prediction.probabilities,
)
page.sources(
    [
        ("He et al. 2016: Deep Residual Learning for Image Recognition", "https://arxiv.org/abs/1512.03385"),
        ("Selvaraju et al. 2017: Grad-CAM", "https://arxiv.org/abs/1610.02391"),
        ("torchvision: ResNet", "https://docs.pytorch.org/vision/stable/models/resnet.html"),
    ]
)
