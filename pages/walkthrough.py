"""CNN walk-through: a photo through a network layer by layer, down to the window behind one number."""

import numpy as np
import streamlit as st

from explorer.components.layer_strip import layer_strip
from explorer.components.maps import maps
from explorer.images import fit
from explorer.layer_cells import cell_at, strongest_channels
from explorer.layer_outputs import Walk, walk
from explorer.layer_views import as_pixels, kernel_slices, on_photo, stages
from explorer.plots.bars import probabilities
from explorer.plots.curves import shift_correlation
from explorer.shift_test import ShiftTest, shift_test
from explorer.text import _
from explorer.ui import page
from explorer.ui import walkthrough_controls as choose
from explorer.ui import walkthrough_facts as say
from explorer.ui import walkthrough_pictures as show
from explorer.ui.bounded import bounded
from explorer.ui.models import choose_classifier
from explorer.ui.photo_input import photo_input, photo_source
from explorer.ui.steps import show_steps
from explorer.units import three
from pretrained.classification import Classifier, Prediction, classify, preprocess, seen

FAMILIES = ("ResNet", "GoogLeNet", "AlexNet", "VGG")
SHOWN = 420  # longer side of the photo on the page, pixels
ACROSS, TOGETHER = 6, 12  # small maps in a row, and at a time
SLICES = 3  # of a kernel
MOST_SHIFT = 32
ROLES = {
    **dict.fromkeys("x window branches shortcut".split(), "input"),
    **dict.fromkeys("kernel weight bias norm.scale norm.shift norm.mean norm.variance".split(), "weight"),
    **dict.fromkeys("products centred deviation normalised scaled stacked".split(), "hidden"),
    "cell": "output",
}


@st.cache_resource(max_entries=3, show_spinner=False)
def walk_of(key: str, digest: str, _classifier: Classifier, _pixels: np.ndarray) -> Walk:
    """What every layer gives for this photo, kept; few, for a large network's maps fill 100 MB and more."""
    return walk(_classifier.module, preprocess(_classifier, _pixels))


@st.cache_data(max_entries=16, show_spinner=False)
def answer(key: str, digest: str, _classifier: Classifier, _pixels: np.ndarray) -> Prediction:
    """The classifier's answer to the photo, kept."""
    return classify(_classifier, _pixels)


@st.cache_data(max_entries=64, show_spinner=False)
def shift_of(key: str, digest: str, pixels: int, _classifier: Classifier, _walked: Walk) -> ShiftTest:
    """What moving the photo changes, kept."""
    return shift_test(_classifier.module, _walked, pixels)


page.header(
    _("CNN walk-through"),
    _("Your photo goes through a network, layer by layer. Each number in a map is computed from a small window of the layer "
      "before, and sees only a part of the photo. Click on any cell: you see that part, and the arithmetic behind the number."),
    rf"\begin{{aligned}} {page.tex('output', 'cell')} &= \sum_{{c, i, j}} {page.tex('input', 'window')}_{{cij}} \cdot "
    rf"{page.tex('weight', 'kernel')}_{{cij}} + {page.tex('weight', 'bias')} \\ "
    r"r_l &= r_{l-1} + (k_l - 1)\, j_{l-1}, \quad j_l = j_{l-1}\, s_l \end{aligned}",
    more="walkthrough",
)  # fmt: skip

strip = st.container()
controls, picture = page.play()
with controls:
    photo = photo_input("coco_pizza.jpg")
    classifier = choose_classifier(FAMILIES, key="walk_model")
    card = classifier.model
    with st.spinner(_("Following your photo through {name} …").format(name=card.name), show_time=True):
        walked = walk_of(card.key, photo.digest, classifier, photo.pixels)
    layer = choose.choose_layer(walked)
    more = st.expander(_("More"))

pixels = fit(photo.pixels, SHOWN)
scale = pixels.shape[1] / photo.pixels.shape[1]
box = seen(card, *photo.pixels.shape[:2])
side = (walked.x.shape[1], walked.x.shape[2])
place = choose.choose_place(walked, layer, (card.key, photo.digest), (box, scale), more)
cell = cell_at(walked, layer.name, place)

