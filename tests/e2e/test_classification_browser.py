"""The Image classification page in a real browser: methods, blocks, models side by side, what hiding does, links."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from seeing import expect_drawn, expect_redrawn, picture, pixels, slide, slider

SPEAKS = re.compile("^What speaks for")


def evidence(page):
    return page.locator(".st-key-class_maps .map", has=page.locator(".map-title", has_text=SPEAKS))


def test_another_block_draws_another_map_and_the_link_restores_it(app, screenshot):
    page = app.open("/classification?class_method=LayerCAM")
    expect(page.get_by_text("LayerCAM at layer4.1: bright where")).to_be_visible()
    before = pixels(evidence(page))
    page.get_by_text("More", exact=True).first.click()
    expect(slider(page, "Block")).to_be_visible()
    slide(page, "Block", "ArrowLeft", 2)
    expect(page.get_by_text("LayerCAM at layer3.1: bright where")).to_be_visible()
    expect(page.get_by_text("layer3.1: 256 maps of 8 × 8.")).to_be_visible()
    after = expect_redrawn(evidence(page), before)
    expect(page).to_have_url(re.compile("block=layer3.1"))
    page = app.open(page.url.removeprefix(app.server.url))
    expect(page.get_by_text("LayerCAM at layer3.1: bright where")).to_be_visible()
    expect_drawn(evidence(page), after)
    screenshot(page, "classification")


def test_methods_answer_differently_and_three_alike_at_the_last_block(app):
    page = app.open("/classification")
    expect(page.get_by_text("Grad-CAM, XGrad-CAM and HiResCAM give the same picture")).to_be_visible()
    drawn = {title: pixels(picture(page, title, key="class_methods")) for title in ("Grad-CAM", "HiResCAM", "LayerCAM")}
    assert drawn["Grad-CAM"] == drawn["HiResCAM"] != drawn["LayerCAM"]


def test_models_side_by_side(app):
    page = app.open("/classification?class_top=2")
    table = page.locator(".aligned")
    expect(table.locator("thead th")).to_have_text(["Class", "ResNet-18 (bundled)", "ViT, small (bundled)"])
    before = table.locator("tbody tr").count()
    assert 2 <= before <= 4
    expect(page.get_by_text("total variation distance 0.")).to_be_visible()
    slide(page, "Best answers of each", "ArrowRight", 3)
    expect(table.locator("tbody tr").nth(4)).to_be_visible()
    assert 5 <= table.locator("tbody tr").count() <= 10
    expect(page).to_have_url(re.compile(r"^(?!.*class_top=2)"))


def test_hiding_the_place_that_counts_most(app):
    # Four places: nothing has to be asked for, however busy the machine is.
    page = app.open("/classification?class_side=64&class_step=64&photo=cat_chelsea.jpg")
    lost = picture(page, "Probability lost at each place", key="class_hidden")
    expect(lost.locator("figcaption")).to_contain_text("One cell for each of 4 places of the square")
    without = picture(page, "Without it", key="class_hidden")
    expect(without.locator("figcaption")).to_contain_text(re.compile(r"falls from [\d.]+% to [\d.]+%|No square makes"))
    assert pixels(without) != pixels(picture(page, "What the network sees", key="class_hidden"))


def test_a_transformers_block_is_stepped_through_for_the_class_token(app):
    page = app.open("/classification?model=ViT,+small+(bundled)&part=encoder_layer_2")
    expect(page.get_by_text("You follow the class token: it asks all tokens")).to_be_visible()
    expect(page.locator(".expression")).to_contain_text("softmax")
    expect(page.locator(".verdict")).to_contain_text("✓")
    page.get_by_role("button", name="Check every cell").click()
    expect(page.locator(".verdict")).to_contain_text(re.compile(r"✓ all [\d\s,]+ cells agree with torch"))


def test_a_phone_has_no_scrolling_sideways(app):
    page = app.open("/classification?class_side=64&class_step=64", width=400)
    expect(page.locator(".aligned")).to_be_visible()
    main = page.get_by_test_id("stMain")
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    formulas = page.locator(".katex-display")
    assert (
        formulas.evaluate_all("all => all.map((e) => e.parentElement.scrollWidth - e.parentElement.clientWidth)")
        == [0] * formulas.count()
    )
