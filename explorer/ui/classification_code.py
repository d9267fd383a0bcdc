"""The lines under “Code”: the answer, and the heat by the chosen method."""

from __future__ import annotations

from explorer import cams
from explorer.images import Photo
from explorer.ui.photo_input import photo_source

SCORE = "gradient = saliency.gradient_of(lambda x: classifier.module(x)[:, target])"


def snippet(
    photo: Photo, key: str, method: str, layer: str, target: int | None, side: int, stride: int, *, with_heat: bool
) -> str:
    """Runnable. target: class index, None for the best answer; with_heat: whether the page shows it, too."""
    ask = "target = int(prediction.classes[0])" if target is None else f"target = {target}"
    lines = ["import numpy as np"]
    names = "classify, load_classifier" if method == "occlusion" else "classify, load_classifier, look"
    if not with_heat:
        body, names = ["result = prediction.probabilities"], "classify, load_classifier"
        lines = []
    elif method in cams.METHODS:
        lines += ["from explorer import cams", "from explorer.explain import evidence"]
        body = [
            ask,
            "found = evidence(look(classifier, photo.pixels), target)",
            f'heat = cams.METHODS["{method}"](found.maps["{layer}"], found.gradients["{layer}"])',
        ]
    elif method == "saliency":
        lines += ["from explorer import saliency", "from explorer.explain import evidence"]
        body = [
            ask,
            "found = evidence(look(classifier, photo.pixels), target)",
            "heat = saliency.without_peaks(saliency.strongest(found.at_photo))",
        ]
    elif method == "occlusion":
        lines += ["from explorer.occlusions import per_pixel", "from explorer.patches import occlusion"]
        names = "class_probability, classify, load_classifier, view"
        body = [
            ask,
            "seen = view(classifier, photo.pixels)",
            f"found = occlusion(seen, lambda views: class_probability(classifier, views, target), {side}, {stride})",
            "heat = np.maximum(per_pixel(found, seen.shape[:2]), 0)",
        ]
    else:
        lines += ["from explorer import saliency"]
        names = "classify, load_classifier, preprocess"
        body = [ask, "x = preprocess(classifier, photo.pixels)", SCORE]
        if method == "smooth_grad":
            body.append("heat = saliency.without_peaks(saliency.smooth_grad(gradient, x))")
        else:
            body += [
                "found = saliency.integrated_gradients(lambda x: classifier.module(x)[:, target], gradient, x)",
                "heat = saliency.without_peaks(np.maximum(found.values, 0))",
            ]
    if with_heat:
        body.append("result = np.append(prediction.probabilities, heat)")
    lines += [
        f"from pretrained.classification import {names}",
        photo_source(photo),
        f'classifier = load_classifier("{key}")',
        "prediction = classify(classifier, photo.pixels)",
        "for label, probability in zip(prediction.labels, prediction.probabilities):",
        '    print(f"{probability:6.1%} {label}")',
        *body,
    ]
    return "\n".join(lines)
