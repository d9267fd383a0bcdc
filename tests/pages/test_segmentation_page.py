"""The Segmentation page on small networks with random weights: what it shows is what they say, and what goes wrong is said."""

from __future__ import annotations

import io
import json
import pickle
import re

import numpy as np
import pytest
import streamlit as st
import torch
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, run_code, visit
from PIL import Image
from safetensors.torch import save_file

from explorer.detections import Detections
from explorer.gallery import load_sample
from explorer.models.unet import UNet, UNetConfig
from explorer.segmentation_views import change, compare, view
from explorer.segmentations import Instances, segmentation_to_coco
from explorer.ui import detectors, segmentation_instances, segmentation_pictures, segmenters
from explorer.ui.pages import topics
from explorer.ui.segmentation_results import areas_csv
from pretrained import catalog, loading, segmentation
from pretrained.detection import LoadedDetector, Look
from pretrained.detection_models import DETECTORS
from training import unet_camvid, unet_pets
from training.running import file_facts

pytestmark = pytest.mark.skipif(
    all(topic.file != "segmentation" for topic in topics()), reason="the app has no such page yet"
)
PHOTO = "coco_street_bus_cars.jpg"


def network(classes: int, seed: int, background: float = 0.0) -> UNet:
    torch.manual_seed(seed)
    unet = UNet(UNetConfig(classes, width=4, depth=4)).eval().requires_grad_(False)
    unet.head.weight.mul_(3)
    assert unet.head.bias is not None
    unet.head.bias[0] = background
    return unet


