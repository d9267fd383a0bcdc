from __future__ import annotations

import hashlib
import pickle
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torchvision.models import get_weight

from explorer.models.resnet import resnet18
from pretrained import LoadError, catalog, loading
from pretrained.records import ImageClassifier, Model
from tests.unit.fileserver import serving

OFFICIAL = catalog.get("resnet18-imagenet-v1", ImageClassifier)
NEW_RECIPE = catalog.get("resnet50-imagenet-v2", ImageClassifier)


@pytest.fixture
def empty_caches(tmp_path, monkeypatch) -> Path:
    """No local folder and empty library caches; → where torch.hub keeps checkpoints."""
    monkeypatch.delenv("EXPLORER_MODELS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "huggingface"))
    checkpoints = tmp_path / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    return checkpoints


def official_address(monkeypatch, model: Model, url: str) -> None:
    """Serve this model's file there instead of at torchvision's address."""
    weights = get_weight(model.weights)
    elsewhere = replace(weights.value, url=url)
    monkeypatch.setattr(catalog, "official", lambda model: elsewhere)


def saved(path: Path, state: dict) -> str:
    """Save a checkpoint and return its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def named_by_hash(folder: Path, model: Model, state: dict) -> Model:
    """Save a checkpoint under a name with its own hash, as torchvision does, and return the record that wants it."""
    digits = saved(folder / "new.pth", state)[:8]
    file = f"{model.architecture}-{digits}.pth"
    (folder / "new.pth").rename(folder / file)
    return replace(model, file=file)


def test_the_order_is_local_folder_torch_cache_hugging_face(empty_caches, tmp_path, monkeypatch):
    local = tmp_path / "models"
    monkeypatch.setenv("EXPLORER_MODELS", str(local))
    content = b"weights"
    blob = tmp_path / "huggingface/models--timm--resnet50.tv2_in1k/blobs" / hashlib.sha256(content).hexdigest()
    snapshot = blob.parents[1] / "snapshots/c0ffee/model.safetensors"
    for folder in (local, blob.parent, snapshot.parent, blob.parents[1] / "refs"):
        folder.mkdir(parents=True)
    (blob.parents[1] / "refs/main").write_text("c0ffee")
    blob.write_bytes(content)
    snapshot.symlink_to(blob)
    places = [
        (local / "resnet50-11ad3fa6.safetensors", ""),
        (local / "resnet50-11ad3fa6.pth", "11ad3fa6"),
        (empty_caches / "resnet50-11ad3fa6.pth", "11ad3fa6"),
        (snapshot, blob.name),
    ]
    assert [(copy.path, copy.sha256) for copy in loading.copies(NEW_RECIPE)] == places
    assert loading.find(OFFICIAL) is None
    for path, _ in reversed(places):
        path.write_bytes(content)
        assert loading.find(NEW_RECIPE) == path


def test_a_sound_copy_is_loaded_without_a_network(empty_caches, tmp_path, monkeypatch):
    state = {"a": torch.randn(3, 4), "count": torch.tensor(7)}
    model = named_by_hash(empty_caches, OFFICIAL, state)
    loaded = loading.load_state_dict(model)
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    half = {"a": torch.randn(3, 4).half()}
    save_file(half, (tmp_path / "models" / model.file).with_suffix(".safetensors"))
    loaded = loading.load_state_dict(model)
    assert loaded["a"].dtype == torch.float32
    assert torch.equal(loaded["a"], half["a"].float())


def test_a_missing_file_is_downloaded_into_torchs_cache(empty_caches, tmp_path, monkeypatch):
    state = {"a": torch.randn(1000)}
    model = named_by_hash(tmp_path, OFFICIAL, state)
    with serving((tmp_path / model.file).read_bytes()) as server:
        official_address(monkeypatch, model, server.url("whole", model.file))
        reports = []
        assert loading.find(model) is None
        loaded = loading.load_state_dict(model, progress=lambda done, total: reports.append((done, total)))
        assert torch.equal(loaded["a"], state["a"])
        assert reports[-1] == (len(server.body), len(server.body))
        assert loading.find(model) == empty_caches / model.file
        loading.load_state_dict(model)
        assert server.requests["whole"] == 1


def test_a_damaged_copy_in_the_cache_is_noticed_and_fetched_anew(empty_caches, tmp_path, monkeypatch):
    model = named_by_hash(tmp_path, OFFICIAL, {"a": torch.randn(1000)})
    body = (tmp_path / model.file).read_bytes()
    (empty_caches / model.file).write_bytes(body[:-1] + b"?")
    with serving(body) as server:
        official_address(monkeypatch, model, server.url("500"))
        with pytest.raises(
            LoadError, match=r"^resnet18-\w+\.pth is damaged \(its checksum differs\).* fault of its own"
        ):
            loading.load_state_dict(model)
        official_address(monkeypatch, model, server.url("whole"))
        assert loading.load_state_dict(model)["a"].shape == (1000,)
    assert (empty_caches / model.file).read_bytes() == body


def test_a_damaged_local_copy_is_passed_over_and_kept(empty_caches, tmp_path, monkeypatch):
    model = named_by_hash(empty_caches, OFFICIAL, {"a": torch.ones(3)})
    local = tmp_path / "models" / model.file
    local.parent.mkdir()
    local.write_bytes(b"half a file")
    monkeypatch.setenv("EXPLORER_MODELS", str(local.parent))
    assert torch.equal(loading.load_state_dict(model)["a"], torch.ones(3))
    assert local.read_bytes() == b"half a file"


class Code:
    """Pickled, it is an instruction to create a file."""

    def __init__(self, witness: Path):
        self.witness = witness

    def __reduce__(self):
        return Path.touch, (self.witness,)


def pickled(path: Path, content: object) -> None:
    path.write_bytes(pickle.dumps(content, protocol=2))


def zipped(path: Path, content: object) -> None:
    torch.save(content, path)


def old_style(path: Path, content: object) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("write", [pickled, zipped, old_style])
def test_code_in_a_pickle_is_refused_and_never_run(tmp_path, write):
    path, witness = tmp_path / "weights.pth", tmp_path / "witness"
    write(path, {"a": torch.ones(1) if write is not pickled else 1, "b": Code(witness)})
    with pytest.raises(
        LoadError, match=r"^weights\.pth holds program code beside the weights, so it was not opened\.$"
    ):
        loading._read(loading.Copy(path, ""))
    assert not witness.exists()
    torch.load(path, weights_only=False) if write is not pickled else pickle.loads(path.read_bytes())
    assert witness.exists()  # it was live


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"<html>log in</html>", b"PK\x03\x04 and no more", bytes(300)])
def test_a_file_that_holds_no_weights(tmp_path, content, suffix):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(
        LoadError, match=rf"^weights\{suffix} is damaged or not a file of weights, so it was not used\.$"
    ):
        loading._read(loading.Copy(path, ""))


@pytest.mark.parametrize("content", [[torch.ones(1)], {"epoch": 3, "model": {}}, torch.ones(2)])
def test_a_checkpoint_that_is_no_state_dict(tmp_path, content):
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(LoadError, match="is damaged or not a file of weights"):
        loading._read(loading.Copy(tmp_path / "weights.pth", ""))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), suffix=st.sampled_from([".pth", ".safetensors"]))
@pytest.mark.filterwarnings("ignore")
def test_mutated_files_load_or_say_so_in_a_sentence(tmp_path, data, suffix):
    path, state = tmp_path / f"weights{suffix}", {"a": torch.arange(6.0), "b": torch.ones(2, 3)}
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    with suppress(LoadError):
        loaded = loading._read(loading.Copy(path, ""))
        assert all(isinstance(tensor, torch.Tensor) for tensor in loaded.values())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda s: s.pop("fc.bias"), r"1 of 122 tensors missing \(first: fc\.bias\)"),
        (
            lambda s: [s.pop(key) for key in list(s) if key.startswith("layer4.1")],
            r"10 of 122 .* layer4\.1\.conv1\.weig",
        ),
        (lambda s: s.update({"head.x": torch.ones(1)}), r"1 beyond its 122 tensors \(first: head\.x\)"),
        (lambda s: s.update({"fc.bias": torch.ones(7)}), r"1 of 122 tensors of another shape \(first: fc\.bias\)"),
    ],
)
def test_weights_that_do_not_fit_say_how_many_and_the_first(change, problem):
    module = resnet18()
    state = dict(module.state_dict())
    change(state)
    with pytest.raises(LoadError, match=rf"^The weights of ResNet-18 do not fit the network: {problem}[^.]*"):
        loading.fill(module, state, "ResNet-18")


def test_counts_of_training_batches_may_be_missing():
    source = resnet18(5)
    state = {key: t for key, t in source.state_dict().items() if not key.endswith("num_batches_tracked")}
    with torch.device("meta"):
        module = resnet18(5)
    loading.fill(module, state, "ResNet-18")
    for key, tensor in module.state_dict().items():
        assert torch.equal(tensor, source.state_dict()[key]), key
