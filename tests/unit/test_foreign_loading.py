"""Which models are taken from the hub, and which are refused, with one sentence each; from the hub's stand-in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from explorer.errors import UserError
from explorer.tokens import encode
from pretrained import LoadError, foreign, foreign_loading, memory
from tests.unit.hubserver import Handler
from tests.unit.tiny_models import WORDS, change_config, save

MARK = "from pathlib import Path\nPath({path!r}).write_text('this ran')\n"


def rewrite(folder: Path, change) -> None:
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


def put_code_in(folder: Path, ran: Path) -> None:
    """Program code, as a repository that needs trust_remote_code has it; it would leave the file `ran`."""
    code = MARK.format(path=str(ran))
    for name in ("configuration_odd.py", "modeling_odd.py", "tokenization_odd.py"):
        (folder / name).write_text(code + "class OddConfig: pass\nclass OddModel: pass\nclass OddTokenizer: pass\n")
    autos = ("AutoModel", "AutoModelForMaskedLM", "AutoModelForCausalLM")
    change_config(
        folder, auto_map={"AutoConfig": "configuration_odd.OddConfig"} | dict.fromkeys(autos, "modeling_odd.OddModel")
    )


def refused(name: str, words: str, *, weights: bool = False) -> None:
    """One sentence with these words, before the weights were asked for unless they had to be."""
    with pytest.raises(LoadError, match=words) as error:
        foreign_loading.from_hub(name)
    assert str(error.value).count(". ") == 0
    assert bool(Handler.asked["model.safetensors"]) == weights


def test_a_model_from_the_hub(served):
    save(served / "owner/gpt2", "GPT2LMHeadModel")
    seen: list[int] = []
    model = foreign_loading.from_hub(" owner/gpt2 ", lambda done, _total: seen.append(done))
    assert (model.name, model.kind, model.guesses_next) == ("owner/gpt2", "decoder", True)
    assert seen[-1] == (served / "owner/gpt2/model.safetensors").stat().st_size
    assert foreign.read(model, encode(model.tokenizer, "cat", limit=model.limit)).has_parts


def test_a_vocabulary_instead_of_a_tokenizer(served):
    """As distilbert-base-uncased-finetuned-sst-2-english has it."""
    folder = served / "owner/old"
    save(folder, "DistilBertForMaskedLM")
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    model = foreign_loading.from_hub("owner/old")
    assert encode(model.tokenizer, "The cats", limit=9).pieces == ("[CLS]", "the", "cat", "##s", "[SEP]")


def test_code_is_never_run_and_a_model_that_needs_it_is_refused(served, tmp_path):
    folder, ran = served / "owner/odd", tmp_path / "ran"
    save(folder, "BertForMaskedLM")
    put_code_in(folder, ran)
    change_config(folder, model_type="odd")
    refused("owner/odd", "owner/odd comes with program code of its own, which is never run here")
    assert not ran.exists()
    assert not [name for name in Handler.asked if name.endswith(".py")]


@pytest.mark.parametrize("place", ["served", "local"])
def test_with_code_beside_it_a_model_is_run_by_transformers_own(served, tmp_path, monkeypatch, place):
    """Even if the code lies on this computer."""
    ran = tmp_path / "ran"
    folder = served / "owner/bert" if place == "served" else tmp_path / "models/owner--bert"
    folder.parent.mkdir(exist_ok=True)
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path / "models"))
    save(folder, "BertForMaskedLM")
    put_code_in(folder, ran)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["auto_map"] = {"AutoTokenizer": ["tokenization_odd.OddTokenizer", None]}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    model = foreign_loading.from_hub("owner/bert")
    assert type(model.module) is transformers.BertForMaskedLM
    assert not ran.exists()


def test_weights_made_for_other_code_than_transformers_are_refused(served, tmp_path):
    folder = served / "owner/bert"
    save(folder, "BertForMaskedLM")
    put_code_in(folder, tmp_path / "ran")
    rewrite(folder, lambda state: state | {"bert.encoder.layer.0.gate.weight": torch.zeros(3)})
    refused("owner/bert", "owner/bert needs program code of its own, which is never run here", weights=True)
    assert not (tmp_path / "ran").exists()


def test_pickled_weights_are_refused(served):
    folder = served / "owner/old"
    model = save(folder, "GPT2LMHeadModel")
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    refused("owner/old", "pickle", weights=True)
    assert not Handler.asked["pytorch_model.bin"]


def test_pickled_weights_in_a_local_folder_are_not_opened(tmp_path):
    model = save(tmp_path, "GPT2LMHeadModel")
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(LoadError, match="weights of tiny are damaged"):
        foreign_loading.from_folder(tmp_path, "tiny")


@pytest.mark.parametrize("kind", ["a_new_one", "", None, 3])
def test_an_unknown_architecture(served, kind):
    save(served / "owner/new", "BertForMaskedLM")
    change_config(served / "owner/new", model_type=kind)
    refused("owner/new", "owner/new is built in a way that transformers does not know")


def test_a_model_without_attention(served):
    save(served / "owner/mamba", "MambaForCausalLM")
    refused("owner/mamba", "owner/mamba has no attention")


def test_a_model_of_pictures(served):
    folder = served / "owner/resnet"
    save(folder, "BertForMaskedLM")
    transformers.ResNetConfig(depths=[1], hidden_sizes=[4], embedding_size=4).save_pretrained(folder)
    refused("owner/resnet", "owner/resnet is no language model")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    foreign_loading.hub._cache("owner/resnet").rename(served / "away")
    refused("owner/resnet", "owner/resnet has no tokenizer")


def test_attention_to_parts_of_the_text_is_refused(served):
    folder = served / "owner/long"
    save(folder, "RobertaForMaskedLM")
    sizes = {"attention_window": [4, 4], "max_position_embeddings": 34, "vocab_size": 300, "hidden_size": 12}
    config = transformers.LongformerConfig(
        **sizes, num_hidden_layers=2, num_attention_heads=3, intermediate_size=16, pad_token_id=1
    )
    transformers.LongformerForMaskedLM(config).save_pretrained(folder)
    refused("owner/long", "owner/long mixes attention with other layers or looks at parts", weights=True)


def test_compressed_weights(served):
    save(served / "owner/small", "BertForMaskedLM")
    change_config(served / "owner/small", quantization_config={"quant_method": "gptq", "bits": 4})
    refused("owner/small", "owner/small are compressed")


@pytest.mark.parametrize("change", [
    {"num_attention_heads": 5}, {"num_hidden_layers": 10**9}, {"hidden_size": "wide"}, {"vocab_size": -1},
])  # fmt: skip
def test_sizes_that_make_no_model(served, change):
    save(served / "owner/odd", "BertForMaskedLM")
    change_config(served / "owner/odd", **change)
    refused("owner/odd", "configuration of owner/odd")


@pytest.mark.parametrize("content", [b"", b"[]", b"no json", b"\xff\xfe"])
def test_a_damaged_configuration(served, content):
    save(served / "owner/odd", "BertForMaskedLM")
    (served / "owner/odd/config.json").write_bytes(content)
    refused("owner/odd", "configuration of owner/odd is damaged")


@pytest.mark.parametrize("content", [b"", b"\x80\x04broken", b"{}"])
def test_damaged_weights(tmp_path, content):
    save(tmp_path, "BertForMaskedLM")
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(LoadError, match="weights of tiny are damaged"):
        foreign_loading.from_folder(tmp_path, "tiny")


@pytest.mark.parametrize("change", [
    lambda state: {key: tensor for key, tensor in state.items() if "layer.1.output.dense" not in key},
    lambda state: {key: tensor[:2].clone() if "layer.1.output.dense" in key else tensor for key, tensor in state.items()},
])  # fmt: skip
def test_weights_that_do_not_fit(tmp_path, change):
    save(tmp_path, "BertForMaskedLM")
    rewrite(tmp_path, change)
    with pytest.raises(LoadError, match=r"weights of tiny (do not fit its|are damaged, or do not fit)"):
        foreign_loading.from_folder(tmp_path, "tiny")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what is mapped")
def test_the_file_is_not_needed_once_it_is_loaded(tmp_path):
    """A process that has a file mapped dies when somebody shortens the file."""
    save(tmp_path, "GPT2LMHeadModel")
    model = foreign_loading.from_folder(tmp_path, "tiny")
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()
    head, embedding = model.module.lm_head.weight, model.module.transformer.wte.weight
    assert head.data_ptr() == embedding.data_ptr()


def test_half_precision_is_read_as_float32(tmp_path):
    save(tmp_path, "GPT2LMHeadModel")
    rewrite(tmp_path, lambda state: {key: tensor.half() for key, tensor in state.items()})
    change_config(tmp_path, dtype="float16")
    model = foreign_loading.from_folder(tmp_path, "tiny")
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}
    assert foreign.read(model, encode(model.tokenizer, "cat", limit=9)).attention.dtype == np.float32


@pytest.mark.parametrize("content", [b"", b"{}", b"broken"])
def test_a_damaged_tokenizer(tmp_path, content):
    save(tmp_path, "BertForMaskedLM")
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(LoadError, match="tokenizer of tiny"):
        foreign_loading.from_folder(tmp_path, "tiny")


def test_a_tokenizer_of_the_old_kind(tmp_path):
    """Marian's cuts text by a library that does not say which letters a token stands for."""
    save(tmp_path, "BartForConditionalGeneration")
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "CTRLTokenizer"}')
    (tmp_path / "vocab.json").write_text('{"<unk>": 0, "cat": 1}')
    (tmp_path / "merges.txt").write_text("#version: 0.2\nc a\n")
    with pytest.raises(LoadError, match=r"tokenizer of tiny .* choose a model that has tokenizer\.json"):
        foreign_loading.from_folder(tmp_path, "tiny")


