"""What a BERT predicts: a masked word, the next sentence; a word in its contexts, heads off, tasks it was tuned for."""

from collections.abc import Callable

import streamlit as st

from explorer.text import _
from explorer.trace import Trace
from explorer.ui import page
from explorer.ui.bert_asked import Asked, can_guess_somewhere
from explorer.ui.bert_heads_off import show_heads_off
from explorer.ui.bert_next_sentence import show_next_sentence
from explorer.ui.bert_tasks import show_tasks
from explorer.ui.bert_texts import type_sentence
from explorer.ui.bert_words import show_word_in_contexts
from explorer.ui.bert_words_guessed import show_word
from explorer.ui.language_models import choose_language_model
from explorer.ui.steps import show_steps

SHOWN: dict[str, Callable] = {
    "word": show_word,
    "next": show_next_sentence,
    "contexts": show_word_in_contexts,
    "off": show_heads_off,
}


@st.cache_resource(max_entries=8, show_spinner=False)
def steps_of(code: str, part: int, _make: Callable[[], Trace]) -> Trace:
    """The steps, kept; the code says all that they depend on, but for the part."""
    return _make()


page.header(
    _("What BERT predicts"),
    _("The vector that a BERT gives a place is all that its guesses are made of. A small head compares the vector with the "
      "embedding of every word it knows: what fits best is the guess. Ask for a masked word, for the next sentence, for what "
      "a word means in its context, and switch heads off to see which ones matter."),
    rf"\begin{{gathered}} {page.tex('hidden', 'z')} = \text{{LayerNorm}}(\text{{GELU}}({page.tex('weight', 'W')}"
    rf"{page.tex('input', 'x')} + {page.tex('weight', 'b')})) \\ {page.tex('output', 'P(w)')} = "
    rf"\text{{softmax}}({page.tex('weight', 'E')}{page.tex('hidden', 'z')} + {page.tex('weight', 'c')}) \end{{gathered}}",
    more="bert_predicts",
)  # fmt: skip

questions = {
    "word": _("A hidden word"),
    "next": _("The next sentence"),
    "contexts": _("One word, several contexts"),
    "off": _("Heads switched off"),
    "tasks": _("A task it was tuned for"),
}
question = st.segmented_control(
    _("What do you ask?"), list(questions), default="word" if can_guess_somewhere() else "contexts", required=True,
    format_func=questions.__getitem__, key="predict_question", bind="query-params", wrap=True,
)  # fmt: skip

controls, picture = page.play()
if question == "tasks":
    asked: Asked = show_tasks(controls, picture)
else:
    with controls:
        text = "" if question == "contexts" else type_sentence()
        chosen = choose_language_model()
        if chosen is None:
            st.info(_("No language model is on this computer yet. Run the set-up of the README again, which brings a small "
                      "one, or download one of these."), icon=":material/info:")  # fmt: skip
            st.stop()
    asked = SHOWN[question](controls, picture, chosen, text)

if asked.steps is None:
    transformers = _(
        "This runs on the code of transformers, which cannot be stepped into; a plain BERT's own heads can be."
    )
    page.step_through(asked.why_not or transformers)
else:
    page.step_through()
    show_steps(
        steps_of(asked.code, asked.part, asked.steps),
        key=f"predict_stepper_{question}",
        roles=asked.roles,
        labels=asked.labels,
    )

if asked.code:
    page.code(asked.code, asked.result)
page.sources(
    [
        (
            "Devlin, Chang, Lee & Toutanova 2019: BERT, pre-training of deep bidirectional Transformers",
            "https://arxiv.org/abs/1810.04805",
        ),
        ("Radford et al. 2019: Language models are unsupervised multitask learners (GPT-2)",
         "https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf"),
        ("Sanh, Debut, Chaumond & Wolf 2019: DistilBERT", "https://arxiv.org/abs/1910.01108"),
        ("Michel, Levy & Neubig 2019: Are sixteen heads really better than one?", "https://arxiv.org/abs/1905.10650"),
        ("Ethayarajh 2019: How contextual are contextualized word representations?", "https://arxiv.org/abs/1909.00512"),
        ("Rajpurkar et al. 2016: SQuAD", "https://arxiv.org/abs/1606.05250"),
        ("Socher et al. 2013: Stanford Sentiment Treebank", "https://nlp.stanford.edu/sentiment/"),
    ]
)  # fmt: skip
