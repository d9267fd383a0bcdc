"""The Architectures page: what is counted, chosen, measured and stepped through."""

from __future__ import annotations

import re

import pytest
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, visit

from explorer.architectures import NETWORKS, outline
from explorer.network_cost import Cost, network_cost


@pytest.fixture(scope="module")
def first():
    app = visit("architectures", timeout=200)
    expect_no_fault(app)
    return app


def table_of(app):
    return next(one.value for one in app.markdown if one.value.startswith("| Network"))


def test_the_table_has_the_counted_and_the_published_figures(first):
    row = next(line for line in table_of(first).splitlines() if line.startswith("| VGG-16"))
    assert [cell.strip() for cell in row.split("|")[2:6]] == ["16", "138\u00a0M", "15.5\u00a0G", "71.6%"]


def test_the_code_gives_the_gradients(first):
    names = expect_the_code_computes_what_is_shown(first, rtol=1e-3)
    assert len(names["result"]) == 43


def test_other_networks_and_none():
    app = visit("architectures", timeout=200, arch_networks="ViT-B/16", arch_by="Parameters")
    app.multiselect(key="arch_networks").set_value(["vit_b_16", "swin_t"]).run()
    expect_no_fault(app)
    assert {line.split("|")[1].strip() for line in table_of(app).splitlines()[2:]} == {"ViT-B/16", "Swin-T"}
    app.multiselect(key="arch_networks").set_value([]).run()
    expect_no_fault(app)
    assert any("until then you see AlexNet" in one.value for one in app.caption)


def test_measuring_fills_the_table_and_can_be_stopped(monkeypatch):
    measured = []

    def cost(key):
        measured.append(key)
        return Cost((0.25, 0.5, 0.25), 1_000_000, 500_000)

    monkeypatch.setattr("explorer.ui.architectures_run.network_cost", cost)
    app = visit("architectures", timeout=200, arch_cost="Time on this computer")
    assert any("Press Measure" in one.value for one in app.caption)
    app.button(key="arch_measure").click().run()
    expect_no_fault(app)
    assert measured == ["alexnet", "vgg16", "googlenet", "resnet18"]
    assert table_of(app).count("250\u00a0ms | 1.50\u00a0MB") == 4
    assert app.button(key="arch_stop").disabled
    app.multiselect(key="arch_networks").set_value(["resnet18", "resnet34"]).run()
    assert measured[4:] == []  # nothing is measured unasked
    assert table_of(app).count("250\u00a0ms") == 1


def test_the_cost_of_a_network_is_measured():
    found = network_cost("alexnet")
    assert found.weights == 4 * outline("alexnet").parameters
    assert 3 <= len(found.seconds) <= 9
    assert min(found.seconds) > 0
    # The first convolution's maps alone: 64 × 55 × 55 numbers.
    assert found.peak >= 4 * 64 * 55 * 55


@pytest.mark.parametrize("code", ["Plain block", "Inception block"])
def test_other_blocks_are_stepped_through(code):
    app = visit("architectures", timeout=200, arch_code=code)
    expect_no_fault(app)


def test_without_normalisation_the_finding_is_another(first):
    def told(app):
        return next(one.value for one in app.caption if one.value.startswith("With shortcuts"))

    app = visit("architectures", timeout=200, arch_norm="false", arch_depth=20)
    expect_no_fault(app)
    ratios = [re.findall(r"is ([\d.]+) times", told(one)) for one in (first, app)]
    assert ratios[0] != ratios[1]
    assert float(ratios[0][1]) > 10 * float(ratios[0][0])


def test_every_network_of_the_list_builds_and_has_a_record():
    assert all(outline(key).network.name == one.name for key, one in NETWORKS.items())


def test_another_piece_of_the_photo_goes_through_the_branches_and_into_the_steps():
    app = visit("architectures", timeout=200, arch_piece=5)
    expect_no_fault(app)
    assert app.select_slider(key="arch_piece").value == 5
