"""The catalogue's models that read text by self-attention: BERTs, and models that were trained on for a task."""

from __future__ import annotations

from pretrained.records import AnswerRecord, JudgeRecord, LanguageRecord, TextModel

APACHE = "Apache-2.0"


def _bert(
    key: str, name: str, repository: str, licence: str, data: str, languages: str, megabytes: float
) -> LanguageRecord:
    """A BERT of the original size, with both heads, on the hub. megabytes: of model.safetensors there."""
    return LanguageRecord(
        key=key,
        name=name,
        family="BERT",
        architecture="BertForPreTraining",
        source="hub",
        file="model.safetensors",
        hub_repo=repository,
        licence=licence,
        data=data,
        layers=12,
        heads=12,
        languages=languages,
        megabytes=megabytes,
        guesses_words=True,
        judges_pairs=True,
    )


TEXT_MODELS: tuple[TextModel, ...] = (
    LanguageRecord(
        key="all-minilm-l6-v2",
        name="all-MiniLM-L6-v2",
        family="BERT",
        architecture="BertForPreTraining",
        source="package",
        file="model.safetensors",
        hub_repo="sentence-transformers/all-MiniLM-L6-v2",
        licence=APACHE,
        data="A billion pairs of sentences that belong together",
        layers=6,
        heads=12,
        languages="English",
        megabytes=90.9,
        guesses_words=False,
        judges_pairs=False,
    ),
    _bert(
        "bert-base-uncased",
        "BERT base, English",
        "google-bert/bert-base-uncased",
        APACHE,
        "English books and Wikipedia",
        "English, lower case",
        440,
    ),
    _bert(
        "klue-bert-base",
        "KLUE BERT base, Korean",
        "klue/bert-base",
        "CC BY-SA 4.0",
        "62 GB of Korean: news, web pages, NamuWiki, the MODU corpus",
        "Korean",
        445,
    ),
    _bert(
        "bert-base-multilingual-cased",
        "BERT base, multilingual",
        "google-bert/bert-base-multilingual-cased",
        APACHE,
        "Wikipedia in 104 languages",
        "104 languages",
        714,
    ),
    JudgeRecord(
        key="distilbert-sst2",
        name="DistilBERT for film reviews",
        family="DistilBERT",
        architecture="DistilBertForSequenceClassification",
        source="hub",
        file="model.safetensors",
        hub_repo="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        licence=APACHE,
        data="SST-2: sentences from film reviews, judged good or bad",
        layers=6,
        heads=12,
        languages="English, lower case",
        megabytes=268,
        example="The plot is thin, but I laughed until the very end.",
    ),
    AnswerRecord(
        key="distilbert-squad",
        name="DistilBERT for questions",
        family="DistilBERT",
        architecture="DistilBertForQuestionAnswering",
        source="hub",
        file="model.safetensors",
        hub_repo="distilbert/distilbert-base-cased-distilled-squad",
        licence=APACHE,
        data="SQuAD 1.1: questions about paragraphs of Wikipedia",
        layers=6,
        heads=12,
        languages="English",
        megabytes=261,
        says_nothing=False,
    ),
    AnswerRecord(
        key="tinyroberta-squad2",
        name="TinyRoBERTa for questions",
        family="RoBERTa",
        architecture="RobertaForQuestionAnswering",
        source="hub",
        file="model.safetensors",
        hub_repo="deepset/tinyroberta-squad2",
        licence="CC BY 4.0",
        data="SQuAD 2.0: questions about paragraphs of Wikipedia, some without an answer",
        layers=6,
        heads=12,
        languages="English",
        megabytes=326,
        says_nothing=True,
    ),
)