def test_a_model_that_is_too_large_is_refused_before_it_is_downloaded(served, monkeypatch):
    save(served / "owner/large", "GPT2LMHeadModel")
    monkeypatch.setattr(memory, "available", lambda: 10_000)
    monkeypatch.setattr(memory, "GB", 1e3)
    refused("owner/large", r"owner/large needs about 3\d\.\d GB of memory and 10\.0 GB are free")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_memory_that_runs_out_while_loading(tmp_path, monkeypatch, error):
    save(tmp_path, "GPT2LMHeadModel")

    def fails(*_args, **_options):
        raise error

    monkeypatch.setattr(transformers.GPT2LMHeadModel, "from_pretrained", fails)
    with pytest.raises(LoadError, match=r"tiny needs about 0\.0 GB of memory"):
        foreign_loading.from_folder(tmp_path, "tiny")


@pytest.mark.parametrize(("name", "words"), [
    ("owner/nothing", "There is no open model called owner/nothing"),
    ("owner/private", "There is no open model called owner/private"),
])  # fmt: skip
def test_an_unknown_id(served, name, words):
    refused(name, words)


def test_what_is_no_id(served):
    with pytest.raises(UserError, match="“a model” is no model id"):
        foreign_loading.from_hub("a model")


def test_without_a_network(served, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(LoadError, match=r"^owner/bert .*127\.0\.0\.1|127\.0\.0\.1") as error:
        foreign_loading.from_hub("owner/bert")
    assert "Errno" not in str(error.value)
