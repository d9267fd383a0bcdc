"""The section “Where it looked”: one method explained, and all that need no further pass beside each other."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.explain import overlay
from explorer.images import fit
from explorer.text import _
from explorer.ui import page
from explorer.ui.classification_methods import AT_ONCE, CAMS, Asked, at_once, equal_ones, formula, hint, names, place_on
from pretrained.classification import Box

SMALL = 200
"""Longer side of the small pictures, pixels."""


def where_it_looked(asked: Asked, method: str, layer: str, box: Box, strength: float) -> None:
    """The formula of the chosen method, and small pictures by all that come from one pass."""
    of_maps = bool(asked.one.maps)
    page.section(
        _("Where it looked"),
        _(
            "The same question, {n} answers, all from one pass there and one back. Where they differ, trust none alone."
        ).format(n=len(AT_ONCE))
        if of_maps
        else _("This model shows no maps. What is left is to ask the pixels: by their gradient, or by hiding them."),
    )
    known = names(asked.one)
    st.markdown(f"**{known[method]}.** {hint(method)}")
    st.latex(formula(method))
    if not of_maps:
        return
    st.caption(_("A: the block’s maps, g = ∂y/∂A: the gradient of the class’s score there, x: the photo."))
    found = at_once(*asked.key, layer, asked.found)
    shown = AT_ONCE
    pixels = fit(asked.pixels, SMALL)
    scale = pixels.shape[1] / asked.pixels.shape[1]
    maps(
        [Map(overlay(pixels, place_on(found[key], pixels.shape[:2], box, scale), strength), known[key],
             "" if found[key].max() > 0 else _("No place."), role="gradient") for key in shown],
        key="class_methods", columns=len(shown), height=150, size="small",
    )  # fmt: skip
    st.caption(finding({CAMS[key]: found[key] for key in CAMS}, layer, asked.found.gradients[layer]))


def finding(found: dict[str, np.ndarray], layer: str, gradient: np.ndarray) -> str:
    """Which methods say the same here, and which find nothing. gradient: of that layer, (C, h, w)."""
    parts = []
    for group in equal_ones(found):
        text = _("At {layer}, {methods} give the same picture").format(layer=layer, methods=_listed(group))
        alike = np.ptp(gradient, axis=(1, 2)).max() <= 1e-4 * np.abs(gradient).max()
        parts.append(
            text + (_(": the gradient is the same at all places; in an earlier block it is not.") if alike else ".")
        )
    if empty := [name for name, values in found.items() if not values.max() > 0]:
        parts.append(_("{methods}: no place speaks for this class.").format(methods=_listed(empty)))
    return " ".join(parts) or _("At {layer}, no two methods give the same picture.").format(layer=layer)


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else _("{some} and {last}").format(some=", ".join(items[:-1]), last=items[-1])
