"""The page Attention in images: what it says agrees with what is computed, whatever is chosen."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, visit

from explorer.gallery import load_sample
from explorer.models.swin import SwinConfig, SwinTransformer
from explorer.windows import reach, stages, visible
from pretrained.catalog import card, get
from pretrained.classification import Classifier
from pretrained.map_heads import BUNDLED
from pretrained.records import ImageClassifier, MapHeadsCard, MapHeadsModel


@pytest.fixture(scope="module")
def first():
    app = visit("local_attention", timeout=200)
    expect_no_fault(app)
    return app


def texts(app):
    return " ".join(one.value for one in (*app.markdown, *app.caption))


def test_the_code_gives_what_windows_leave_of_every_head(first):
    names = expect_the_code_computes_what_is_shown(first)
    config = names["config"]
    assert names["result"].shape == (config.layers, config.heads)
    assert ((names["result"] > 0) & (names["result"] < 1)).all()
    row = names["result"]
    assert f"the first layer keeps **{row[0].mean():.0%}**, the last **{row[-1].mean():.0%}**" in texts(first)


def test_the_table_of_stages_is_swin_ts(first):
    table = next(one.value for one in first.markdown if one.value.startswith("| Stage"))
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert [row[:3] for row in cells] == [
        ["1", "56\u00a0×\u00a056", "96"], ["2", "28\u00a0×\u00a028", "192"], ["3", "14\u00a0×\u00a014", "384"],
        ["4", "7\u00a0×\u00a07", "768"]]  # fmt: skip
    made = stages(SwinConfig(), 224)
    assert cells[0][4] == f"{made[0].macs / 1e6:.0f}\u00a0M"
    assert cells[3][4] == cells[3][5]


def test_the_blocks_have_the_scores_of_their_card(first):
    table = next(one.value for one in first.markdown if one.value.startswith("| Block"))
    scores = card(get(BUNDLED, MapHeadsModel), MapHeadsCard).top1
    assert re.findall(r"\| ([\d.]+%) \| [\d\u202f]+ \|$", table, re.M) == [f"{score:.1%}" for score in scores.values()]


@pytest.mark.parametrize("stage", [0, 1, 3])
def test_how_many_blocks_it_takes(stage):
    side = (56, 28, 14, 7)[stage]
    app = visit("local_attention", timeout=200, local_stage=f"{side} × {side}", local_maps_row=1, local_maps_column=2)
    expect_no_fault(app)
    if side == 7:
        assert "every patch hears every other in a single block" in texts(app)
        assert "nothing is moved and nothing is masked" in texts(app)
        assert app.select_slider(key="local_number").disabled
        return
    needed = next(blocks for blocks in range(1, 30) if reach((side, side), 7, (1, 2), blocks).all())
    own = visible((side, side), 7, (1, 2), moved=False).sum()
    told = texts(app)
    assert f"this patch would hear of {own} patches" in told
    assert f"all {side * side} after **{needed} blocks**" in told


def test_the_cost_follows_the_side_of_the_photo(first):
    app = visit("local_attention", timeout=200, local_size=896, local_stage="56 × 56")
    expect_no_fault(app)
    fact = stages(SwinConfig(), 896)[0]
    told = next(one.value for one in app.caption if "Global attention takes" in one.value)
    assert told.startswith("896 × 896 pixels, stage 1: 50\u202f176 patches.")
    assert f"{fact.global_macs / fact.macs:.0f} times fewer" in told


@pytest.mark.parametrize("code", ["Squeeze-and-excitation", "Cells, without weights", "Cells, trained"])
def test_every_block_is_stepped_through(code):
    expect_no_fault(visit("local_attention", timeout=200, local_code=code))


def test_windows_change_what_the_network_answers(first):
    def told(app):
        return next(one.value for one in app.caption if one.value.startswith("Free to look everywhere"))

    app = visit("local_attention", timeout=200, local_window=2, local_way="Fixed")
    expect_no_fault(app)
    assert "Held to windows of 2 × 2" in told(app)
    assert "Held to windows of 4 × 4" in told(first)
    free = [re.search(r"at ([\d.]+%)", told(one))[1] for one in (first, app)]
    assert free[0] == free[1]
    names = expect_the_code_computes_what_is_shown(app)
    assert np.abs(names["result"] - first.session_state["code_result"]).max() > 0.05


def test_a_photo_of_one_colour(first, monkeypatch):
    grey = np.full((40, 60, 3), 127, np.uint8)
    sample = load_sample("flower.jpg")
    plain = type(sample)(**{**vars(sample), "pixels": grey, "digest": "grey"})
    app = visit("local_attention", timeout=200, state={"own_photo": plain})
    expect_no_fault(app)


def test_swin_shows_its_own_windows_where_its_weights_are_here(monkeypatch):
    torch.manual_seed(0)
    record = get("swin-t-imagenet-v1", ImageClassifier)
    config = SwinConfig(width=24, blocks=(2, 2, 2, 2), heads=(1, 2, 2, 2), classes=1000)
    module = SwinTransformer(config).eval().requires_grad_(False)
    made = Classifier(record, module, tuple(f"class {n}" for n in range(1000)))
    monkeypatch.setattr("explorer.ui.local_heads.choose_classifier", lambda *_, **__: made)
    app = visit("local_attention", timeout=200, local_block="stage2.1", local_swin_row=3, local_swin_column=5)
    expect_no_fault(app)
    names = expect_the_code_computes_what_is_shown_of(app, module)
    assert names.shape == (2, 28, 28)
    seen = visible((28, 28), 7, (3, 5), moved=True)
    assert not names[:, ~seen].any()
    np.testing.assert_allclose(names.sum((1, 2)), 1, rtol=1e-5)


def expect_the_code_computes_what_is_shown_of(app, module):
    """Of a network that no catalogue holds: what the page shows."""
    assert 'load_classifier("swin-t-imagenet-v1")' in app.code[-1].value
    assert 'output.attention["stage2.1"]' in app.code[-1].value
    assert module.config.window == 7
    return app.session_state["code_result"]
