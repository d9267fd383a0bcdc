"""The parts of the Vision Transformer page below its first picture: from the projection of patches to rollout."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import streamlit as st
from torch import Tensor

from explorer import palette
from explorer.components.maps import Map, maps
from explorer.explain import grad_cam
from explorer.models.vit import VisionTransformer
from explorer.patches import position_similarity
from explorer.plots.vit import What, cost_against_patch
from explorer.rollout import Fuse, rollout
from explorer.text import _
from explorer.ui import page
from explorer.ui import vit_controls as choose
from explorer.ui import vit_pictures as show
from explorer.ui.bounded import bounded
from explorer.ui.vit_controls import Cut, Query
from explorer.vit_cost import SIZES, patch_cost, patch_costs
from explorer.vit_photo import enlarged, seen_pixels, square
from explorer.vit_reading import Filters, Reading, gathered, principal_filters, project, read, similarity
from pretrained import catalog
from pretrained.classification import Classifier, preprocess, seen
from pretrained.records import ImageClassifier

if TYPE_CHECKING:
    import plotly.graph_objects as go

Place = tuple[int, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Given:
    """What a network is given of a photo. x: (1, 3, S, S), normalised; pixels: uint8 (S, S, 3), the same to be looked at.

    wide, patch: the same enlarged, and the side of a patch in it; box: which part of the photo it is.
    """

    x: Tensor
    pixels: np.ndarray
    wide: np.ndarray
    patch: int
    box: Box


@st.cache_resource(max_entries=4, show_spinner=False)
def given_of(key: str, digest: str, _classifier: Classifier, _pixels: np.ndarray) -> Given:
    """The photo as this network is given it, kept."""
    model, x = _classifier.model, preprocess(_classifier, _pixels)
    pixels = seen_pixels(x, model.mean, model.std)
    return Given(x, pixels, *enlarged(pixels, _classifier.module.config.patch), seen(model, *_pixels.shape[:2]))


@st.cache_resource(max_entries=4, show_spinner=_("Looking at the photo …"), show_time=True)
def reading_of(key: str, digest: str, _network: VisionTransformer, _x: Tensor) -> Reading:
    """One pass of the photo, kept for all visitors: clicks and sliders never run the network again."""
    return read(_network, _x)


@st.cache_data(max_entries=16, show_spinner=False)
def square_of(key: str, digest: str, side: int, _pixels: np.ndarray, _box: Box) -> np.ndarray:
    """The part of the photo that this network sees, so many pixels wide, kept."""
    return square(_pixels, _box, side)


@st.cache_resource(max_entries=32, show_spinner=False)
def curves_of(sizes: str, side: int, patch: int, what: What, theme: palette.Theme) -> go.Figure:
    """The costs of all patch sizes, kept."""
    return cost_against_patch(patch_costs(SIZES[sizes], side), patch, what, theme)


@st.cache_resource(max_entries=4, show_spinner=False)
def positions_of(key: str, _network: VisionTransformer, grid: Place) -> np.ndarray:
    """How alike the positions of this network are, kept."""
    return position_similarity(_network.positions(*grid)[0].numpy(), grid)


@st.cache_resource(max_entries=4, show_spinner=False)
def filters_of(key: str, _weight: np.ndarray) -> Filters:
    """The principal components of this network's filters, kept."""
    return principal_filters(_weight, show.COMPONENTS)


@st.cache_data(max_entries=8, show_spinner=False)
def cam_of(key: str, digest: str, _network: VisionTransformer, _x: Tensor) -> tuple[np.ndarray, int]:
    """Grad-CAM where the patches are read last, for the best class; and that class."""
    look = grad_cam(_network, _x, _network.blocks()[-1])
    return look.cam, look.target


@st.cache_data(max_entries=16, show_spinner=False)
def flows_of(key: str, digest: str, fuse: Fuse, residual: float, discard: float, _reading: Reading) -> np.ndarray:
    """Rollout after every layer, kept."""
    return rollout(_reading.attention, fuse=fuse, residual=residual, discard=discard)


@st.cache_resource(max_entries=32, show_spinner=False)
def rollout_pictures(
    key: str, digest: str, way: tuple[Fuse, float, float], depth: int, query: Query, dim: float, label: str,
    _photo: np.ndarray, _reading: Reading, _flow: np.ndarray, _cam: np.ndarray,
) -> list[Map]:  # fmt: skip
    """Rollout's pictures, kept: no other control changes them. way: how it was rolled out."""
    last = _reading.look(_reading.layers - 1, None, query.token)
    return show.rollout_maps(_photo, _reading, _flow, last, _cam, query, depth, dim, label)


@st.cache_data(max_entries=16, show_spinner=False)
def similarity_of(key: str, digest: str, token: int, _reading: Reading) -> np.ndarray:
    """How alike an extra token and the patches are, kept."""
    return similarity(_reading, token)


