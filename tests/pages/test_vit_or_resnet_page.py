"""The page ViT or ResNet?: what it says of both networks is what was computed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, visit

from explorer.vit_or_resnet import LEVELS, SEEDS
from pretrained import catalog
from pretrained.catalog import get, published
from pretrained.records import ImageClassifier, UntaughtCard


@pytest.fixture(scope="module")
def first():
    app = visit("vit_or_resnet", timeout=300)
    expect_no_fault(app)
    return app


def told(app, start):
    return next(one.value for one in (*app.caption, *app.markdown) if one.value.startswith(start))


def test_the_code_gives_the_medians(first):
    names = expect_the_code_computes_what_is_shown(first, rtol=1e-4)
    assert names["result"].shape == (2, len(LEVELS["shuffled"]))
    text = told(first, "With 4 × 4 patches shuffled")
    medians = re.findall(r"([\d.]+%) \(median; ([\d.]+%) to the whole photo\)", text)
    assert medians == [(f"{row[3]:.1%}", f"{row[0]:.1%}") for row in names["result"]]


def test_the_slider_moves_along_what_is_computed(first):
    result = first.session_state["code_result"]
    app = visit("vit_or_resnet", timeout=300, vr_grid=1)
    expect_no_fault(app)
    assert told(app, "On the photo as it is:").count(f"{SEEDS} of {SEEDS} times") == 2
    np.testing.assert_allclose(app.session_state["code_result"], result, rtol=1e-4)


def test_hidden_patches():
    app = visit("vit_or_resnet", timeout=300, vr_harm="Hide patches", vr_share=90)
    expect_no_fault(app)
    result = app.session_state["code_result"]
    assert result.shape == (2, len(LEVELS["hidden"]))
    text = told(app, "With 90% of 12 × 12 patches hidden")
    assert f"{result[1, -1]:.1%} (median; {result[1, 0]:.1%} to the whole photo)" in text


def test_another_seed_is_another_order_and_changes_no_curve(first):
    app = visit("vit_or_resnet", timeout=300, vr_seed=3)
    expect_no_fault(app)
    np.testing.assert_allclose(app.session_state["code_result"], first.session_state["code_result"], rtol=1e-4)
    assert told(app, "Shuffle just") != told(first, "Shuffle just")


def test_without_positions_only_rounding_is_left(first):
    text = told(first, "Shuffle just the ViT’s own patches")
    assert re.search(r"by at most \*\*(0|\d\.\d·10⁻[⁴-⁹])\*\*", text), text


def test_the_table_has_the_figures_of_the_cards(first):
    table = told(first, "| Network")
    for name, key in (("ResNet-18", "resnet18-photos110"), ("ViT, taught", "vit-photos110")):
        facts = published(get(key, ImageClassifier))
        row = next(line for line in table.splitlines() if line.startswith(f"| {name}"))
        assert f"| {facts.top1:.1%} |" in row


def test_the_vit_without_a_teacher_is_named(first):
    facts = catalog.card(get("vit-photos110", ImageClassifier), UntaughtCard)
    row = next(line for line in told(first, "| Network").splitlines() if line.startswith("| The same ViT, no teacher"))
    shares = (facts.plain_top1, facts.plain_top1_imagenette, facts.plain_top1_caltech101)
    assert row.endswith("| " + " | ".join(f"{share:.1%}" for share in shares) + " |")


@pytest.mark.parametrize("depth", [0, 100])
def test_every_depth(depth):
    expect_no_fault(visit("vit_or_resnet", timeout=300, vr_depth=depth))
