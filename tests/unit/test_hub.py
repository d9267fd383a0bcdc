"""Models by their id on the hub, from a server on loopback that has official architectures with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from huggingface_hub import constants
from safetensors.torch import load_file
from tokenizers import BertWordPieceTokenizer

from explorer.errors import UserError
from pretrained import LoadError, hub
from tests.unit.hubserver import Handler

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat"]


def save_bert(folder: Path, shards: bool = False) -> transformers.BertModel:
    """An official BERT with random weights, as transformers saves it."""
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
    )
    model = transformers.BertModel(config)
    model.save_pretrained(folder, max_shard_size="4KB" if shards else "5GB")
    BertWordPieceTokenizer({piece: i for i, piece in enumerate(VOCABULARY)}).save(str(folder / "tokenizer.json"))
    return model


def test_a_model_is_downloaded_once(served):
    model = save_bert(served / "owner/bert")
    seen: list[tuple[int, int | None]] = []
    folder = hub.fetch_repository(" owner/bert ", lambda done, total: seen.append((done, total)))
    state = load_file(folder / "model.safetensors")
    torch.testing.assert_close(state["encoder.layer.1.output.dense.weight"], model.encoder.layer[1].output.dense.weight)
    size = (served / "owner/bert/model.safetensors").stat().st_size
    assert seen[-1] == (size, size)
    asked = sum(Handler.asked.values())
    assert hub.fetch_repository("owner/bert") == folder
    assert sum(Handler.asked.values()) == asked


def test_the_description_comes_without_the_weights(served):
    save_bert(served / "owner/bert")
    folder = hub.fetch_description("owner/bert")
    assert json.loads((folder / "config.json").read_text())["model_type"] == "bert"
    assert (folder / "tokenizer.json").is_file()
    assert not Handler.asked["model.safetensors"]
    assert hub.fetch_repository("owner/bert") == hub.fetch_description("owner/bert") == folder
    assert Handler.asked["config.json"] == 1


def test_weights_in_several_files(served):
    save_bert(served / "owner/bert", shards=True)
    parts = list((served / "owner/bert").glob("model-*.safetensors"))
    assert len(parts) > 1
    seen: list[tuple[int, int | None]] = []
    folder = hub.fetch_repository("owner/bert", lambda done, total: seen.append((done, total)))
    assert {path.name for path in folder.glob("*.safetensors")} == {path.name for path in parts}
    assert seen == sorted(seen, key=lambda pair: pair[0]) or len({total for _, total in seen}) > 1


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json"])
def test_a_model_that_lacks_a_file_is_said_to(served, missing):
    save_bert(served / "owner/bert")
    (served / "owner/bert" / missing).unlink()
    with pytest.raises(LoadError, match=r"no open model called owner/bert|has no tokenizer"):
        hub.fetch_repository("owner/bert")


@pytest.mark.parametrize("name", ["owner/nothing", "owner/private"])
def test_an_unknown_model(served, name):
    with pytest.raises(LoadError, match=f"There is no open model called {name}"):
        hub.fetch_repository(name)


def test_pickled_weights_are_refused_and_not_even_fetched(served):
    folder = served / "owner/old"
    model = save_bert(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(LoadError, match="pickle"):
        hub.fetch_repository("owner/old")
    assert not Handler.asked["pytorch_model.bin"]


@pytest.mark.parametrize("index", ["{}", "[]", "no json", json.dumps({"weight_map": {"a": "../../x.safetensors"}}),
                                   json.dumps({"weight_map": {"a": "weights.bin"}})])  # fmt: skip
def test_an_index_that_names_anything_else_than_weights_is_refused(served, index):
    folder = served / "owner/odd"
    save_bert(folder)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(LoadError, match="index"):
        hub.fetch_repository("owner/odd")


@pytest.mark.parametrize("name", ["", "  ", "a/b/c", "öl/bert", "../../etc", "a" * 200, "<script>", "고양이"])
def test_what_is_no_id(name):
    with pytest.raises(UserError, match="no model id"):
        hub.checked(name)


def test_an_address_is_read_as_its_id():
    assert hub.checked("https://huggingface.co/klue/bert-base/") == "klue/bert-base"


def test_a_local_folder_comes_first_and_needs_no_network(served, monkeypatch, tmp_path):
    local = tmp_path / "models/owner--bert"
    local.mkdir(parents=True)
    save_bert(local)
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert hub.fetch_repository("owner/bert") == local
    assert not Handler.asked
    (local / "model.safetensors").unlink()
    with pytest.raises(LoadError, match="HF_HUB_OFFLINE"):
        hub.fetch_repository("owner/bert")


def test_stopping_leaves_nothing_half(served):
    save_bert(served / "owner/bert")
    with pytest.raises(LoadError, match="stopped"):
        hub.fetch_repository("owner/bert", cancelled=lambda: bool(Handler.asked["model.safetensors"]))
    assert not list(hub._cache("owner/bert").glob("model*"))
    assert hub.is_complete(hub.fetch_repository("owner/bert"))


def test_the_size_is_known_before_the_download(served):
    save_bert(served / "owner/bert")
    size = (served / "owner/bert/model.safetensors").stat().st_size
    hub.fetch_description("owner/bert")
    assert hub.weights_size("owner/bert") == size
    assert not (hub._cache("owner/bert") / "model.safetensors").exists()


def test_the_size_of_weights_in_several_files(served):
    save_bert(served / "owner/bert", shards=True)
    hub.fetch_description("owner/bert")
    parts = (served / "owner/bert").glob("model-*.safetensors")
    assert hub.weights_size("owner/bert") == sum(path.stat().st_size for path in parts)


def test_pickles_are_refused_before_anything_is_downloaded(served):
    save_bert(served / "owner/bert")
    (served / "owner/bert/model.safetensors").rename(served / "owner/bert/pytorch_model.bin")
    hub.fetch_description("owner/bert")
    with pytest.raises(LoadError, match=r"only in a form that can hold program code \(a pickle\)"):
        hub.weights_size("owner/bert")


def test_a_hub_that_is_gone_says_no_size(served, monkeypatch):
    save_bert(served / "owner/bert")
    hub.fetch_description("owner/bert")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert hub.weights_size("owner/bert") is None
