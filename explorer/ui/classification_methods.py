"""The ways to ask where a classifier looked: their names, formulas and hints, and the heat that each finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from explorer import cams, saliency
from explorer.explain import Evidence, Pass, enlarge
from explorer.occlusions import per_pixel
from explorer.patches import Occlusion, occlusion
from explorer.text import _
from explorer.ui import page
from explorer.ui.classification_run import Counted, Work, slowly
from pretrained.classification import Box, Classifier, class_probability, view

CAMS = {
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "xgrad_cam": "XGrad-CAM",
    "hires_cam": "HiResCAM",
    "layer_cam": "LayerCAM",
    "eigen_cam": "Eigen-CAM",
}
AT_ONCE = (*CAMS, "saliency")
"""The methods that need no further pass."""
BATCH = 8
"""Photos with a part hidden that the network sees at once."""


@dataclass(frozen=True)
class Asked:
    """What is asked: which class of which classifier, on which photo. digest: of the photo; target: the class."""

    classifier: Classifier
    one: Pass
    found: Evidence
    pixels: np.ndarray
    digest: str

    @property
    def target(self) -> int:
        """The class."""
        return self.found.target

    @property
    def key(self) -> tuple[str, str, int]:
        """What every answer depends on."""
        return self.classifier.model.key, self.digest, self.target


@dataclass(frozen=True, eq=False)
class Heat:
    """values: float32, ≥ 0, of whatever size; note: a finding to be said with it."""

    values: np.ndarray
    note: str = ""


def names(one: Pass) -> dict[str, str]:
    """The methods that this network can be asked by: those that need no maps for one that shows none."""
    of_photo = {
        "saliency": _("Gradient"),
        "smooth_grad": "SmoothGrad",
        "integrated": _("Integrated gradients"),
        "occlusion": _("Occlusion"),
    }
    return CAMS | of_photo if one.maps else dict(reversed(of_photo.items()))


def formula(method: str) -> str:
    """LaTeX, in the colours of the page."""
    a, g, x = page.tex("hidden", "A"), page.tex("gradient", "g"), page.tex("input", "x")
    channels = rf"\text{{relu}}\Big(\sum_k \alpha_k {a}_k\Big), \quad \alpha_k = "
    return {
        "grad_cam": channels + rf"\frac{{1}}{{Z}} \sum_{{ij}} {g}_{{kij}}",
        "grad_cam_plus_plus": channels + rf"\sum_{{ij}} \frac{{{g}_{{kij}}^2 \;\text{{relu}}({g}_{{kij}})}}"
        rf"{{2 {g}_{{kij}}^2 + {g}_{{kij}}^3 \sum {a}_k}}",
        "xgrad_cam": channels + rf"\frac{{\sum_{{ij}} {g}_{{kij}} {a}_{{kij}}}}{{\sum_{{ij}} {a}_{{kij}}}}",
        "hires_cam": rf"\text{{relu}}\Big(\sum_k {g}_k \odot {a}_k\Big)",
        "layer_cam": rf"\text{{relu}}\Big(\sum_k \text{{relu}}({g}_k) \odot {a}_k\Big)",
        "eigen_cam": rf"({a} - \overline{{{a}}}) \, v_1, \quad v_1 = \text{{first principal component}}",
        "saliency": rf"\max_\text{{colour}} \left| \frac{{\partial y_c}}{{\partial {x}}} \right|",
        "smooth_grad": rf"\max_\text{{colour}} \left| \text{{mean}}_\varepsilon \, \frac{{\partial y_c}}"
        rf"{{\partial {x}}}({x} + \varepsilon) \right|",
        "integrated": rf"\sum_\text{{colour}} {x} \cdot \int_0^1 \frac{{\partial y_c}}{{\partial {x}}}(t \, {x}) \, dt",
        "occlusion": rf"p_c({x}) - p_c({x} \text{{ with a square hidden}})",
    }[method]


def hint(method: str) -> str:
    """What it does, and what to look for."""
    return {
        "grad_cam": _("Each channel gets one weight, its mean gradient. Look for one coarse blob on the thing itself."),
        "grad_cam_plus_plus": _("Places with a positive gradient get a larger say. Look whether a second thing of the "
                                "class lights up, too. It was made for maps that are never below 0."),
        "xgrad_cam": _("The gradient counts where the channel is active. Look where it differs from Grad-CAM: there the "
                       "gradient is not the same at all places."),
        "hires_cam": _("No mean over places: bright is only what raises the score at that very place. Before a layer norm "
                       "it is empty, since a norm ignores how long a vector is."),
        "layer_cam": _("As HiResCAM, but only what raises the score is counted. Choose an early block: it stays sharp there."),
        "eigen_cam": _("No class is asked: this is the direction in which the places differ most. Look whether the class "
                       "you asked for changes anything in the others."),
        "saliency": _("How much the score changes with each pixel. Look for edges of the thing; single dots are noise."),
        "smooth_grad": _("The gradient's mean over {n} photos with noise added. Look how much calmer it is.").format(
            n=saliency.SAMPLES),
        "integrated": _("What each pixel adds on the way from a grey photo to yours, in {n} steps. What takes away is not "
                        "shown.").format(n=saliency.SAMPLES),
        "occlusion": _("A grey square hides one part after the other. No gradient is needed, so it works with any model."),
    }[method]  # fmt: skip


def heat(method: str, asked: Asked, layer: str, side: int, stride: int) -> Heat | None:
    """What a method finds; None until the visitor has asked for what takes long. layer: of the maps; side, stride: as hide."""
    if method in AT_ONCE:
        return Heat(at_once(*asked.key, layer, asked.found)[method])
    if method == "occlusion":
        hidden = hide(asked, side, stride)
        return None if hidden is None else Heat(np.maximum(per_pixel(hidden, _seen_size(asked)), 0))
    if method == "smooth_grad":
        smooth = slowly(
            _work(method, asked), lambda counted: saliency.smooth_grad(counted(_gradient(asked)), _x(asked))
        )
        return None if smooth is None else Heat(saliency.without_peaks(smooth))
    found = slowly(_work(method, asked), lambda counted: saliency.integrated_gradients(
        _score(asked), counted(_gradient(asked)), _x(asked)))  # fmt: skip
    if found is None:
        return None
    note = _("All pixels together add {total:.2f}; the score is {difference:.2f} above that of the grey photo.")
    note = note.format(total=found.total, difference=found.difference).replace("-", "−")
    return Heat(saliency.without_peaks(np.maximum(found.values, 0)), note)


@st.cache_resource(max_entries=64, show_spinner=False)
def at_once(key: str, digest: str, target: int, layer: str, _found: Evidence) -> dict[str, np.ndarray]:
    """What AT_ONCE find at this layer ("" of a network without maps), by method; nobody changes it."""
    heats = {"saliency": saliency.without_peaks(saliency.strongest(_found.at_photo))}
    if layer:
        found = _found.maps[layer], _found.gradients[layer]
        heats |= {method: cams.METHODS[method](*found) for method in CAMS}
    return heats


def hide(asked: Asked, side: int, stride: int, *, again: bool = False) -> Occlusion | None:
    """What hiding squares of so many pixels, so far apart, does; None until the visitor has asked for it.

    again: as slowly.
    """
    photo = view(asked.classifier, asked.pixels)
    size = len(photo)
    places = len(range(0, max(size - side, 0), stride)) + 1

    def compute(counted: Counted) -> Occlusion:
        ask = counted(lambda views: class_probability(asked.classifier, views, asked.target))
        return occlusion(photo, ask, side, stride, batch=BATCH)

    calls = -(-(places**2) // BATCH) + 1
    doing = _("Hiding {n} places").format(n=places**2)
    return slowly(Work("hide", ("hide", *asked.key, side, stride), calls, doing), compute, again=again)


def place_on(heat: np.ndarray, size: tuple[int, int], box: Box, scale: float) -> np.ndarray:
    """The heat where the network saw it, 0 elsewhere. size: (H, W) of the shown photo, `scale` times the one of the box."""
    left, top, right, bottom = (round(edge * scale) for edge in box)
    whole = np.zeros(size, np.float32)
    part = whole[max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]
    part[:] = enlarge(heat.astype(np.float32), part.shape[1], part.shape[0])
    return whole


def equal_ones(heats: dict[str, np.ndarray]) -> list[list[str]]:
    """Groups of methods that found the same, but for their scale; those alone are left out."""
    groups: list[list[str]] = []
    for name, values in heats.items():
        top = float(values.max())
        for group in groups:
            other = heats[group[0]]
            if top > 0 and other.max() > 0 and np.allclose(values / top, other / other.max(), atol=1e-3):
                group.append(name)
                break
        else:
            groups.append([name])
    return [group for group in groups if len(group) > 1]


def _seen_size(asked: Asked) -> tuple[int, int]:
    side = asked.classifier.model.input_size
    return side, side


def _x(asked: Asked) -> torch.Tensor:
    return asked.one.x.detach()


def _score(asked: Asked) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: asked.classifier.module(x)[:, asked.target]


def _gradient(asked: Asked) -> saliency.Gradient:
    return saliency.gradient_of(_score(asked))


def _work(method: str, asked: Asked) -> Work:
    doing = _("{n} passes there and back").format(n=saliency.SAMPLES)
    return Work(method, (method, *asked.key), saliency.CALLS, doing)


def missing_text() -> str:
    """Says where a picture will be."""
    return _("Press Go on to see it here.")


def caption(method: str, layer: str, heat: Heat) -> str:
    """What the picture shows."""
    if not heat.values.max() > 0:
        text = _("Nothing: this way, no place speaks for the class.")
    elif method in cams.METHODS:
        text = _("{method} at {layer}: bright where that block held evidence for the class.")
        if method == "eigen_cam":
            text = _(
                "{method} at {layer}: bright where that block is strongest in what differs most, whatever the class."
            )
    elif method == "occlusion":
        text = _("Bright where hiding the photo costs the class probability.")
    else:
        text = _("Bright where the pixels move the score of the class; the brightest 1 % are cut to one height.")
    return f"{text.format(method=CAMS.get(method, ''), layer=layer)} {heat.note}".strip()
