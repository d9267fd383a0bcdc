"""The cards of Home: a thumbnail drawn by the page's own functions, a title that opens the page, one sentence.

The functions need torch, which takes seconds to load. So the cards stand at once with empty pictures, and a second pass
fills them; after that the thumbnails are kept for all visitors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.gallery import load_sample
from explorer.images import fit, to_grey
from explorer.ui.pages import Topic, chapters

SIDE = 240  # longer side of the photos, pixels
HEIGHT = 150
ACROSS = 3  # cards in a row
STREET, UPPER = "coco_street_bus_cars.jpg", slice(60, 420)  # the rows of it in which there is anything
PETS = ("cat_chelsea.jpg", "coco_cat_on_sofa.jpg", "coco_cows.jpg", "coco_giraffes.jpg", "flower.jpg", "coffee.jpg")
EMPTY = Map(np.zeros((2, 3), np.float32), "")


def filters() -> Map:
    """The size of Scharr's gradient."""
    from explorer.filtering import fast_gradient
    from explorer.kernels import scharr

    x = scharr().x
    image = to_grey(fit(load_sample("china_temple.jpg").pixels, SIDE))
    return Map(fast_gradient(image, x, x.T.copy())[2], "")


def convolution() -> Map:
    """Sobel's x over the photographer, at stride 3."""
    import torch

    from explorer.kernels import sobel
    from explorer.models.convolution import conv2d

    image = torch.from_numpy(to_grey(fit(load_sample("cameraman.jpg").pixels, SIDE)))
    weight = torch.from_numpy(sobel().x.copy())
    return Map(conv2d(image[None, None], weight[None, None], stride=3, padding=1)[0, 0].numpy(), "")


def pooling() -> Map:
    """The largest value of each window of 6 × 6 pixels of the flower."""
    import torch

    from explorer.models.pooling import max_pool2d

    image = torch.from_numpy(to_grey(fit(load_sample("flower.jpg").pixels, SIDE)))
    return Map(max_pool2d(image[None, None], 6)[0][0, 0].numpy(), "")


