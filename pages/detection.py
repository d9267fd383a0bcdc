"""Object detection: boxes on a photo, from the grids that propose them to the few that are left."""

import streamlit as st

from explorer.components.maps import maps
from explorer.detection_views import MOST_DRAWN, best, counts, few_of_a_class, places_in, trace_nms
from explorer.detections import Detections, keep
from explorer.text import _
from explorer.trace import Trace
from explorer.ui import page
from explorer.ui.detection_cells import show_cells
from explorer.ui.detection_controls import choose_classes, choose_thresholds
from explorer.ui.detection_first_yolo import show_first_yolo
from explorer.ui.detection_pictures import Canvas, before_and_after, listed
from explorer.ui.detection_queries import show_queries
from explorer.ui.detection_results import show_model, show_results, snippet
from explorer.ui.detection_rounds import show_rounds
from explorer.ui.detectors import choose_detector, look_at
from explorer.ui.photo_input import photo_input
from explorer.ui.picks import fresh_pick
from explorer.ui.steps import show_steps

ROLES = {
    **dict.fromkeys("boxes a b".split(), "input"),
    "scores": "value",
    **dict.fromkeys("labels same left others suppressed".split(), "mask"),
    **dict.fromkeys("top_left bottom_right size width height intersection union".split(), "hidden"),
    **dict.fromkeys("overlap best".split(), "output"),
}


@st.cache_resource(max_entries=8, show_spinner=False)
def steps_of(boxes: bytes, scores: bytes, overlap: float, _few: Detections) -> Trace:
    """The steps of suppression on these boxes, kept."""
    return trace_nms(_few, overlap)


page.header(
    _("Object detection"),
    _("A detector says what is on a photo and where. It looks once: every cell of a grid proposes a box, with a score for each "
      "class. Most are dismissed for their score, and of those that overlap only the best one stays."),
    rf"\begin{{aligned}} {page.tex('output', 'score')} &= P(\text{{object}}) \cdot {page.tex('value', 'P')}"
    rf"(\text{{class}} \mid \text{{object}}) \\ {page.tex('output', 'IoU')} &= \text{{area}}(A \cap B) \div "
    r"\text{area}(A \cup B) \end{aligned}",
    more="detection",
)  # fmt: skip

controls, picture = page.play()
with controls:
    with st.expander(_("Photo")):
        photo = photo_input("coco_street_bus_cars.jpg")
    chosen = choose_detector("detect_model")
    seen = look_at(chosen, photo)
    found, model = seen.look.found, seen.detector.model
    least, overlap = choose_thresholds(model.overlaps)
    iou = overlap if model.overlaps else None
    scored = keep(found, least)
    hidden = choose_classes(scored)
likely, kept = keep(found, least, hidden=hidden), keep(found, least, iou, hidden)
canvas = Canvas.of(photo.pixels)
click = fresh_pick("detect_maps")
wanted = None
if click is not None and click.box is not None:
    drawn = best((likely, kept)[click.map], MOST_DRAWN)
    wanted = places_in(found, drawn)[click.box] if click.box < len(drawn) else None
with picture:
    top = float(found.scores[0]) if len(found) else None
    shown = before_and_after(canvas, likely, kept, least, iou, top)
    maps(shown, key="detect_maps", columns=2, height=480, pick=True)
    st.caption(_("Point at a box for its place in the photo; the arrow keys go from box to box. A click shows below which "
                 "cell or query proposed it. The sliders choose among what the network said once; it does not run "
                 "again."))  # fmt: skip

frequent = next(iter(counts(kept)), None)
show_cells(seen, photo, None if frequent is None else found.classes.index(frequent), wanted)
show_rounds(canvas, likely, overlap, model.overlaps, model.name)

page.step_through()
few = few_of_a_class(likely, found)
if len(few):
    told = _("The code of suppression on {what}, the best of one class. Find the line with “intersection / union”.")
    st.markdown(told.format(what=listed(few)))
    steps = steps_of(few.boxes.tobytes(), few.scores.tobytes(), overlap, few)
    show_steps(
        steps, key="detect_stepper", roles=ROLES, start=steps.first("div"), subject=f"{model.key} {photo.digest}"
    )
else:
    st.info(_("The network proposes no box at all here, so there is nothing to step through."), icon=":material/info:")

show_first_yolo(canvas, kept, seen)
show_queries(canvas, kept, seen, photo, wanted)
show_results(kept, photo)
show_model(seen.detector)
page.code(snippet(model, photo, least, iou, hidden), kept.boxes)
page.sources(
    [
        ("Redmon, Divvala, Girshick & Farhadi 2016: You Only Look Once", "https://arxiv.org/abs/1506.02640"),
        ("Ge et al. 2021: YOLOX: Exceeding YOLO Series in 2021", "https://arxiv.org/abs/2107.08430"),
        ("Ren, He, Girshick & Sun 2015: Faster R-CNN", "https://arxiv.org/abs/1506.01497"),
        (
            "Carion et al. 2020: End-to-End Object Detection with Transformers (DETR)",
            "https://arxiv.org/abs/2005.12872",
        ),
        ("torchvision: object detection", "https://docs.pytorch.org/vision/stable/models.html#object-detection"),
        ("torchvision.ops.nms", "https://docs.pytorch.org/vision/stable/generated/torchvision.ops.nms.html"),
    ]
)
