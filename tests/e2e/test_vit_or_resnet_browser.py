"""The page ViT or ResNet? in a real browser: sliders along what is computed, links that restore, phones that hold it."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from seeing import choose, expect_drawn, expect_redrawn, overhang, picture, pixels, slide


def test_more_and_smaller_patches_and_the_link_restores_them(app, screenshot):
    page = app.open("/vit_or_resnet")
    expect(page.locator(".verdict")).to_contain_text("✓")
    expect(page.get_by_text("With 4 × 4 patches shuffled:")).to_be_visible()
    before = pixels(picture(page, "What ViT sees"))
    slide(page, "Patches along a side", "ArrowRight")
    expect(page.get_by_text("With 6 × 6 patches shuffled:")).to_be_visible()
    after = expect_redrawn(picture(page, "What ViT sees"), before)
    expect(page).to_have_url(re.compile("vr_grid=6"))
    page = app.open(page.url.removeprefix(app.server.url))
    expect_drawn(picture(page, "What ViT sees"), after)
    screenshot(page, "vit-or-resnet", widths=(1440,))


def test_hidden_patches_are_the_same_for_both(app):
    page = app.open("/vit_or_resnet?vr_share=0")
    expect(page.locator(".verdict")).to_contain_text("✓")
    choose(page, "Hide patches")
    expect(page.get_by_text("On the photo as it is:")).to_be_visible()
    before = [pixels(picture(page, f"What {name} sees")) for name in ("ViT", "ResNet")]
    slide(page, "Hidden, %", "ArrowRight", 3)
    expect(page.get_by_text("With 30% of 12 × 12 patches hidden:")).to_be_visible()
    for name, whole in zip(("ViT", "ResNet"), before, strict=True):
        expect_redrawn(picture(page, f"What {name} sees"), whole)


def test_deeper_layers_look_further(app):
    page = app.open("/vit_or_resnet?vr_depth=0")
    expect(page.locator(".verdict")).to_contain_text("✓")
    before = pixels(picture(page, "ResNet: stem"))
    expect(picture(page, "ViT: patches")).to_be_visible()
    slide(page, "Depth, %", "ArrowRight", 2)
    expect_redrawn(picture(page, "ResNet: layer1.1"), before)


def test_nothing_runs_over_the_edge_of_a_phone(app):
    page = app.open("/vit_or_resnet", width=400, height=900)
    expect(page.locator(".verdict")).to_contain_text("✓")
    over = overhang(page, ".katex-display")
    assert len(over) == 2
    assert max(over) <= 0, over
