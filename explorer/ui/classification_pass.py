"""A photo's passes through classifiers, kept: the network runs once for each photo, and no control runs it again."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.agreement import Answer
from explorer.errors import UserError
from explorer.explain import Evidence, Pass, evidence
from explorer.images import Photo
from explorer.text import _
from explorer.ui.models import bundled, classifiers, kept_classifier
from pretrained import memory
from pretrained.classification import Classifier, Prediction, classify, look

FAMILIES = ("ResNet", "Vision Transformer", "GoogLeNet", "AlexNet", "VGG", "Swin")


@st.cache_resource(max_entries=2, show_spinner=False)
def _pass(key: str, digest: str, _classifier: Classifier, _pixels: np.ndarray) -> Pass:
    return look(_classifier, _pixels)


@st.cache_resource(max_entries=4, show_spinner=False)
def _evidence(key: str, digest: str, target: int | None, _classifier: Classifier, _one: Pass) -> Evidence:
    with memory.looking(_classifier.model.name):
        return evidence(_one, target)


@st.cache_resource(max_entries=64, show_spinner=False)
def answer(key: str, digest: str, _pixels: np.ndarray) -> Answer:
    """One classifier's answer to a photo; it is loaded only where the answer is not known yet. UserError: it cannot be had."""
    classifier = kept_classifier(key)
    return answered(classifier, classify(classifier, _pixels, top=len(classifier.labels)))


def answered(classifier: Classifier, all_of_it: Prediction) -> Answer:
    """The same for a prediction that names all classes."""
    probabilities = np.empty_like(all_of_it.probabilities)
    probabilities[all_of_it.classes] = all_of_it.probabilities
    return Answer(classifier.model.name, classifier.labels, probabilities)


def look_or_fall_back(classifier: Classifier, photo: Photo, target: int | None) -> tuple[Classifier, Pass, Evidence]:
    """The pass of this photo and the evidence for a class; of a bundled model, and a sentence, where memory is too short.

    target: the class, None for the best answer, which it is also where it had to be another model.
    """
    try:
        return _looked(classifier, photo, target)
    except UserError as error:
        st.error(str(error), icon=":material/memory:")
    st.caption(_("Until then you see the bundled model."))
    return _looked(kept_classifier(bundled(classifiers(FAMILIES), classifier.model.family)), photo, None)


def _looked(classifier: Classifier, photo: Photo, target: int | None) -> tuple[Classifier, Pass, Evidence]:
    key = classifier.model.key
    with st.spinner(_("{name} looks at your photo …").format(name=classifier.model.name), show_time=True):
        one = _pass(key, photo.digest, classifier, photo.pixels)
        return classifier, one, _evidence(key, photo.digest, target, classifier, one)
