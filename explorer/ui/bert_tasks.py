"""Tasks that a model was trained on for: judging a text, answering a question from a text; and what the answer attends to."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.errors import UserError
from explorer.text import _
from explorer.ui.bert_asked import Asked
from explorer.ui.bert_task_views import show_answered, show_judged
from explorer.ui.bert_texts import MOST_TYPED
from explorer.ui.hub_models import Wanted, choose_id, obtain
from pretrained import catalog, hub
from pretrained.records import AnswerRecord, JudgeRecord

Task = Literal["judging", "answering"]
KINDS: dict[Task, Any] = {"judging": JudgeRecord, "answering": AnswerRecord}
EXAMPLES = {
    "judging": "cardiffnlp/twitter-roberta-base-sentiment-latest or ProsusAI/finbert",
    "answering": "deepset/minilm-uncased-squad2 or deepset/roberta-base-squad2",
}
OTHER = "other"
REVIEW = "The plot is thin, but I laughed until the very end."
QUESTION = "Why did the cat sleep?"
CONTEXT = ("The cat had hunted mice in the barn all night. In the morning it came into the kitchen, drank a bowl of milk, and "
           "slept on the mat until noon because it was tired.")  # fmt: skip


def show_tasks(controls: DeltaGenerator, picture: DeltaGenerator) -> Asked:
    """Both tasks, one at a time."""
    tasks: dict[Task, str] = {"judging": _("Judge a text"), "answering": _("Answer a question")}
    with controls:
        task = st.segmented_control(_("Task"), list(tasks), default="judging", required=True, wrap=True,
                                    format_func=tasks.__getitem__, key="predict_task", bind="query-params")  # fmt: skip
        if task == "judging":
            text = st.text_area(_("A text to judge"), REVIEW, key="predict_review", max_chars=MOST_TYPED, height=100,
                                bind="query-params")  # fmt: skip
            typed: tuple[str, ...] = (text,)
        else:
            question = st.text_area(_("A question"), QUESTION, key="predict_asked", max_chars=MOST_TYPED, height=70,
                                    bind="query-params")  # fmt: skip
            context = st.text_area(_("The text that answers"), CONTEXT, key="predict_context_text", max_chars=MOST_TYPED,
                                   height=150, bind="query-params")  # fmt: skip
            typed = (question, context)
        repository = _choose(task)
    if repository is None:
        with picture:
            st.info(_("Models that were tuned for a task do not come with the explorer: download one once, beside this, and it "
                      "works without a network from then on."), icon=":material/info:")  # fmt: skip
        return Asked()
    with controls:
        found, typed = _done(task, repository, typed)
    if task == "judging":
        return show_judged(controls, picture, repository, typed[0], found)
    return show_answered(controls, picture, repository, typed, found)


@st.cache_resource(max_entries=3, show_spinner=False)
def _load(task: Task, repository: str) -> Any:
    from pretrained import finetuned  # imports transformers, which takes seconds

    made = {"judging": finetuned.classifier_from_hub, "answering": finetuned.finder_from_hub}
    return made[task](repository)


@st.cache_resource(max_entries=16, show_spinner=False)
def _run(task: Task, repository: str, typed: tuple[str, ...]) -> Any:
    from pretrained import finetuned

    run: Any = finetuned.classify if task == "judging" else finetuned.answer
    return run(_load(task, repository), *typed)


def _done(task: Task, repository: str, typed: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """What the model makes of what is typed, and that; of what it cannot read, one sentence, and the last good text instead."""
    first: tuple[str, ...] = (REVIEW,) if task == "judging" else (QUESTION, CONTEXT)
    last = f"predict_good_{task}_texts"
    for number, texts in enumerate((typed, st.session_state.get(last, first), first)):
        try:
            found = _run(task, repository, texts)
        except UserError as error:
            if number == 0:
                st.error(str(error), icon=":material/edit_off:")
            continue
        st.session_state[last] = texts
        tokens = found.reading.tokens
        if tokens.cut:
            st.caption(_("{name} reads at most {limit} tokens; the last {cut} are left out.").format(
                name=repository, limit=len(tokens), cut=tokens.cut))  # fmt: skip
        return found, texts
    return st.stop()


def _choose(task: Task) -> str | None:
    """The control for a model, and the id of the one to use: the chosen one, or the last good one; None: none is here."""
    records = {record.key: record for record in catalog.models(KINDS[task])}
    names = {key: record.name for key, record in records.items()} | {OTHER: _("Another model of the Hugging Face hub")}
    picked = st.selectbox(_("Model"), list(names), format_func=names.__getitem__, key=f"predict_model_{task}",
                          bind="query-params")  # fmt: skip
    own = picked == OTHER
    wanted = choose_id(f"predict_hub_id_{task}", EXAMPLES[task]) if own else records[picked].hub_repo
    good = f"predict_good_{task}"
    here = [record.hub_repo for record in records.values() if hub.find(record.hub_repo) is not None]
    known = {record.hub_repo: record for record in records.values()}
    for repository in dict.fromkeys([wanted, st.session_state.get(good), *here]):
        if repository is None:
            continue
        record = known.get(repository)
        name = repository if record is None else record.name
        if _obtained(task, repository, name, None if record is None else int(record.megabytes * 1e6)):
            if repository != wanted:
                st.caption(_("Until then you see {name}.").format(name=name))
            st.session_state[good] = repository
            return repository
    return None


def _obtained(task: Task, repository: str, name: str, size: int | None) -> bool:
    def describe(asked: str) -> Any:
        from pretrained import finetuned

        return finetuned.describe(asked, task)

    wanted = Wanted(f"{task} {repository}", name, repository, size, describe, lambda: _load(task, repository))
    return obtain(wanted) is not None