with picture:
    given = as_pixels(walked.x, card.mean, card.std)
    told = _("The frame is what the chosen cell sees. Click to look elsewhere.")
    large = show.large_maps(pixels, on_photo(cell.field, box, side, scale), given, layer, cell, told)
    maps(large, key=choose.PICTURES, columns=3, height=270, pick=True)
    st.markdown(say.cell_text(layer, cell, side))
    order = strongest_channels(layer)
    pages = -(-len(order) // TOGETHER) if layer.is_map else 1
    part = bounded(_("Maps, {n} at a time").format(n=TOGETHER), range(1, pages + 1), 1, key="walk_part",
                   disabled=not layer.is_map, help=_("Those first that vary most on your photo."))  # fmt: skip
    shown = order[TOGETHER * (part - 1) : TOGETHER * part] if layer.is_map else []
    st.session_state[choose.SHOWN] = shown
    if shown:
        maps(show.gallery(layer, shown, cell), key=choose.GALLERY, columns=ACROSS, height=120, pick=True, size="small")
    elif layer.op == "linear" and layer.output.shape == walked.logits.shape:
        prediction = answer(card.key, photo.digest, classifier, photo.pixels)
        marked = next((i for i, c in enumerate(prediction.classes) if c == place[0]), None)
        best = _("The best answer is {label} at {p:.0%}.").format(
            label=prediction.labels[0], p=prediction.probabilities[0]
        )
        page.chart(
            probabilities(prediction.labels, prediction.probabilities, page.theme(), marked), key="walk_top5", alt=best
        )
        st.caption(_("Number {n} belongs to “{label}”. Softmax turns all {all} numbers into probabilities; these are the five "
                     "largest.").format(n=place[0], label=classifier.labels[place[0]], all=len(classifier.labels)))  # fmt: skip
    st.markdown(f"{say.what_it_does(layer)}\n\n{say.facts_table(layer, walked)}")

with strip:
    layer_strip(show.columns(walked), key=choose.STRIP, selected=layer.name, bands=show.BANDS, legend=show.LEGEND,
                alt=show.strip_alt(walked, layer.name))  # fmt: skip

page.step_through(
    _("The window of the cell that you chose, with the real weights. The last number is the cell: **{value}**. Layers that go "
      "with it: {chain}.").format(value=three(cell.value), chain=" → ".join(f"`{name}`" for name in cell.chain))
)  # fmt: skip
windows = show.window_maps(walked, cell, kernel_slices(walked, cell, SLICES))
maps(windows, key="walk_windows", columns=max(len(windows), 6), height=130, size="small")
st.caption(say.window_note(walked, cell))
steps = cell.steps()
show_steps(steps, key="walk_stepper", roles=ROLES, start=steps.first("sum"), subject=f"{layer.name} {place}")

page.at_scale(_("Where do the parameters sit, and where is the work done?"))
found = stages(walked)
st.markdown(f"{say.shares_text(found, walked)}\n\n{say.shares_table(found)}")
st.subheader(_("A small shift"), anchor=False)
controls, picture = page.play()
with controls:
    st.markdown(_("Move the photo to the right. Do the maps move along? Try 4 pixels, then 6."))
    shift = bounded(_("Shift, pixels"), range(MOST_SHIFT + 1), 8, key="walk_shift")
with st.spinner(_("Showing the moved photo to {name} …").format(name=card.name), show_time=True):
    test = shift_of(card.key, photo.digest, shift, classifier, walked)
with controls:
    st.markdown(say.shift_hint(test, shift))
with picture:
    finding = say.shift_finding(test, shift, classifier.labels)
    curves = {_("Moved along"): test.along, _("In place"): test.still}
    page.chart(shift_correlation(test.blocks, curves, page.theme()), key="walk_shift_curve", alt=finding)
    st.caption(finding + " " + _("Correlation of the maps before and after: of the same numbers it is 1. What comes in on the "
                                 "left repeats the photo’s edge."))  # fmt: skip

page.code(
    f"""
from explorer.layer_cells import cell_at
from explorer.layer_outputs import walk
from pretrained.classification import load_classifier, preprocess
{photo_source(photo)}
classifier = load_classifier("{card.key}")
walked = walk(classifier.module, preprocess(classifier, photo.pixels))
cell = cell_at(walked, "{layer.name}", {place})  # channel, row, column
result = cell.compute()  # from its window, by explorer.models.cells
print(result.item(), "in the map:", cell.value)
""",
    cell.value,
)
page.sources(
    [
        ("LeCun, Bottou, Bengio & Haffner 1998: Gradient-based learning applied to document recognition",
         "https://doi.org/10.1109/5.726791"),
        ("Krizhevsky, Sutskever & Hinton 2012: ImageNet Classification with Deep Convolutional Neural Networks",
         "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks"),
        ("Araujo, Norris & Sim 2019: Computing receptive fields of convolutional neural networks",
         "https://distill.pub/2019/computing-receptive-fields/"),
        ("Luo et al. 2016: Understanding the effective receptive field", "https://arxiv.org/abs/1701.04128"),
        ("Zhang 2019: Making convolutional networks shift-invariant again", "https://arxiv.org/abs/1904.11486"),
        ("torchvision: models and their weights", "https://docs.pytorch.org/vision/stable/models.html"),
    ]
)  # fmt: skip
