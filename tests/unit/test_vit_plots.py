"""The charts of the Vision Transformer page show the counted and measured numbers."""

from __future__ import annotations

from itertools import pairwise

import pytest

from explorer.plots.vit import cost_against_patch, time_against_tokens
from explorer.vit_cost import SIDES, SIZES, layer_macs, patch_costs

COSTS = patch_costs(SIZES["ViT-B"], 224)


def test_the_curves_are_the_costs_and_the_chosen_patch_is_marked():
    figure = cost_against_patch(COSTS, 16, "macs", "light")
    whole, attention, rest = figure.data
    assert list(whole.x) == [cost.config.patch for cost in COSTS]
    assert list(whole.y) == [cost.macs for cost in COSTS]
    assert [a + r for a, r in zip(attention.y, rest.y, strict=True)] == list(whole.y)
    place = list(whole.x).index(16)
    assert max(whole.marker.size) == whole.marker.size[place] > whole.marker.size[0]
    assert "(224/16)² + 1 = 197" in whole.text[place]
    assert "12 layers · 2 · n² · 768" in attention.text[place]


def test_memory_says_its_formula():
    layer, head, weights = cost_against_patch(COSTS, 8, "memory", "dark").data
    assert layer.y[0] == 12 * head.y[0] == 12 * 4 * 50_177**2
    assert "n² · 4 bytes = 10.1\u00a0GB" in head.text[0]
    assert list(weights.y) == [4 * cost.parameters for cost in COSTS]


@pytest.mark.parametrize("side", SIDES)
def test_numbers_under_the_axis_do_not_touch(side):
    costs = patch_costs(SIZES["ViT-B"], side)
    ticks = cost_against_patch(costs, costs[0].config.patch, "macs", "light").layout.xaxis.tickvals
    assert {1, 2, 4, 8, 16} <= set(ticks)
    assert all(high >= 1.3 * low for low, high in pairwise(ticks))


def test_times_stand_beside_multiply_adds_in_multiples_of_the_networks_own():
    macs = {n: layer_macs(SIZES["ViT-B"], n) for n in (17, 197, 1025)}
    (line,) = time_against_tokens(macs, {17: 0.5}, 197, "light").data  # nothing to compare with yet
    assert line.y[1] == 1
    assert line.y[2] == macs[1025] / macs[197]
    _, measured = time_against_tokens(macs, {1025: 0.9, 197: 0.3}, 197, "light").data
    assert list(measured.x) == [197, 1025]
    assert list(measured.y) == pytest.approx([1, 3])
    assert measured.text[1] == "900\u00a0ms"