def walkthrough() -> Map:
    """The map that varies most, of six layers of the bundled ResNet, from its first ReLU into its third stage."""
    from explorer.layer_cells import strongest_channels
    from explorer.layer_outputs import walk
    from pretrained.classification import load_classifier, preprocess

    classifier = load_classifier("resnet18-photos110")
    walked = walk(classifier.module, preprocess(classifier, load_sample("coco_pizza.jpg").pixels))
    names = ("stem.relu", *(f"layer{stage}.{block}.relu2" for stage, block in ((1, 0), (1, 1), (2, 0), (2, 1), (3, 0))))
    found = []
    for name in names:
        layer = walked[name]
        values = layer.output[strongest_channels(layer)[0]].numpy()
        found.append(np.kron(values / values.max(), np.ones((64 // len(values), 64 // len(values)), np.float32)))
    return Map(np.concatenate([np.concatenate(found[:3], 1), np.concatenate(found[3:], 1)]), "", role="hidden")


def classification() -> Map:
    """Where ResNet finds the pizza."""
    from explorer.explain import enlarge, grad_cam, overlay
    from pretrained.classification import load_classifier, preprocess

    classifier = load_classifier("resnet18-photos110")
    pixels = fit(load_sample("coco_pizza.jpg").pixels, SIDE)
    cam = grad_cam(classifier.module, preprocess(classifier, pixels), "layer4.1").cam
    return Map(overlay(pixels, enlarge(cam, pixels.shape[1], pixels.shape[0])), "")


def architectures() -> Map:
    """A column for each of four networks, a row for each size of map: how much of its work is done there."""
    from explorer.architectures import outline

    outlines = [outline(key) for key in ("alexnet", "vgg16", "googlenet", "resnet18")]
    sides = sorted({stage.side for one in outlines for stage in one.stages}, reverse=True)
    shares = [[sum(s.macs for s in one.stages if s.side == side) / one.macs for one in outlines] for side in sides]
    return Map(np.array(shares, np.float32), "", role="hidden")


def local_attention() -> Map:
    """Swin's moved windows on a photo; what one patch sees is lit."""
    from explorer.window_pictures import bordered, lit, square
    from explorer.windows import visible, windows_of

    photo, region = square(load_sample("china_temple.jpg").pixels), windows_of((28, 28), 7, moved=True).region
    return Map(bordered(lit(photo, visible((28, 28), 7, (8, 12), moved=True)), region, (207, 220, 243)), "")


def vit() -> Map:
    """Where the class token of the bundled Vision Transformer looks in its last layer, the mean over the heads."""
    from explorer.patches import on_patches
    from explorer.vit_photo import drawn_side, lit
    from explorer.vit_reading import read
    from explorer.window_pictures import square
    from pretrained.classification import load_classifier, preprocess

    classifier = load_classifier("vit-photos110")
    pixels = load_sample("coco_pizza.jpg").pixels
    reading = read(classifier.module, preprocess(classifier, pixels))
    photo = square(pixels, drawn_side(reading.grid, SIDE))
    return Map(lit(photo, on_patches(reading.look(reading.layers - 1, None, 0), reading.grid), 0.5), "")


def vit_or_resnet() -> Map:
    """A photo with its patches shuffled."""
    from explorer.vit_or_resnet import SIDE as WHOLE
    from explorer.vit_or_resnet import harmed
    from explorer.window_pictures import square

    return Map(harmed(square(load_sample("china_temple.jpg").pixels, WHOLE), "shuffled", 4, 0), "")


def detection() -> Map:
    """What the bundled detector finds on a street."""
    from explorer.detections import keep
    from explorer.ui.detection_pictures import Canvas, boxes_on
    from pretrained.detection import load_detector, look

    pixels = load_sample(STREET).pixels[UPPER]
    found = keep(look(load_detector("yolox-highway"), pixels).found, 0.3, 0.45)
    canvas = Canvas.of(pixels, 2 * SIDE)
    return Map(canvas.pixels, "", boxes=tuple(replace(box, label="") for box in boxes_on(canvas, found)))


def segmentation() -> Map:
    """The classes of a street, in colour."""
    from explorer.segmentation_views import class_colours, overlay, view
    from pretrained.segmentation import load_segmenter, segment

    pixels = load_sample(STREET).pixels[UPPER]
    made = segment(load_segmenter("unet-camvid"), pixels)
    shown = view(made, pixels, 2 * SIDE)
    return Map(overlay(shown.pixels, shown.mask, class_colours(made.classes), 0.6), "")


def many_photos() -> Map:
    """Six photos, in colour what a network that knows cats and dogs takes for one."""
    from explorer.batches import Source, process
    from explorer.window_pictures import square
    from pretrained.segmentation import load_segmenter, segment

    segmenter = load_segmenter("unet-pets")
    sources = [Source(name, partial(load_sample, name)) for name in PETS]
    seen = [square(one.preview) for one in process(sources, partial(segment, segmenter)) if one.preview is not None]
    return Map(np.concatenate([np.concatenate(seen[:3], 1), np.concatenate(seen[3:], 1)]), "")


def recurrent() -> Map:
    """The states of an LSTM over a sentence, a row for each unit; its weights are random."""
    from explorer.recurrent_views import Setup, run
    from explorer.words import random_vectors, split_words

    words = [word.text for word in split_words("The cat sat on the mat because it was tired.")]
    return Map(run("lstm", random_vectors(words, 4), Setup(hidden=8)).states().T, "")


def positions() -> Map:
    """Sinusoids: a row for each of 48 positions."""
    from explorer.position_views import encode

    return Map(encode(48, 72, 10_000), "")


def attention() -> Map:
    """Whom each word of a sentence looks at; the weights are random."""
    from explorer.self_attention_views import SentenceSetup, draws

    setup = SentenceSetup(tuple("The cat sat on the mat because it was tired".split()), causal=True)
    return Map(draws(setup, range(len(setup.words)), 1)[0], "", role="hidden")


def multihead() -> Map:
    """Where each of four heads looks, side by side; their weights are random."""
    from explorer.multihead_views import attend, seeded_attention
    from explorer.words import random_vectors, split_words

    words = [word.text for word in split_words("The cat sat on the mat because it was tired")]
    weights = attend(random_vectors(words, 12), seeded_attention(12, 4)).weights
    return Map(np.concatenate([np.concatenate(weights[:2], 1), np.concatenate(weights[2:], 1)]), "")


def transformer() -> Map:
    """Where the bundled translator looks in the English sentence, for each French word."""
    from explorer.transformer_views import run
    from pretrained.translation import load_translator

    english, french = "the small black cat sees a red flower", "le petit chat noir voit une fleur rouge"
    result = run(load_translator().module, english.split(), french.split())
    return Map(result.weights("decoder.1.cross").mean(0), "")


def rnn_or_attention() -> Map:
    """Which output hears which word: of an RNN, and of self-attention. Each is 1 at its largest."""
    from explorer.word_influence import traits

    found = traits(24)
    return Map(
        np.concatenate([found[key].influence / found[key].influence.max() for key in ("rnn", "attention")], 1), ""
    )


def bert() -> Map:
    """Some heads of the packaged BERT on a sentence; nothing where it is not installed."""
    from explorer.tokens import encode
    from explorer.ui.language_models import here, load, reading_of

    present = here()
    if not present:
        return EMPTY
    model = load(present[0])
    tokens = encode(model.tokenizer, "The cat sat on the mat because it was tired.", limit=model.limit)
    attention, gap = reading_of(model, tokens).attention, np.zeros((len(tokens), 1), np.float32)
    return Map(np.concatenate([attention[0, 2], gap, attention[2, 3], gap, attention[3, 3]], axis=1), "")


def bert_predicts() -> Map:
    """How the likeliest words for a mask grow from layer to layer; without a model that guesses, how alike its vectors are."""
    from explorer.language_views import cosine
    from explorer.tokens import encode
    from explorer.ui.language_models import here, load, reading_of, records
    from pretrained.reading import masked

    present = sorted(here(), key=lambda key: not records()[key].guesses_words)
    if not present:
        return EMPTY
    model = load(present[0])
    tokens = encode(model.tokenizer, "The cat sat on the mat because it was tired.", limit=model.limit)
    if model.guesses != "masked":
        last = reading_of(model, tokens).hidden[-1]
        return Map(cosine(last[:, None], last[None]), "", signed=False)
    hidden = masked(model, tokens, 2)
    layers = model.guess_by_layer(reading_of(model, hidden), 2, top=40)
    share = [dict(zip(one.ids.tolist(), one.probabilities.tolist(), strict=True)) for one in layers]
    return Map(np.array([[one.get(i, 0.0) for i in layers[-1].ids[:8].tolist()] for one in share]), "")


THUMBNAILS: dict[str, Callable[[], Map]] = {
    "filters": filters,
    "convolution": convolution,
    "pooling": pooling,
    "walkthrough": walkthrough,
    "classification": classification,
    "architectures": architectures,
    "vit": vit,
    "local_attention": local_attention,
    "vit_or_resnet": vit_or_resnet,
    "detection": detection,
    "segmentation": segmentation,
    "many_photos": many_photos,
    "recurrent": recurrent,
    "positions": positions,
    "attention": attention,
    "multihead": multihead,
    "transformer": transformer,
    "rnn_or_attention": rnn_or_attention,
    "bert": bert,
    "bert_predicts": bert_predicts,
}


@st.cache_resource(show_spinner=False)
def _drawn() -> dict[str, Map]:
    return {}


def cards() -> None:
    """All cards, chapter by chapter."""
    complete = len(_drawn()) == len(THUMBNAILS)
    st.fragment(_draw, run_every=None if complete else 0.4)()


def _draw() -> None:
    drawn = _drawn()
    if len(drawn) < len(THUMBNAILS) and st.session_state.get("home_stands"):
        for file, draw in THUMBNAILS.items():
            if file not in drawn:
                drawn[file] = draw()
        st.rerun()
    for chapter, group in chapters().items():
        st.subheader(chapter, anchor=False)
        for start in range(0, len(group), ACROSS):
            for column, topic in zip(st.columns(ACROSS, gap="medium"), group[start : start + ACROSS], strict=False):
                with column:
                    _card(topic, drawn.get(topic.file, EMPTY))
    st.session_state["home_stands"] = True


def _card(topic: Topic, thumbnail: Map) -> None:
    with st.container(border=True):
        maps([thumbnail], key=f"card_{topic.file}", columns=1, height=HEIGHT, size="thumbnail")
        st.page_link(topic.path, label=f"**{topic.title}**", icon=topic.icon)
        st.caption(topic.about)
