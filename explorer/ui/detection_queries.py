"""The Detection page's section on DETR: where a query looks, and the matching that its training rests on."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.address import keep_in_address
from explorer.components.maps import Map, maps
from explorer.detection_views import MOST_DRAWN, best, others, places_in
from explorer.detections import Detections
from explorer.explain import enlarge, overlay
from explorer.images import Photo
from explorer.numbers import grouped, number
from explorer.set_matching import MOST_OBJECTS, MOST_PREDICTIONS, match
from explorer.text import _
from explorer.ui import page
from explorer.ui.detection_pictures import Canvas, boxes_on, name_of
from explorer.ui.detectors import Seen, detectors
from explorer.ui.picks import fresh_pick
from explorer.ui.weights import is_here, size_of, where_it_is

QUERY = "detect_query"
DETR = "detr-resnet50-coco"
DIMMED = 0.75  # of the photo’s light, where a query does not look


def show_queries(canvas: Canvas, kept: Detections, seen: Seen, photo: Photo, wanted: int | None) -> None:
    """The section. kept: the boxes that are shown; wanted: the place among all of one that the visitor has just clicked."""
    page.section(
        _("DETR: no grid, no suppression"),
        _("DETR asks a fixed number of questions, its queries. Each looks at the whole photo through cross-attention and "
          "answers with one box or with “nothing”. The queries see each other’s answers, so no two need to say the same."),
    )  # fmt: skip
    if seen.look.attention is not None:
        _show_attention(canvas, kept, seen, photo, wanted)
    else:
        model = detectors()[DETR]
        told = _("{name} is on this computer: choose it under “Model” to see where each query looks.")
        if not is_here(model):
            what_then = _("Choose it under “Model” to download it, and click on a box to see where its query looks.")
            told = f"{where_it_is(model, size_of(model))} {what_then}"
        st.info(told.format(name=model.name), icon=":material/travel_explore:")
    _show_matching(canvas, kept, seen)


def _show_attention(canvas: Canvas, kept: Detections, seen: Seen, photo: Photo, wanted: int | None) -> None:
    found, queries, attention = seen.look.found, seen.look.queries, seen.look.attention
    if queries is None or attention is None:
        return
    drawn = best(kept, MOST_DRAWN)
    place = _choose_box(seen, photo, wanted, places_in(found, drawn))
    query = int(queries[place])
    by_layer = attention[:, :, query].mean(1)  # (layers, h, w): over the heads
    st.markdown(
        _("Query **{query}** proposes **{name}**. Below is its cross-attention in every layer of the decoder, the mean of its "
          "{heads} heads: each map sums to 1. Click on a box above or here.").format(
              query=query, name=name_of(found, place), heads=attention.shape[1])
    )  # fmt: skip
    height, width = canvas.pixels.shape[:2]
    lit = overlay(canvas.pixels, enlarge(by_layer[-1], width, height), DIMMED)
    pictures = [
        Map(one, _("Layer {n}").format(n=n), _("sum {sum}, largest {top}").format(
            sum=number(float(one.sum())), top=number(float(one.max()), 4)), role="hidden", signed=False)
        for n, one in enumerate(by_layer, start=1)
    ]  # fmt: skip
    photo_map = Map(lit, _("Last layer on the photo"), _("Bright where the query looks."), role="query",
                    boxes=boxes_on(canvas, drawn))  # fmt: skip
    left, right = st.columns([5, 6], gap="small")
    with left:
        maps([photo_map], key="detect_query_photo", columns=1, height=380, pick=True)
    with right:
        maps(pictures, key="detect_query_maps", columns=3, height=170, size="small")
    st.caption(_("Attention says where numbers came from, not why: it is no explanation of the answer."))
    keep_in_address({QUERY: str(query)}, key="detect_query_address")


def _choose_box(seen: Seen, photo: Photo, wanted: int | None, drawn: list[int]) -> int:
    """The place among all boxes of the one to look at: clicked just now, or before on this photo, or the best.

    drawn: the places of those on this section's photo.
    """
    state, queries = st.session_state, seen.look.queries
    subject = (seen.detector.model.key, photo.digest)
    if QUERY not in state:
        asked = st.query_params.get(QUERY, "")
        known = asked.isdecimal() and queries is not None
        named = np.flatnonzero(queries == int(asked)) if known else np.zeros(0, int)
        state[QUERY] = (subject, int(named[0]) if len(named) else 0)
    elif state[QUERY][0] != subject:
        state[QUERY] = (subject, 0)
    picked = fresh_pick("detect_query_photo")
    if wanted is None and picked is not None and picked.box is not None and picked.box < len(drawn):
        wanted = drawn[picked.box]
    if wanted is not None:
        state[QUERY] = (subject, wanted)
    return state[QUERY][1]


def _show_matching(canvas: Canvas, kept: Detections, seen: Seen) -> None:
    """A cost for each pair of object and prediction, and the cheapest assignment."""
    objects = best(kept, MOST_OBJECTS)
    predictions = others(seen.look.found, objects, MOST_PREDICTIONS)
    st.subheader(_("How it learns: every object gets one query"), anchor=False)
    if not len(objects) or len(predictions) < len(objects):
        st.caption(_("With a box or more above the score, and as many others beside them, you see a matching here."))
        return
    made = match(objects.boxes, predictions.boxes, canvas.width, canvas.height)
    told = _("In training, the drawn objects and the predictions are matched so that the sum of all costs is least; every "
             "prediction that is left over has to learn “nothing”. Here the {n} best boxes above stand for the objects, the "
             "{m} best others for the predictions. DETR also takes away the probability of the object’s class.")  # fmt: skip
    st.markdown(told.format(n=len(objects), m=len(predictions)))
    st.latex(rf"{page.tex('output', 'cost')} = 5 \cdot \lVert b - \hat b \rVert_1 - 2 \cdot \text{{GIoU}}(b, \hat b)")
    rows = tuple(f"{k} {name_of(objects, k - 1)}" for k in range(1, len(objects) + 1))
    columns = tuple(f"{k} {name_of(predictions, k - 1)}" for k in range(1, len(predictions) + 1))
    marks = np.array([(row, column) for row, column in enumerate(made.chosen)], np.float32)
    pairs = ", ".join(f"{row} → {column + 1}" for row, column in enumerate(made.chosen, start=1))
    told = _("The cheapest of {tried} assignments: {pairs}; together {total}. The Hungarian algorithm finds it without trying "
             "them all.").format(tried=grouped(made.tried), pairs=pairs, total=number(made.total))  # fmt: skip
    maps([Map(made.cost, _("Cost: objects ↓, predictions →"), told, rows=rows, columns=columns,
              marks=marks, role="output")],
         key="detect_matching", columns=1, height=260)  # fmt: skip
