"""Image classification: a photo through any of the networks, what it answers, and where it looked."""

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.explain import overlay
from explorer.images import fit
from explorer.plots.bars import probabilities
from explorer.text import _
from explorer.ui import classification_hide as hiding
from explorer.ui import classification_methods as ways
from explorer.ui import page
from explorer.ui.classification_code import snippet
from explorer.ui.classification_inside import inside, step_through
from explorer.ui.classification_looked import where_it_looked
from explorer.ui.classification_pass import FAMILIES, answered, look_or_fall_back
from explorer.ui.classification_side import side_by_side
from explorer.ui.models import about_model, choose_classifier
from explorer.ui.photo_input import photo_input
from pretrained.classification import named

SHOWN = 520  # longer side of the photo on the page, pixels

page.header(
    _("Image classification"),
    _(
        "A network turns a photo into one score for each class it knows, and softmax turns the scores into probabilities. "
        "Give it a photo, read its answer, set other networks beside it, and see where on the photo the evidence lay."
    ),
    rf"p_c = \frac{{e^{{{page.tex('output', 'y')}_c}}}}{{\sum_k e^{{{page.tex('output', 'y')}_k}}}} \qquad "
    rf"{page.tex('gradient', 'g')} = \frac{{\partial {page.tex('output', 'y')}_c}}{{\partial {page.tex('hidden', 'A')}}}",
    more="classification",
)

controls, picture = page.play()
with controls:
    photo = photo_input("coco_pizza.jpg")
    classifier = choose_classifier(FAMILIES, others=True)
    method_box = st.container()
    with st.expander(_("More")):
        target = st.selectbox(
            _("Class to explain"),
            [None, *dict.fromkeys(classifier.labels)],
            format_func=lambda label: label or _("the best answer"),
            key="target",
            bind="query-params",
            help=_("Ask for a class that is not there, too: what speaks for it?"),
        )
        more = st.container()
        strength = st.slider(_("How dark the rest gets"), 0.0, 1.0, 0.7, 0.05, key="dim", bind="query-params")
    wanted = None if target is None else classifier.labels.index(target)
    classifier, one, found = look_or_fall_back(classifier, photo, wanted)
    layer = ""
    if one.maps:
        blocks = classifier.module.blocks()
        layer = more.select_slider(_("Block"), blocks, blocks[-1], key="block", bind="query-params")
    known = ways.names(one)
    method = method_box.selectbox(_("Method"), list(known), format_func=known.__getitem__, key="class_method",
                                  bind="query-params", help=_("How to ask the network where it looked."))  # fmt: skip
    with more:
        side, stride = hiding.controls(classifier.model)

asked = ways.Asked(classifier, one, found, photo.pixels, photo.digest)
model = classifier.model
everything = named(classifier, one.logits[0], photo.pixels, top=len(classifier.labels))
best = named(classifier, one.logits[0], photo.pixels)
name = classifier.labels[found.target]
pixels = fit(photo.pixels, SHOWN)
scale = pixels.shape[1] / photo.pixels.shape[1]
left, top, right, bottom = (round(edge * scale) for edge in best.box)
whole = best.box == (0.0, 0.0, float(photo.pixels.shape[1]), float(photo.pixels.shape[0]))

with picture:
    heat = ways.heat(method, asked, layer, side, stride)
    seen = (
        _("The network sees the whole photo, squeezed to {side} × {side} pixels.")
        if whole
        else _("The network sees what is inside the frame, {side} × {side} pixels; the rest is cut off.")
    ).format(side=model.input_size)
    if heat is None:
        shown, caption = pixels, ways.missing_text()
    else:
        shown = overlay(pixels, ways.place_on(heat.values, pixels.shape[:2], best.box, scale), strength)
        caption = ways.caption(method, layer, heat)
    maps(
        [
            Map(pixels, _("Your photo"), seen, role="input",
                frame=None if whole else (left, top, right - left, bottom - top)),
            Map(shown, _("What speaks for “{name}”").format(name=name), caption, role="gradient"),
        ],
        key="class_maps",
        height=380,
    )  # fmt: skip
    page.chart(
        probabilities(
            best.labels, best.probabilities, page.theme(),
            next((i for i, c in enumerate(best.classes) if c == found.target), None),
        ),
        key="top5",
        alt=_("The best answer is {label} at {p:.0%}.").format(label=best.labels[0], p=best.probabilities[0]),
    )  # fmt: skip
    st.caption(
        _(
            "Probabilities over the {n} classes this model knows. It answers with one of them, whatever you show it."
        ).format(n=len(classifier.labels))
    )

where_it_looked(asked, method, layer, best.box, strength)
side_by_side(photo, classifier, answered(classifier, everything))
page.section(
    _("Hide a part"),
    _("No gradient, only the question: how sure is it still, with one square hidden? Size and step are under “More”."),
)
hidden = st.container()  # filled last: it asks the network many times
inside(one, found, layer, name)
step_through(model.key, photo.digest, one)

about_model(model)
page.code(
    snippet(
        photo, model.key, method, layer, found.target if target else None, side, stride, with_heat=heat is not None
    ),
    best.probabilities if heat is None else np.append(best.probabilities, heat.values),
)
page.sources(
    [
        ("He et al. 2016: Deep Residual Learning for Image Recognition", "https://arxiv.org/abs/1512.03385"),
        ("Selvaraju et al. 2017: Grad-CAM", "https://arxiv.org/abs/1610.02391"),
        ("Chattopadhay et al. 2018: Grad-CAM++", "https://arxiv.org/abs/1710.11063"),
        ("Fu et al. 2020: Axiom-based Grad-CAM (XGrad-CAM)", "https://arxiv.org/abs/2008.02312"),
        ("Draelos & Carin 2020: HiResCAM", "https://arxiv.org/abs/2011.08891"),
        ("Jiang et al. 2021: LayerCAM", "https://doi.org/10.1109/TIP.2021.3089943"),
        ("Muhammad & Yeasin 2020: Eigen-CAM", "https://arxiv.org/abs/2008.00299"),
        ("Simonyan et al. 2014: Deep Inside Convolutional Networks (saliency)", "https://arxiv.org/abs/1312.6034"),
        ("Smilkov et al. 2017: SmoothGrad", "https://arxiv.org/abs/1706.03825"),
        ("Sundararajan et al. 2017: Axiomatic Attribution (integrated gradients)", "https://arxiv.org/abs/1703.01365"),
        ("Zeiler & Fergus 2014: Visualizing and Understanding Convolutional Networks (occlusion)",
         "https://arxiv.org/abs/1311.2901"),
        ("torchvision: models and their weights", "https://docs.pytorch.org/vision/stable/models.html"),
    ]
)  # fmt: skip
with hidden:
    hiding.hide_a_part(asked, name, side, stride, again=method == "occlusion")
