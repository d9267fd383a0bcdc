"""What the page “ViT or ResNet?” computes and keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from explorer import vit_or_resnet as harming
from explorer.images import Photo
from explorer.text import _
from explorer.ui.models import kept_classifier
from explorer.vit_or_resnet import Harm, OrderMatters, Robustness
from explorer.vit_or_resnet_reach import Reach, head_distances, reach
from explorer.window_pictures import square
from pretrained.catalog import card, published
from pretrained.classification import Classifier, preprocess
from pretrained.photo_batches import probabilities
from pretrained.records import Published, UntaughtCard

NAMES = {"ViT": "vit-photos110", "ResNet": "resnet18-photos110"}
"""For the visitor → the model's key."""


@dataclass(frozen=True, eq=False)
class Reaches:
    """Of both networks on one photo. heads: of the ViT by attention, (layers, heads), shares of the side."""

    vit: Reach
    resnet: Reach
    heads: np.ndarray


def networks() -> dict[str, Classifier]:
    """Both bundled networks, the Transformer first."""
    return {name: kept_classifier(key) for name, key in NAMES.items()}


@st.cache_data(max_entries=4, show_spinner=False)
def whole(digest: str, _pixels: np.ndarray) -> np.ndarray:
    """The square that is harmed, and that both networks are shown."""
    return square(_pixels, harming.SIDE)


@st.cache_data(max_entries=96, show_spinner=False)
def asked_at(key: str, digest: str, harm: Harm, level: int, _photo: np.ndarray) -> np.ndarray:
    """One network's answers at one level, with every seed, kept."""
    classifier = kept_classifier(key)
    return harming.ask_at(_photo, harm, level, lambda photos: probabilities(classifier, photos))


def robustness(photo: Photo, harm: Harm) -> dict[str, Robustness]:
    """Both networks at every level, kept; with a bar while it is computed."""
    square_photo, levels = whole(photo.digest, photo.pixels), harming.LEVELS[harm]
    found: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    seen = st.session_state.setdefault("vr_asked", set())
    told = _("Asking both networks …")
    bar = None if (photo.digest, harm) in seen else st.progress(0.0, told)
    for number, level in enumerate(levels, 1):
        for name, key in NAMES.items():
            found[name].append(asked_at(key, photo.digest, harm, level, square_photo))
        if bar is not None:
            bar.progress(number / len(levels), told)
    if bar is not None:
        bar.empty()
    seen.add((photo.digest, harm))
    return {name: harming.gather(levels, each) for name, each in found.items()}


@st.cache_resource(max_entries=4, show_spinner=False)
def reaches(digest: str, _pixels: np.ndarray) -> Reaches:
    """How far both networks look on this photo, kept."""
    vit, resnet = networks().values()
    x = preprocess(vit, _pixels)
    with torch.inference_mode():
        weights = torch.cat(vit.module.read(x).attention).numpy()
    return Reaches(
        reach(vit.module, x), reach(resnet.module, preprocess(resnet, _pixels)), head_distances(vit.module, weights)
    )


@st.cache_data(max_entries=32, show_spinner=False)
def order(digest: str, seed: int, _pixels: np.ndarray) -> OrderMatters:
    """What the order of the patches means to the ViT, with its positions and without, kept."""
    vit = kept_classifier(NAMES["ViT"])
    return harming.order_matters(vit.module, preprocess(vit, _pixels), seed)


def figures() -> tuple[Published, Published, UntaughtCard]:
    """Of the ViT, of the ResNet, and of the same ViT without a teacher."""
    vit, resnet = (one.model for one in networks().values())
    return published(vit), published(resnet), card(vit, UntaughtCard)