def write(folder, key: str, unet: UNet, classes: tuple[str, ...]) -> None:
    path = folder / f"{key}.safetensors"
    config = json.dumps({"width": 4, "depth": 4})
    save_file(unet.state_dict(), path, metadata={"classes": json.dumps(classes), "config": config})
    card = {"mean_iou": 0.5, "iou": dict.fromkeys(classes, 0.25), "photos": 7, "epochs": 3, "loss_curve": [[0, 1.0]]}
    path.with_suffix(".json").write_text(json.dumps(card | file_facts(path)))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Both bundled U-Nets with few channels and random weights. The one for pets finds nothing but background."""
    folder = tmp_path_factory.mktemp("weights")
    write(folder, "unet-camvid", network(11, seed=16), unet_camvid.CLASSES)
    write(folder, "unet-pets", network(2, seed=1, background=1e4), unet_pets.CLASSES)
    return folder


@pytest.fixture(autouse=True)
def small(weights, monkeypatch):
    monkeypatch.setattr(catalog, "WEIGHTS", weights)
    monkeypatch.setenv(loading.LOCAL_FOLDER, str(weights / "none"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(weights / "hub"))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def counted(monkeypatch):
    """The passes that any segmenter makes."""
    passes, real = [], segmentation.look

    def look(segmenter, pixels, cut=()):
        passes.append((segmenter.model.key, tuple(cut)))
        return real(segmenter, pixels, cut)

    monkeypatch.setattr(segmentation, "look", look)
    return passes


def shown(**query):
    app = visit("segmentation", timeout=200, **query)
    expect_no_fault(app)
    return app


def said(app) -> list[str]:
    return [one.value for one in (*app.markdown, *app.caption, *app.info)]


def table(app, head: str) -> list[list[str]]:
    """The rows of the table whose first heading this is."""
    text = next(one.value for one in app.markdown if one.value.startswith(f"| {head}"))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def whole(cut=()):
    return segmentation.segment(segmentation.load_segmenter("unet-camvid"), load_sample(PHOTO).pixels, cut)


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("\u202f", "").replace("%", "").replace("*", ""))


def test_no_control_runs_the_network_again(counted):
    app = shown()
    first = list(counted)
    assert sorted(first) == [("unet-camvid", cut) for cut in ((), (0,), (0, 1, 2, 3), (1,), (2,), (3,))]
    app.slider(key="seg_opacity").set_value(0.1).run()
    app.selectbox(key="seg_class").set_value("car").run()
    app.slider(key="seg_score").set_value(0.7).run()
    legend = app.button_group(key="seg_classes")
    legend.set_value(legend.value[1:]).run()
    app.selectbox(key="seg_iou_class").set_value(app.selectbox(key="seg_iou_class").options[-1]).run()
    app.session_state["seg_pictures"] = {"picked": {"map": 0, "row": 5, "column": 9, "time": 1}}
    app.run()
    expect_no_fault(app)
    assert counted == first
    app.toggle(key="seg_skip_2").set_value(False).run()
    assert counted == [*first, ("unet-camvid", (2,))]
    app.toggle(key="seg_skip_2").set_value(True).run()
    assert counted == [*first, ("unet-camvid", (2,))]


def test_the_legend_says_the_areas_and_the_code_gives_the_mask():
    app = shown()
    made = whole()
    legend = app.button_group(key="seg_classes")
    present = [made.classes[k] for k in np.argsort(-made.areas, kind="stable") if made.areas[k]]
    assert legend.value == present
    shares = [number(option.removeprefix(name)) for option, name in zip(legend.options, present, strict=True)]
    np.testing.assert_allclose(shares, [100 * made.areas[made.classes.index(name)] for name in present], atol=0.051)
    names = expect_the_code_computes_what_is_shown(app)
    assert np.array_equal(names["result"], made.mask)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(names["png"]))), made.mask)


def test_a_clicked_pixel_has_the_networks_numbers():
    app = shown()
    made = whole()
    rows, columns = made.probabilities.shape[1:]
    app.session_state["seg_pictures"] = {"picked": {"map": 2, "row": 30, "column": 17, "time": 1}}
    app.run()
    expect_no_fault(app)
    height, width = made.mask.shape
    x, y = int(17.5 * width / columns), int(30.5 * height / rows)
    assert any(f"Pixel **({x}, {y})**" in text and "cell [30, 17]" in text for text in said(app))
    found = table(app, "Class | logit")
    p = made.probabilities[:, 30, 17]
    assert [row[0] for row in found] == [made.classes[k] for k in np.argsort(-p, kind="stable")[:8]]
    np.testing.assert_allclose([number(row[4]) for row in found], np.sort(p)[::-1][:8], atol=6e-5)
    z = np.array([number(row[1]) for row in found])
    np.testing.assert_allclose([number(row[2]) for row in found], z - z.max(), atol=2e-3)
    np.testing.assert_allclose([number(row[3]) for row in found], np.exp(z - z.max()), atol=2e-3)


def test_each_cut_is_measured_and_the_chosen_one_is_marked():
    app = shown(seg_skip_1=False)
    rows = {row[0]: row for row in table(app, "Skip connections cut")}
    for name, cut in (("0", [0]), ("**1**", [1]), ("3", [3]), ("all", range(4))):
        made = change(whole().mask, whole(cut).mask)
        assert number(rows[name][1]) == pytest.approx(100 * made.share, abs=0.051)
        assert number(rows[name][2]) == made.after
    assert number(rows["none"][2]) == change(whole().mask, whole().mask).before
    assert not app.toggle(key="seg_skip_1").value
    app.toggle(key="seg_skip_3").set_value(False).run()
    made = change(whole().mask, whole([1, 3]).mask)
    rows = {row[0]: row for row in table(app, "Skip connections cut")}
    assert number(rows["**1, 3**"][1]) == pytest.approx(100 * made.share, abs=0.051)


def test_two_masks_are_compared_class_by_class():
    app = shown(seg_second="Without skip connection 2")
    found = {one.name: one for one in compare(whole().mask, whole([2]).mask, unet_camvid.CLASSES)}
    rows = table(app, "Class | Intersection")
    assert {row[0] for row in rows} == set(found)
    for name, intersection, union, iou in rows:
        one = found[name]
        assert (number(intersection), number(union)) == (one.intersection, one.union)
        assert number(iou) == pytest.approx(one.iou, abs=6e-4)
    app.selectbox(key="seg_second").select_index(1).run()  # the mirrored photo
    expect_no_fault(app)
    app.selectbox(key="seg_second").select_index(0).run()
    expect_no_fault(app)


def test_the_address_restores_what_was_chosen():
    app = shown(seg_hidden="sky,car", seg_pixel="12.34", seg_opacity=0.2, seg_class="road", seg_objects="Mask R-CNN")
    assert {"sky", "car"}.isdisjoint(app.button_group(key="seg_classes").value)
    assert any("Pixel **(12, 34)**" in text for text in said(app))
    assert app.slider(key="seg_opacity").value == 0.2
    assert app.selectbox(key="seg_class").value == "road"
    assert any("Mask R-CNN (ResNet-50) is not on this computer yet: 178 MB" in text for text in said(app))
    strange = shown(seg_hidden=",x", seg_pixel="99999.-3")
    assert any("Pixel **(" in text for text in said(strange))


def boxes_of(scores: list[float]) -> detectors.Seen:
    """What the bundled detector would say: two cars and a person."""
    classes = ("bus", "car", "motorbike", "person", "truck")
    height, width = load_sample(PHOTO).pixels.shape[:2]
    boxes = np.array([[0, 0, width, height], [0, 0, width / 2, height], [0, 0, width / 3, height / 3]], np.float32)
    found = Detections(boxes, np.array(scores, np.float32), np.array([1, 0, 3]), classes)
    loaded = LoadedDetector(DETECTORS[0], torch.nn.Identity(), classes)
    return detectors.Seen(loaded, Look(found), np.zeros(0, int))


def test_objects_of_masks_and_boxes_are_said_to_be_that(monkeypatch):
    monkeypatch.setattr(detectors, "kept_detector", lambda _key: None)
    monkeypatch.setattr(detectors, "look_at", lambda _detector, _photo: boxes_of([0.9, 0.8, 0.4]))
    app = shown()
    assert any("No network made these objects" in text for text in said(app))
    rows = table(app, "Object")
    mask, classes = whole().mask, unet_camvid.CLASSES
    car, width = mask == classes.index("car"), mask.shape[1]
    pixels = {row[0].split()[1]: number(row[2]) for row in rows}
    left = np.ceil(width / 2).astype(int)
    expected = {"car": car[:, left:].sum(), "bus": car[:, :left].sum()}  # the smaller box takes from the larger
    assert {name: pixels[name] for name in expected if expected[name]} == {k: v for k, v in expected.items() if v}
    app.slider(key="seg_score").set_value(0.95).run()
    assert any("No object here has a score of 0.95" in text for text in said(app))


def test_mask_rcnn_is_used_once_it_is_here(monkeypatch):
    shape = load_sample(PHOTO).pixels.shape[:2]
    masks = np.zeros((2, *shape), bool)
    masks[0, 50:90, 60:120], masks[1, 10:20, 10:30] = True, True
    found = Detections(
        np.array([[60, 50, 120, 90], [10, 10, 30, 20]], np.float32), np.array([0.9, 0.2], np.float32), np.array([1, 2]),
        ("__background__", "person", "car"),
    )  # fmt: skip
    real = segmentation_instances.load_or_offer
    monkeypatch.setattr(
        segmentation_instances, "load_or_offer", lambda model, *_, **__: segmenters.kept_segmenter("unet-camvid")
    )
    monkeypatch.setattr(segmentation, "find_instances", lambda *_: Instances(masks, found))
    app = shown(seg_objects="Mask R-CNN")
    assert [row[0] for row in table(app, "Object")] == ["1 person"]
    assert not any("No network made these objects" in text for text in said(app))
    app.slider(key="seg_score").set_value(0.1).run()
    assert [number(row[2]) for row in table(app, "Object")] == [2400, 200]
    monkeypatch.setattr(segmentation_instances, "load_or_offer", real)


def test_a_photo_without_anything_it_knows():
    app = shown(seg_model="U-Net for cats and dogs (bundled)")
    assert app.button_group(key="seg_classes").options == ["background 100.0\u202f%"]
    seen = app.session_state[segmenters.LAST]
    assert seen.segmenter.model.key == "unet-pets"
    assert "finds none of its classes here" in segmentation_pictures.classes_text(seen)


@pytest.mark.parametrize("size", [(4000, 1), (1, 4000)])
def test_a_panorama_of_one_pixel_is_refused_in_a_sentence(size):
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, "PNG")
    app = shown()
    app.segmented_control(key="photo_from").set_value("upload").run()
    app.file_uploader(key="photo_upload").upload("line.png", file.getvalue(), "image/png").run()
    assert not app.exception
    assert [re.search("too (small|narrow)", error.value) is not None for error in app.error] == [True]
    app.segmented_control(key="photo_from").set_value("sample").run()
    expect_no_fault(app)


def weights_file(folder, name: str, content: bytes) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)


@pytest.mark.parametrize("kind", ["wrong checkpoint", "pickle", "damaged"])
def test_weights_that_cannot_be_used_are_said_in_a_sentence(kind, tmp_path, monkeypatch):
    record = segmenters.segmenters(instances=False)["lraspp-mobilenet-v3-large-voc"]
    stem = record.file.removesuffix(".pth")
    if kind == "wrong checkpoint":
        save_file({"head.weight": torch.zeros(3)}, tmp_path / f"{stem}.safetensors")
    elif kind == "pickle":
        weights_file(tmp_path, f"{stem}.safetensors", pickle.dumps({"weight": print}))
    else:
        weights_file(tmp_path, record.file, pickle.dumps({"weight": print}))
    monkeypatch.setenv(loading.LOCAL_FOLDER, str(tmp_path))

    def fetch(*_args, **_kwargs):
        raise AssertionError("nobody asked for a download")

    monkeypatch.setattr(loading, "fetch", fetch)
    app = visit("segmentation", timeout=200, seg_model="LR-ASPP (MobileNetV3)")
    assert not app.exception
    (error,) = [one.value for one in app.error]
    expected = {"wrong checkpoint": "do not fit the network", "pickle": "not a file of weights", "damaged": "checksum"}
    assert expected[kind] in error
    assert any("Until then you see the bundled model." in text for text in said(app))
    assert any("can be downloaded: 13 MB" in text for text in said(app)) == (kind != "wrong checkpoint")
    run_code(app)
    app.slider(key="seg_opacity").set_value(0.9).run()
    assert not app.exception
    app.selectbox(key="seg_model").select_index(0).run()
    expect_no_fault(app)


def test_too_little_memory_leaves_the_last_answer(monkeypatch):
    app = shown()
    real = UNet.maps

    def maps(self, x, cut=()):
        raise MemoryError("out of memory")

    monkeypatch.setattr(UNet, "maps", maps)
    app.selectbox(key="photo").set_value("cat_chelsea.jpg").run()
    assert not app.exception
    assert ["not enough memory" in one.value for one in app.error] == [True]
    assert any(f"Until then you see U-Net for streets (bundled) on {PHOTO}" in text for text in said(app))
    assert PHOTO in app.code[-1].value
    monkeypatch.setattr(UNet, "maps", real)
    app.run()
    expect_no_fault(app)
    assert "cat_chelsea.jpg" in app.code[-1].value


def test_too_little_memory_for_a_cut_is_said_where_it_is_asked_for(monkeypatch):
    app = shown()
    real = UNet.maps

    def maps(self, x, cut=()):
        if cut:
            raise MemoryError("out of memory")
        return real(self, x, cut)

    monkeypatch.setattr(UNet, "maps", maps)
    st.cache_resource.clear()
    app.toggle(key="seg_skip_1").set_value(False).run()
    assert not app.exception
    assert app.error
    assert all("not enough memory" in one.value for one in app.error)
    assert any(one.value.startswith("**U-Net for streets (bundled)**") for one in app.markdown)  # the page goes on


def test_the_files_hold_the_whole_result():
    loaded, photo = segmentation.load_segmenter("unet-camvid"), load_sample(PHOTO)
    seen = segmenters.Seen(loaded, photo, whole(), {}, whole().areas, view(whole(), photo.pixels, 64))
    lines = areas_csv(seen).splitlines()
    assert lines[0] == "photo,label,class,pixels,share"
    assert len(lines) == 12
    assert sum(int(line.split(",")[3]) for line in lines[1:]) == whole().mask.size
    assert sum(float(line.split(",")[4]) for line in lines[1:]) == pytest.approx(1, abs=1e-5)
    made = json.loads(segmentation_to_coco(whole(), PHOTO))
    assert {one["area"] for one in made["annotations"]} <= {int(line.split(",")[3]) for line in lines[1:]}
