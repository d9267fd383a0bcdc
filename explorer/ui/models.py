"""Choosing pretrained models: kept ones at once, others after a download with a progress bar and a way to stop."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from explorer.text import _
from explorer.ui import page
from explorer.ui.weights import load_or_offer, select_model
from pretrained import catalog
from pretrained.classification import Classifier, load_classifier
from pretrained.records import ImageClassifier

OTHERS = "other"
FIRST_OTHER = "torchvision-mobilenet-v3-small-imagenet1k-v1"


@st.cache_resource(max_entries=3, show_spinner=False)
def kept_classifier(key: str) -> Classifier:
    """The classifier of this key, for all sessions; of those in memory the one unused for longest goes first."""
    return load_classifier(key, download=False)


def classifiers(families: Collection[str]) -> dict[str, ImageClassifier]:
    """The catalogue's classifiers of these families by key, in its order."""
    return {model.key: model for model in catalog.models(ImageClassifier) if model.family in families}


def choose_classifier(
    families: Collection[str] = ("ResNet",), *, key: str = "model", label: str | None = None, others: bool = False
) -> Classifier:
    """The control, and the classifier to use: the chosen one, or a bundled one until the chosen one is here.

    families: which models the page can show, at least one of them bundled. key: of the control, also in the address.
    label: of the control, “Model” if None. others: offer torchvision's other classifiers, too, which show no maps.
    """
    records = classifiers(families)
    names = {record.key: record.name for record in records.values()} | (
        {OTHERS: _("Another of torchvision’s …")} if others else {}
    )
    told = _("What is called bundled comes with this app. The others are torchvision’s official weights.")
    chosen = select_model(names, key, told, label)
    record = _choose_other(key) if chosen == OTHERS else records[chosen]
    size = f"{catalog.published(record).mib:.0f} MiB"
    return load_or_offer(record, size, kept_classifier) or kept_classifier(bundled(records, record.family))


def _choose_other(key: str) -> ImageClassifier:
    """One of torchvision's classifiers that explorer.models has none of."""
    with st.spinner(_("Asking torchvision what it has …"), show_time=True):
        from pretrained.library import library_models  # imports torchvision, which takes seconds

        records = {model.key: model for model in library_models()}
    chosen = st.selectbox(
        _("torchvision’s other classifiers"),
        list(records),
        index=list(records).index(FIRST_OTHER),
        format_func=lambda k: records[k].name,
        key=f"{key}_other",
        bind="query-params",
        help=_("They run as torchvision wrote them: they answer, but show no maps."),
    )
    return records[chosen]


def bundled(records: dict[str, ImageClassifier], family: str) -> str:
    """The key of the bundled model of this family, or of the first bundled one where the family has none."""
    here = [model for model in records.values() if model.source == "bundled"]
    return next((model.key for model in here if model.family == family), here[0].key)


def about_model(model: ImageClassifier) -> None:
    """The section that says how large it is, what it learned from, and how well it does."""
    page.section(_("About this model"))
    facts = catalog.published(model)
    text = _(
        "**{name}**: {parameters} million parameters, trained on {data}. On {measured_on} its best answer is right for "
        "{top1:.1%}, one of its best five for {top5:.1%}. Licence: {licence}."
    )
    st.markdown(
        text.format(
            name=model.name,
            parameters=f"{facts.parameters / 1e6:.1f}",
            data=model.data,
            measured_on=facts.measured_on,
            top1=facts.top1,
            top5=facts.top5,
            licence=model.licence,
        )
    )
