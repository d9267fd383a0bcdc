"""The Detection page's section that suppresses box by box, with the arithmetic of one overlap."""

from __future__ import annotations

import streamlit as st

from explorer.components.address import keep_in_address
from explorer.components.maps import Box, Map, maps
from explorer.detection_views import best
from explorer.detections import Detections, Overlap, Round, overlap_of, rounds
from explorer.numbers import number
from explorer.text import _
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.detection_pictures import Canvas, box_on, name_of
from explorer.ui.picks import fresh_pick

MOST = 60
"""Boxes that one goes through round by round."""
MOST_TAGS = 12
"""Rivals whose IoU stands on the picture; of the others it is said on hover."""


def show_rounds(canvas: Canvas, likely: Detections, overlap: float, suppresses: bool, model: str) -> None:
    """The section. likely: all boxes above the score; suppresses: whether the model needs this at all."""
    page.section(
        _("Suppression, box by box"),
        _("The best box stays. Every rival of its class that overlaps it too much goes. Then the best of what is left stays, "
          "and so on. Go through the rounds: does one ever remove a second object?"),
    )  # fmt: skip
    if not suppresses:
        st.caption(_("{name} learned to propose every object once, so it is run without this. Here you see what suppression "
                     "would do to its boxes.").format(name=model))  # fmt: skip
    if not len(likely):
        st.info(_("No box is left to choose among: lower the least score above."), icon=":material/info:")
        return
    pool = best(likely, MOST)
    story = rounds(pool, overlap)
    controls, picture = page.play()
    with controls:
        turn = bounded(_("Round"), range(1, len(story) + 1), 1, key="detect_round") - 1
        if len(likely) > MOST:
            st.caption(_("These are the {most} best boxes above the score.").format(most=MOST))
    now = story[turn]
    rivals = sorted(now.rivals, key=lambda rival: -rival[1])
    left = _still_there(story[:turn], len(pool))
    order = [now.best, *(place for place, _iou in rivals), *(k for k in left if k not in {now.best, *dict(rivals)})]
    with controls:
        chosen = _choose_rival(len(rivals), order)
        st.markdown(_round_text(pool, now, overlap))
        made = None
        if chosen is not None:
            rival, _iou = rivals[chosen]
            made = overlap_of(pool.boxes[now.best].tolist(), pool.boxes[rival].tolist())
            st.markdown(_("Its rival no. {n}, {name}:").format(n=chosen + 1, name=name_of(pool, rival)))
            st.latex(_iou_formula(made))
            st.markdown(_verdict(made, overlap))
    with picture:
        earlier = [one.best for one in story[:turn]]
        drawn = _boxes(canvas, pool, now, order, earlier, made)
        told = _round_finding(pool, now, len(left) - 1 - len(now.suppressed))
        title = _("Round {n} of {all}").format(n=turn + 1, all=len(story))
        maps([Map(canvas.pixels, title, told, role="output", boxes=drawn)],
             key="detect_round_map", columns=1, height=560, pick=True)  # fmt: skip


def _still_there(done: list[Round], count: int) -> list[int]:
    """The boxes that the rounds so far have neither kept nor removed."""
    gone = {place for one in done for place in (one.best, *one.suppressed)}
    return [place for place in range(count) if place not in gone]


def _choose_rival(count: int, order: list[int]) -> int | None:
    """Which rival, from 0, the one that overlaps most first; a click on its box chooses it. None: there is none."""
    if not count:
        return None
    picked = fresh_pick("detect_round_map")
    if picked is not None and picked.box is not None and 1 <= picked.box <= min(count, len(order) - 1):
        st.session_state["detect_rival"] = picked.box
    rival = bounded(_("Rival, by overlap"), range(1, count + 1), 1, key="detect_rival")
    keep_in_address({"detect_rival": str(rival)}, key="detect_rival_address")
    return rival - 1


def _boxes(
    canvas: Canvas, pool: Detections, now: Round, order: list[int], earlier: list[int], made: Overlap | None
) -> tuple[Box, ...]:
    """The best, its rivals with their IoU, what waits, what stayed before; under them the chosen intersection."""
    overlaps, gone = dict(now.rivals), set(now.suppressed)
    drawn = []
    for number_of, place in enumerate(order):
        if place == now.best:
            drawn.append(box_on(canvas, pool, place))
            continue
        label = _("IoU {iou}").format(iou=number(overlaps[place], 2)) if place in overlaps else ""
        tagged = label if number_of <= MOST_TAGS and overlaps.get(place, 0) > 0 else ""
        drawn.append(box_on(canvas, pool, place, "struck" if place in gone else "waiting", tagged))
    drawn += [box_on(canvas, pool, place, "waiting", _("stays")) for place in earlier]
    if made is not None and made.intersection > 0:
        drawn.append(Box(canvas.edges((made.left, made.top, made.right, made.bottom)), style="area"))
    return tuple(drawn)


def _round_text(pool: Detections, now: Round, overlap: float) -> str:
    text = _("**{name}** is the best box left, so it stays. Of {n} rivals of its class, **{gone}** overlap it by more than "
             "{overlap} and go.")  # fmt: skip
    return text.format(
        name=name_of(pool, now.best), n=len(now.rivals), gone=len(now.suppressed), overlap=number(overlap, 2)
    )


def _round_finding(pool: Detections, now: Round, waiting: int) -> str:
    text = _("{name} stays, {gone} crossed out, {waiting} still wait.")
    return text.format(name=name_of(pool, now.best), gone=len(now.suppressed), waiting=waiting)


def _iou_formula(made: Overlap) -> str:
    """LaTeX: the areas in pixels of the photo, whole where they are large."""
    shared, first, second, union = (_area(value) for value in (made.intersection, made.first, made.second, made.union))
    across, down = max(made.right - made.left, 0), max(made.bottom - made.top, 0)
    lines = (
        rf"A \cap B &= {across:.1f} \cdot {down:.1f} = {shared}",
        rf"A \cup B &= {first} + {second}",
        rf"& \quad - {shared} = {union}",
        rf"{page.tex('output', 'IoU')} &= {shared} \div {union}",
        rf"&= {made.iou:.3f}",
    )
    rows = r" \\ ".join(lines)
    return rf"\begin{{aligned}} {rows} \end{{aligned}}"


def _area(value: float) -> str:
    return f"{value:,.0f}".replace(",", r"\,") if value >= 100 else f"{value:.2f}"


def _verdict(made: Overlap, overlap: float) -> str:
    if made.iou > overlap:
        return _("{iou} > {overlap}: the same object, so it goes.").format(
            iou=number(made.iou), overlap=number(overlap, 2))  # fmt: skip
    return _("{iou} ≤ {overlap}: taken for another object, so it may stay.").format(
        iou=number(made.iou), overlap=number(overlap, 2))  # fmt: skip