def patches(
    key: str, digest: str, name: str, network: VisionTransformer, given: Given, place: Place, photo: np.ndarray, cut: Cut
) -> None:  # fmt: skip
    """The photo in patches, and what they cost."""
    own = square_of(key, digest, cut.side, photo, given.box)
    pictures = show.patch_maps(given.pixels, (given.wide, given.patch), network.config.side, place, own, cut.patch)
    maps(pictures, key="vit_seen", height=400, pick=True)
    sizes = replace(SIZES[cut.sizes], image_size=cut.side)
    chosen, pixels = (patch_cost(replace(sizes, patch=patch)) for patch in (cut.patch, 1))
    finding = show.cost_text(chosen, pixels)
    page.chart(curves_of(cut.sizes, cut.side, cut.patch, cut.curve, page.theme()), key="vit_cost", alt=finding)
    st.markdown(finding)
    st.markdown(show.cost_table([
        (_("{name}, as it is").format(name=name), patch_cost(network.config)),
        (_("{sizes}, patches of {p}").format(sizes=cut.sizes, p=cut.patch), chosen),
        (_("{sizes}, every pixel").format(sizes=cut.sizes), pixels),
    ]))  # fmt: skip


def projection(key: str, network: VisionTransformer, given: Given, reading: Reading, place: Place) -> None:
    """One patch becomes a token, and what the matrix looks for."""
    page.section(
        _("Linear projection"),
        _("Each patch is read out as one long vector, and every vector is multiplied by the same matrix $E$. Click another "
          "patch above: its token follows."),
    )  # fmt: skip
    controls, picture = page.play()
    with controls:
        kinds = {"principal": _("Principal components"), "raw": _("As they are")}
        kind = st.segmented_control(_("Filters"), list(kinds), default="principal", required=True, wrap=True,
                                    format_func=kinds.__getitem__, key="vit_filters", bind="query-params")  # fmt: skip
        text = _("A row of $E$ is a filter as large as a patch. So the projection is a convolution whose kernel and stride "
                 "are both {patch}: it never looks across the edge of a patch. Step through “A row of patches” below, where "
                 "both ways are computed and subtracted.")  # fmt: skip
        st.markdown(text.format(patch=reading.patch))
    made = project(network, given.x, *place)
    with picture:
        maps(
            show.projection_maps(given.pixels, reading, place, made),
            key="vit_patch",
            columns=5,
            height=150,
            size="small",
        )
        weight = network.conv_proj.weight.numpy()
        found = filters_of(key, weight) if kind == "principal" else None
        maps([show.filter_map(weight, found)], key="vit_filter_maps", columns=1, height=280)


def extra_tokens(key: str, digest: str, reading: Reading) -> None:
    """The class token, and where there is one the distillation token."""
    page.section(_("Tokens that are no patch"))
    controls, picture = page.play()
    with controls:
        names = choose.query_names(reading)
        del names["patch"]
        kind = "class"
        if reading.extra == 2:
            if st.session_state.get("vit_extra", "class") not in names:
                st.session_state["vit_extra"] = "class"
            kind = st.segmented_control(_("Token"), list(names), default="class", required=True, wrap=True,
                                        format_func=names.__getitem__, key="vit_extra", bind="query-params")  # fmt: skip
        st.markdown(_("The **class token** is one learned vector, the same for every photo. It belongs to no patch; layer by "
                      "layer it collects what it needs from them. At the end, the answer is read from it."))  # fmt: skip
        if reading.extra == 2:
            st.markdown(_("This network has a **distillation token**, too (Touvron et al. 2021). In training the class token "
                          "had to give the photo’s label, the distillation token the answer of a teacher, a convolutional "
                          "network. On a photo, the mean of both is the answer."))  # fmt: skip
        else:
            st.markdown(_("Networks that learned from a teacher have a second one, the distillation token (Touvron et al. "
                          "2021). This one has none."))  # fmt: skip
    token = int(kind == "distillation")
    name = choose.extra_names()[token]
    values = similarity_of(key, digest, token, reading)
    with picture:
        st.latex(show.formula(reading.extra == 2))
        maps(show.similarity_maps(values), key="vit_similarity", columns=min(len(values), 7), height=150, size="small")
        st.caption(show.similarity_text(values, name))
        maps([show.gathered_map(gathered(reading, token), name)], key="vit_gathered", columns=1, height=170)


def positions(key: str, network: VisionTransformer, reading: Reading, place: Place) -> None:
    """How alike the position embeddings are."""
    page.section(
        _("Position embeddings"),
        _("Without them, a Transformer could not tell the photo from the same patches in any other order. Click a patch in "
          "either picture."),
    )  # fmt: skip
    similar = positions_of(key, network, reading.grid)
    maps(show.position_maps(similar, place), key="vit_positions", columns=2, height=380, pick=True)
    ours = catalog.get(key, ImageClassifier).source == "bundled"
    st.markdown(show.position_text(similar, place, from_waves=ours))


