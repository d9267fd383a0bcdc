"""The sections “Inside” and “Step through”: kernels, the maps that count most, and a part of the network line by line."""

from __future__ import annotations

import numpy as np
import streamlit as st
from torch import nn

from explorer.cams import channel_weights
from explorer.components.maps import Map, maps
from explorer.explain import Evidence, Pass, mosaic
from explorer.network_parts import HEAD, Cut, Part, part, parts, trace_part
from explorer.text import _
from explorer.trace import Trace
from explorer.ui import page
from explorer.ui.steps import show_steps

KERNELS = 64
CHANNELS = 12
ROLES = {
    **dict.fromkeys("x shortcut tokens".split(), "input"),
    **dict.fromkeys("conv1 conv2 conv3 bn1 bn2 bn3 downsample fc conv bn convolution fc1 fc2 fc3 heads head proj "
                    "relative_position_bias_table qkv mlp ln_1 ln_2 ln norm norm1 norm2".split(), "weight"),
    **dict.fromkeys("out normed mixed joined attended one three five pooled hidden".split(), "hidden"),
    "query": "query",
    "key": "key",
    "value": "value",
}  # fmt: skip


@st.cache_resource(max_entries=6, show_spinner=False)
def _steps(key: str, digest: str, name: str, _one: Pass) -> tuple[Part, Trace]:
    this = part(_one, name)
    return this, trace_part(this)


def inside(one: Pass, found: Evidence, layer: str, name: str) -> None:
    """First kernels, and the maps of a block that count most for the class called `name`."""
    page.section(
        _("Inside"),
        _(
            "Move *Block* under “More”: what the maps answer to gets harder to name, and in most networks they get smaller."
        ),
    )
    kernels, features = st.columns([4, 11], gap="medium")
    with kernels:
        first = next(module for module in one.network.modules() if isinstance(module, nn.Conv2d))
        weight = first.weight.detach().numpy()
        side = weight.shape[-1]
        text = _("{n} kernels of {side} × {side} over red, green and blue; grey means 0.")
        if len(weight) > KERNELS:
            text = _("The first {n} of {all} kernels of {side} × {side} over red, green and blue; grey means 0.")
        text = text.format(n=min(len(weight), KERNELS), all=len(weight), side=side)
        maps([Map(mosaic(weight[:KERNELS]), _("First-layer kernels"), text, role="weight")],
             key="first_kernels", columns=1, height=300)  # fmt: skip
    with features:
        if not one.maps:
            st.caption(_("This model runs as torchvision wrote it, and shows no maps."))
            return
        block_maps = found.maps[layer]
        weights = channel_weights(found.gradients[layer])
        strongest = np.argsort(-np.abs(weights) * np.abs(block_maps).mean(axis=(1, 2)), kind="stable")[:CHANNELS]
        channels, rows, columns = block_maps.shape
        st.markdown(_("**{layer}**: {c} maps of {h} × {w}. These {n} count most for “{name}”.").format(
            layer=layer, c=channels, h=rows, w=columns, n=len(strongest), name=name))  # fmt: skip
        maps(
            [Map(block_maps[c], _("channel {c}").format(c=c), share="block", role="hidden") for c in strongest],
            key="feature_maps", columns=6, height=130, size="small",
        )  # fmt: skip


def step_through(key: str, digest: str, one: Pass) -> None:
    """A part of the network with its real weights. key: of the model; digest: of the photo."""
    names = parts(one.network)
    page.step_through(_("Choose a part and step through it with the real weights and your photo. In a block, look for the "
                        "line that adds x."))  # fmt: skip
    if not names:
        st.caption(
            _("This model runs as torchvision wrote it, so there is no code of ours to step through: choose another.")
        )
        return
    shown = {HEAD: _("The end: from the last map to the scores")} | {name: name for name in names if name != HEAD}
    first = "layer1.0" if "layer1.0" in shown else names[0]
    chosen = st.selectbox(_("Part"), list(shown), index=list(shown).index(first), format_func=shown.__getitem__, key="part",
                          bind="query-params", width=320)  # fmt: skip
    this, steps = _steps(key, digest, chosen, one)
    if this.cut:
        st.caption(_cut_text(this))
    show_steps(steps, key="resnet_stepper", roles=ROLES, start=steps.first(this.start), subject=chosen)


def _cut_text(this: Part) -> str:
    texts: dict[Cut, str] = {
        "window": _("To keep the steps small, the part runs on a window of {rows} × {columns} cells from the middle of its "
                    "map; at the border it sees zeros, where in the network the map goes on."),
        "whole window": _("The block runs on one attention window of {rows} × {columns} patches from the middle of its "
                          "map: its windows know nothing of each other, so the numbers are those of the whole network."),
        "class token": _("You follow the class token: it asks all tokens, and its numbers are those of the whole network."),
    }  # fmt: skip
    x = this.inputs[-1]
    rows, columns = x.shape[2:] if this.cut == "window" else x.shape[1:3]
    return texts[this.cut].format(rows=rows, columns=columns)
