"""The section “Side by side”: several classifiers on one photo, and what they agree on."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from explorer.agreement import Agreement, Answer, Row, compare
from explorer.errors import UserError
from explorer.images import Photo
from explorer.text import _
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.classification_pass import FAMILIES, answer
from explorer.ui.models import classifiers
from pretrained import loading
from pretrained.classification import Classifier
from pretrained.records import ImageClassifier

MOST = 4


def side_by_side(photo: Photo, current: Classifier, known: Answer) -> None:
    """current: the page's own model, always the first; known: its answer, which is not asked for again."""
    hint = _("Choose models to stand beside {name}. Where the best answers differ, look how sure each is.")
    page.section(_("Side by side"), hint.format(name=current.model.name))
    models_box, top_box = st.columns([11, 4], gap="medium")
    records = classifiers(FAMILIES)
    bundled = [record.key for record in records.values() if record.source == "bundled"]
    chosen = models_box.multiselect(_("Models"), list(records), default=bundled, key="class_models", bind="query-params",
                                    format_func=lambda key: records[key].name, max_selections=MOST)  # fmt: skip
    records.setdefault(current.model.key, current.model)
    with top_box:
        top = bounded(_("Best answers of each"), range(1, 11), 5, key="class_top")
    asked = [_answer(records[key], photo, current, known) for key in dict.fromkeys([current.model.key, *chosen])]
    answers = [one for one in asked if one is not None]
    found = compare(answers, top)
    st.html(table_html(answers, found))
    for sentence in findings(answers, found, top):
        st.markdown(sentence)
    if len(answers) > 1:
        st.caption(_("Each column sums to 1 over all classes of its model; numbers in front are ranks. Total variation "
                     "distance is ½ Σ|p − q| over all classes: 0 where two models say the same, 1 where nothing is common "
                     "to them."))  # fmt: skip


def _answer(record: ImageClassifier, photo: Photo, current: Classifier, known: Answer) -> Answer | None:
    """One model's answer; None, and a sentence, where it is not to be had."""
    if record.key == current.model.key:
        return known
    if loading.find(record) is None and record.source != "bundled":
        text = _("{name} is not on this computer yet: choose it as Model at the top of the page to download it.")
        st.caption(text.format(name=record.name))
        return None
    try:
        with st.spinner(_("{name} looks at your photo …").format(name=record.name), show_time=True):
            return answer(record.key, photo.digest, photo.pixels)
    except UserError as error:
        st.error(str(error), icon=":material/cloud_off:")
        return None


def table_html(answers: Sequence[Answer], found: Agreement) -> str:
    """A row for each class, a column for each model; a class that several have among their best is bold and has a mark."""
    head = "".join(f'<th scope="col">{escape(one.name)}</th>' for one in answers)
    rows = "".join(_row_html(row) for row in found.rows)
    corner = escape(_("Class"))
    return (
        f'<div class="aligned" tabindex="0"><table><thead><tr><th scope="col">{corner}</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row_html(row: Row) -> str:
    label = f"<b>● {escape(row.label)}</b>" if row.shared else escape(row.label)
    cells = "".join(_cell_html(p, rank) for p, rank in zip(row.probabilities, row.ranks, strict=True))
    return f'<tr><th scope="row" style="font-weight:normal">{label}</th>{cells}</tr>'


def _cell_html(probability: float | None, rank: int | None) -> str:
    if probability is None:
        return f"<td><small>{escape(_('not one of its classes'))}</small></td>"
    text = f"{probability:.1%}"
    text = f"<b>{rank}.</b> {text}" if rank else f"<small>{text}</small>"
    colour = "var(--role-output)" if rank else "var(--faint)"
    return (
        f'<td>{text}<div class="bar" aria-hidden="true"><i style="width:{100 * probability:.2f}%;background:{colour}">'
        "</i></div></td>"
    )


def findings(answers: Sequence[Answer], found: Agreement, top: int) -> list[str]:
    """What they agree on, in sentences."""
    if len(answers) < 2:
        return []
    best = ", ".join(_("{name} says {label}").format(
        name=one.name, label=next(row.label for row in found.rows if row.ranks[i] == 1)) for i, one in enumerate(answers)
    )  # fmt: skip
    same = _("**Their best answers agree**") if found.same_best else _("**Their best answers differ**")
    sentences = [f"{same}: {best}."]
    if found.shared:
        text = _("● Among the best {top} of more than one: {labels}.")
        sentences.append(text.format(top=top, labels=", ".join(found.shared)))
    else:
        sentences.append(_("No class is among the best {top} of more than one.").format(top=top))
    for pair in found.pairs:
        names = {"first": answers[pair.first].name, "second": answers[pair.second].name}
        if pair.distance is None:
            text = _("{first} and {second}: {overlap} of {top} in common. They know different classes, {common} of them by "
                     "the same name, so only names are compared.")  # fmt: skip
            sentences.append(text.format(**names, overlap=pair.overlap, top=top, common=pair.common))
        else:
            text = _("{first} and {second}: {overlap} of {top} in common, total variation distance {distance:.2f}.")
            sentences.append(text.format(**names, overlap=pair.overlap, top=top, distance=pair.distance))
    return sentences