def attention(
    key: str, digest: str, reading: Reading, place: Place, whole: np.ndarray, box: Box
) -> tuple[int, int | None, Query, np.ndarray]:
    """Any layer, any head, from any token: (layer, head, query, its row of weights)."""
    page.section(
        _("Attention"),
        _("Every token asks all others. Click a patch to look from there, and a head to see it large. **Attention is not an "
          "explanation**: it says whose values a token mixes in, not why the network decides."),
    )  # fmt: skip
    controls, picture = page.play()
    with controls:
        query = choose.choose_query(reading, place)
        layer, head = choose.choose_layer_and_head(reading)
        with st.expander(_("More")):
            dim = st.slider(_("How dark the rest gets"), 0.0, 1.0, 0.65, 0.05, key="vit_dim", bind="query-params")
            same = st.toggle(_("One colour scale for all heads"), key="vit_same_scale", bind="query-params")
    row = reading.look(layer, head, query.token)
    photo = square_of(key, digest, choose.photo_side("vit_attention", reading), whole, box)
    with picture:
        maps(
            show.attention_maps(photo, reading, row, query, dim), key="vit_attention", columns=2, height=400, pick=True
        )
        st.markdown(show.masses_text(row, reading, query, layer, head))
        across = reading.heads // 2 if reading.heads <= 12 else 4
        maps(show.head_maps(reading, layer, head, query, same), key="vit_heads", columns=across, height=140, size="small",
             pick=True)  # fmt: skip
        st.caption(_("All heads of layer {n} from the same token; what goes to the extra tokens is left out of the pictures.")
                   .format(n=layer + 1))  # fmt: skip
    return layer, head, query, row


def roll_out(
    key: str, digest: str, network: VisionTransformer, given: Given, reading: Reading, query: Query, whole: np.ndarray,
    labels: tuple[str, ...],
) -> None:  # fmt: skip
    """Attention followed through the layers, beside the last layer alone and Grad-CAM."""
    page.section(
        _("Rollout"),
        _("A token of the last layer looks at tokens that have mixed already. Rollout multiplies the layers’ attention, and "
          "counts the way around each layer, where a token stays as it is (Abnar and Zuidema 2020). It starts from the token "
          "chosen above."),
    )  # fmt: skip
    controls, picture = page.play()
    with controls:
        depth = bounded(_("Up to layer"), range(1, reading.layers + 1), reading.layers, key="vit_depth")
        ways = {"mean": _("Mean"), "max": _("Largest"), "min": _("Smallest")}
        fuse = st.segmented_control(_("Heads joined by"), list(ways), default="mean", required=True,
                                    format_func=ways.__getitem__, key="vit_fuse", bind="query-params")  # fmt: skip
        residual = st.slider(_("Share of the residual"), 0.0, 1.0, 0.5, 0.05, key="vit_residual", bind="query-params",
                             help=_("How much goes past the attention of a layer; the paper sets 0.5."))  # fmt: skip
        with st.expander(_("More")):
            discard = st.slider(_("Weakest weights left out"), 0.0, 0.95, 0.0, 0.05, key="vit_discard", bind="query-params",
                                help=_("The weakest of each row become 0 and the rest is scaled up to sum to 1."))  # fmt: skip
        rolled, attends = page.tex("output", "R"), page.tex("hidden", "A")
        st.latex(rf"{rolled}_l = \big({residual:g}\, I + {1 - residual:.3g}\, {attends}_l\big)\, {rolled}_{{l-1}}")
        st.caption(_("R₀ = I. Rows sum to 1 again after each step. Values, feed-forward parts and norms are left out: rollout "
                     "is a rough count of ways, no more. Grad-CAM starts from a class instead."))  # fmt: skip
    flows = flows_of(key, digest, cast(Fuse, fuse), residual, discard, reading)
    cam, target = cam_of(key, digest, network, given.x)
    photo = square_of(key, digest, choose.photo_side("vit_rollout", reading), whole, given.box)
    flow, way = flows[depth - 1, query.token], (cast(Fuse, fuse), residual, discard)
    with picture:
        drawn = rollout_pictures(key, digest, way, depth, query, st.session_state["vit_dim"], labels[target], photo, reading,
                                 flow, cam)  # fmt: skip
        maps(drawn, key="vit_rollout", columns=3, height=300, pick=True)
        st.markdown(show.rollout_text(flow, reading, query))
        maps(show.depth_maps(reading, flows, query, depth), key="vit_depths", columns=min(reading.layers, 6), height=120,
             size="small")  # fmt: skip
        st.caption(_("Rollout after each layer, each in its own colours."))
