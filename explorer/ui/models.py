"""Choosing a pretrained model: kept ones at once, others after a download with a progress bar and a way to stop."""

from __future__ import annotations

import streamlit as st

from explorer.text import _
from explorer.ui.downloads import offer_download
from pretrained import catalog, loading
from pretrained.classification import Classifier, load_classifier
from pretrained.records import ImageClassifier

BUNDLED = "resnet18-photos110"


@st.cache_resource(max_entries=3, show_spinner=False)
def _kept(key: str) -> Classifier:
    return load_classifier(key)


def choose_classifier(family: str = "ResNet") -> Classifier:
    """The control, and the classifier to use: the chosen one, or the bundled one until the chosen one is here.

    family: which models the page can show.
    """
    records = {model.key: model for model in catalog.models(ImageClassifier) if model.family == family}
    key = st.selectbox(
        _("Model"),
        list(records),
        format_func=lambda k: records[k].name,
        key="model",
        bind="query-params",
        help=_("The first comes with this app. The others are torchvision's official weights."),
    )
    chosen = records[key]
    if loading.find(chosen) is None and not _fetch(chosen):
        st.caption(_("Until then you see the bundled model."))
        return _kept(BUNDLED)
    try:
        with st.spinner(_("Loading {name} …").format(name=chosen.name), show_time=True):
            return _kept(key)
    except loading.LoadError as error:
        st.error(str(error), icon=":material/cloud_off:")
        return _kept(BUNDLED)


def _fetch(model: ImageClassifier) -> bool:
    """Offer the download; True once the weights are here."""
    offer = _("{name} is not on this computer yet: {size:.0f} MiB from pytorch.org.")
    return offer_download(
        model.key,
        model.name,
        offer.format(name=model.name, size=catalog.published(model).mib),
        lambda show: loading.load_state_dict(model, progress=show),
    )
