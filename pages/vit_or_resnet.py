"""ViT or ResNet? Both bundled networks on one photo: in disorder, with parts hidden, how far they look, what data they need."""

import numpy as np
import streamlit as st

from explorer.components.maps import maps
from explorer.plots.vit_or_resnet import distances, robustness
from explorer.text import _
from explorer.trace import Trace
from explorer.ui import page
from explorer.ui import vit_or_resnet_pictures as show
from explorer.ui import vit_or_resnet_run as run
from explorer.ui.bounded import bounded
from explorer.ui.photo_input import photo_input, photo_source
from explorer.ui.steps import show_steps
from explorer.vit_or_resnet import LEVELS, SEEDS, Harm, harmed, trace_order
from explorer.vit_or_resnet_reach import even_from_middle

ROLES = {
    **dict.fromkeys("x shuffled".split(), "input"),
    **dict.fromkeys("scores shuffled_scores".split(), "hidden"),
    **dict.fromkeys("gathered shuffled_gathered mean difference".split(), "output"),
    "order": "mask",
}
DEPTHS = tuple(range(0, 101, 10))  # percent


@st.cache_resource(max_entries=8, show_spinner=False)
def order_steps(digest: str, seed: int, _photo: np.ndarray) -> Trace:
    """The steps of attention over this photo's colours, in order and shuffled, kept."""
    return trace_order(_photo, seed)


page.header(
    _("ViT or ResNet?"),
    _("A convolution looks at neighbours, with the same weights everywhere. Attention looks at everything, with weights that "
      "follow from what is there. What does that mean for a photo in disorder, or half hidden? Both bundled networks show it "
      "on yours."),
    show.formula(),
    more="vit_or_resnet",
)  # fmt: skip

networks = run.networks()
controls, picture = page.play()
with controls:
    photo = photo_input("china_temple.jpg")
    harms: dict[Harm, str] = {"shuffled": _("Shuffle patches"), "hidden": _("Hide patches")}
    harm = st.segmented_control(_("Harm"), list(harms), default="shuffled", required=True, format_func=harms.__getitem__,
                                key="vr_harm", bind="query-params", wrap=True)  # fmt: skip
    if harm == "shuffled":
        level = bounded(_("Patches along a side"), LEVELS[harm], 4, key="vr_grid")
    else:
        level = bounded(_("Hidden, %"), LEVELS[harm], 50, key="vr_share")
    with st.expander(_("More")):
        seed = bounded(_("Seed"), range(SEEDS), 0, key="vr_seed", help=_("Which of the random orders you see."))
    st.caption(show.protocol())
with picture:
    found = run.robustness(photo, harm)
    square = run.whole(photo.digest, photo.pixels)
    maps(show.seen_maps(harmed(square, harm, level, seed), networks, found, harm, level, seed), key="vr_maps", columns=2,
         height=300)  # fmt: skip
    labels = {name: one.labels for name, one in networks.items()}
    finding = show.harm_finding(found, harm, level, labels)
    titles = {"shuffled": _("Shuffled patches"), "hidden": _("Share of the patches hidden")}
    figure = robustness(
        show.level_names(harm), show.spreads(found), LEVELS[harm].index(level), titles[harm], page.theme()
    )
    page.chart(figure, key="vr_curves", alt=finding)
    st.caption(f"{finding} {show.overall(found, harm)}")

page.section(
    _("How far do they look?"),
    _("The middle of the photo, in every layer. Attention says what a head looks at; the gradient says what would change the "
      "numbers there, through all layers before. Go deeper: which network sees the whole photo first?"),
)  # fmt: skip
with st.spinner(_("Following gradients back to the photo …"), show_time=True):
    reaches = run.reaches(photo.digest, photo.pixels)
both = {"ViT": reaches.vit, "ResNet": reaches.resnet}
controls, picture = page.play()
with controls:
    depth = bounded(_("Depth, %"), DEPTHS, 50, key="vr_depth") / 100
    st.caption(_("0 is the first map, before any block of attention or any residual block; 100 is the last. Attention is not "
                 "an explanation: what a head looks at may not matter for the answer."))  # fmt: skip
with picture:
    maps(show.reach_maps(photo.pixels, both, depth), key="vr_reach", columns=2, height=320)
    finding = show.reach_finding(both, reaches.heads)
    layer_depth = reaches.vit.depth[1:]
    figure = distances(reaches.heads, layer_depth, *show.curves(both), even_from_middle(48), depth, ("ViT", "ResNet"),
                       page.theme())  # fmt: skip
    page.chart(figure, key="vr_distances", alt=finding)
    st.caption(finding)

page.section(_("What they are told in advance"))
st.markdown(show.order_text(run.order(photo.digest, seed, photo.pixels)))
st.markdown(show.data_table(*run.figures()))
st.caption(_("Right: the share of photos held out of Imagenette and Caltech-101 whose best answer is right. All were trained "
             "on the same 14,963 photos, few for a Transformer. With hundreds of millions the order turns round; with few, "
             "augmentation, a teacher or Swin’s windows help."))  # fmt: skip

page.step_through(
    _("Your photo as 16 patches of one colour each: attention, then the mean of all. Then the same patches in another order. "
      "Look at the last line: what is left of the difference?")
)  # fmt: skip
steps = order_steps(photo.digest, seed, square)
show_steps(steps, key="vr_stepper", roles=ROLES, start=steps.first("softmax"), subject=str(seed))

page.code(
    f"""
import numpy as np
from explorer.vit_or_resnet import robustness
from explorer.window_pictures import square
from pretrained.classification import load_classifier
from pretrained.photo_batches import probabilities
{photo_source(photo)}
medians = []
for key in {list(run.NAMES.values())}:
    classifier = load_classifier(key)
    found = robustness(square(photo.pixels, 384), "{harm}", lambda photos: probabilities(classifier, photos))
    medians.append(found.median)
result = np.stack(medians)  # ViT, ResNet: the median probability at every level
print(result.round(3))
""",
    np.stack([one.median for one in found.values()]),
)
page.sources(
    [
        ("Dosovitskiy et al. 2021: An Image Is Worth 16x16 Words", "https://arxiv.org/abs/2010.11929"),
        ("Raghu et al. 2021: Do Vision Transformers See Like Convolutional Neural Networks?",
         "https://arxiv.org/abs/2108.08810"),
        ("Naseer et al. 2021: Intriguing Properties of Vision Transformers", "https://arxiv.org/abs/2105.10497"),
        ("Luo et al. 2016: Understanding the Effective Receptive Field", "https://arxiv.org/abs/1701.04128"),
        ("Touvron et al. 2021: Training data-efficient image transformers (DeiT)", "https://arxiv.org/abs/2012.12877"),
        ("Steiner et al. 2022: How to train your ViT?", "https://arxiv.org/abs/2106.10270"),
        ("Liu et al. 2021: Swin Transformer", "https://arxiv.org/abs/2103.14030"),
    ]
)  # fmt: skip
