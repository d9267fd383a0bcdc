"""What the pooling page computes: windows, noise and shifts against numpy and torch, the ConvNet's costs against torch."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from explorer.convnet_views import flatten_head, layers, pooled_head, random_convnet, run_convnet, standardise
from explorer.models.pooling import ConvNet, ConvNetConfig
from explorer.plots.curves import noise_change
from explorer.pooling_views import (
    KINDS,
    NOISE_SEEDS,
    STEPPED_NUMBERS,
    Setup,
    add_noise,
    call_source,
    change,
    changes,
    most_times,
    noise_curves,
    padded,
    pool,
    pool_colours,
    shifted,
    stepped,
    steps,
    winners,
)

NOISES = ("specks", "bright", "dark", "gaussian")


def image(seed: int = 0, height: int = 20, width: int = 17) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width)).astype(np.float32)


@st.composite
def setups(draw: st.DrawFn) -> Setup:
    window = draw(st.integers(1, 8))
    return Setup(
        draw(st.sampled_from(KINDS)),
        window,
        draw(st.integers(1, 8)),
        draw(st.integers(0, window // 2)),
        draw(st.booleans()),
        draw(st.booleans()),
    )


maps = st.builds(image, st.integers(0, 1000), st.integers(8, 24), st.integers(8, 24))


@settings(max_examples=150)
@given(x=maps, setup=setups())
def test_a_pooled_map_is_torchs_and_has_the_size_that_was_said(x, setup):
    tensor = torch.from_numpy(x)[None, None]
    window = {
        "kernel_size": setup.window,
        "stride": setup.stride,
        "padding": setup.padding,
        "ceil_mode": setup.ceil_mode,
    }
    layer = {
        "max": lambda: nn.MaxPool2d(**window),
        "average": lambda: nn.AvgPool2d(**window, count_include_pad=setup.count_include_pad),
        "global": lambda: nn.AdaptiveAvgPool2d(1),
    }[setup.kind]()
    result = pool(x, setup)
    np.testing.assert_allclose(result, layer(tensor)[0, 0].numpy(), rtol=1e-6)
    assert result.shape == setup.output(x.shape)


@settings(max_examples=150)
@given(x=maps, setup=setups())
def test_each_pooled_cell_comes_from_the_window_that_is_outlined(x, setup):
    seen, result = padded(x, setup), pool(x, setup)
    # Ones where a cell counts in the mean: the map, and its padding where that is wanted; never what hangs over.
    p = setup.padding if setup.kind == "average" else 0
    counts = np.pad(np.ones_like(x), p, constant_values=float(setup.count_include_pad))
    counts = np.pad(counts, [(0, s - c) for s, c in zip(seen.shape, counts.shape, strict=True)])
    for row, column in np.ndindex(*result.shape):
        left, top, width, height = setup.place(x.shape, row, column)
        there = slice(top, top + height), slice(left, left + width)
        assert seen[there].shape == (height, width)
        if setup.kind == "max":
            assert seen[there].max() == result[row, column]
        else:
            assert seen[there].sum() / counts[there].sum() == pytest.approx(result[row, column], rel=1e-5)


@settings(max_examples=100)
@given(x=maps, setup=setups())
def test_no_window_reaches_the_dropped_cells(x, setup):
    height, width = padded(x, setup).shape
    rows, columns = setup.output(x.shape)
    left, top, across, down = setup.place(x.shape, rows - 1, columns - 1)
    assert (height - top - down, width - left - across) == setup.dropped(x.shape)


@settings(max_examples=100)
@given(x=maps, setup=setups())
def test_the_marked_cells_hold_the_maxima(x, setup):
    cells = winners(x, setup)
    pooled = pool(x, setup.of("max")) if setup.kind != "global" else None
    assert cells.dtype == np.int32
    assert len(np.unique(cells, axis=0)) == len(cells)
    if pooled is not None:
        assert set(x[tuple(cells.T)]) == set(pooled.ravel())


def test_colours_are_pooled_on_their_own_and_again():
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    twice = pool_colours(pixels, Setup("max"), 2)
    np.testing.assert_array_equal(twice, pixels.reshape(6, 4, 6, 4, 3).max(axis=(1, 3)))


@settings(max_examples=100)
@given(size=st.tuples(st.integers(8, 60), st.integers(8, 60)), setup=setups())
def test_so_often_it_can_be_pooled_and_no_more(size, setup):
    setup = dataclasses.replace(setup, ceil_mode=False)  # rounded up, torch takes windows larger than the map
    times = most_times(size, setup, 6)
    pixels = np.zeros((*size, 3), np.uint8)
    assert times >= 1
    assert pool_colours(pixels, setup.of("max"), times).size
    if times < 6:
        with pytest.raises(RuntimeError):
            pool_colours(pixels, setup.of("max"), times + 1)


@pytest.mark.parametrize("kind", NOISES)
def test_noise_is_the_same_each_time_and_stays_a_picture(kind):
    x = image()
    noisy = add_noise(x, kind, 0.3, seed=3)
    np.testing.assert_array_equal(noisy, add_noise(x, kind, 0.3, seed=3))
    assert not np.array_equal(noisy, add_noise(x, kind, 0.3, seed=4))
    assert noisy.dtype == np.float32
    assert 0 <= noisy.min() <= noisy.max() <= 1
    np.testing.assert_array_equal(add_noise(x, kind, 0.0), x)


@pytest.mark.parametrize(("kind", "colours"), [("bright", {1.0}), ("dark", {0.0}), ("specks", {0.0, 1.0})])
def test_specks_have_their_colours_and_their_share(kind, colours):
    x = np.full((200, 200), 0.5, np.float32)
    noisy = add_noise(x, kind, 0.2)
    assert set(noisy[noisy != 0.5]) == colours
    assert (noisy != 0.5).mean() == pytest.approx(0.2, abs=0.01)


def test_black_specks_lose_against_their_neighbours():
    """What the page claims of pepper: each window of 2 × 2 keeps its maximum while one good cell of it is left."""
    x = np.full((40, 40), 0.5, np.float32)
    noisy = add_noise(x, "dark", 0.1)
    made = changes(x, noisy, Setup(window=2, stride=2))
    assert made["max"].mean < 0.001 < 0.03 < made["average"].mean


@pytest.mark.parametrize("kind", NOISES)
def test_the_noise_curve_is_the_mean_change_over_the_seeds(kind):
    x, setup = image(), Setup(window=3, stride=2, padding=1)
    curves = noise_curves(x, setup, kind, [0.0, 0.2])
    for pooling, curve in curves.items():
        each = [changes(x, add_noise(x, kind, 0.2, seed), setup)[pooling].mean for seed in range(NOISE_SEEDS)]
        np.testing.assert_allclose(curve, [0, np.mean(each)], rtol=1e-4, atol=1e-6)


def test_change_counts_cells_beyond_the_limit():
    before = np.zeros((2, 2), np.float32)
    made = change(before, np.array([[0, 0.04], [0.06, -0.5]], np.float32))
    assert (made.share, made.mean) == (0.5, pytest.approx(0.15))


@settings(max_examples=50)
@given(x=maps, cells=st.integers(0, 4))
def test_the_mean_of_the_map_does_not_notice_a_shift(x, cells):
    moved = shifted(x, cells)
    assert changes(x, moved, Setup())["global"].mean < 1e-6
    np.testing.assert_array_equal(moved[:, cells:], x[:, : x.shape[1] - cells])


@settings(max_examples=50)
@given(x=maps, setup=setups(), centre=st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_both_forms_step_to_the_pooled_map(x, setup, centre):
    part = stepped(x, setup, centre)
    for by_hand in (False, True):
        made, start = steps(part, setup, by_hand)
        out = made.result[0] if isinstance(made.result, tuple) else made.result
        np.testing.assert_allclose(out.flatten(), pool(part, setup).ravel(), rtol=1e-5)
        assert made.steps[start].op in {"max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "max", "sum"}


def test_only_a_part_is_stepped_through_where_windows_hold_too_much():
    x, setup = image(0, 36, 36), Setup(window=12, stride=1, padding=6)
    part = stepped(x, setup, (35, 0))
    assert part.shape == (18, 18)
    np.testing.assert_array_equal(part, x[-18:, :18])
    assert np.prod(setup.output(part.shape)) * 12**2 <= STEPPED_NUMBERS
    assert stepped(x, Setup(), (0, 0)) is x


@settings(max_examples=50)
@given(x=maps, setup=setups())
def test_the_call_in_the_snippet_gives_the_pooled_map(x, setup):
    name, call = call_source(setup)
    names = {"x": torch.from_numpy(x)[None, None]}
    exec(f"from explorer.models.pooling import {name}\n{call}", names)
    np.testing.assert_array_equal(names["result"], pool(x, setup))


@pytest.mark.parametrize("size", [(8, 8), (32, 24), (36, 36)])
def test_the_networks_costs_are_those_that_torch_counts(size):
    model = random_convnet(*size)
    table = layers(run_convnet(image(0, *size)))
    assert sum(layer.parameters for layer in table) == sum(p.numel() for p in model.parameters())
    counter = FlopCounterMode(display=False)
    with counter:
        model(torch.zeros(1, 1, *size))
    assert 2 * sum(layer.macs for layer in table) == counter.get_total_flops()


def test_the_networks_layers_are_its_lines():
    x = standardise(image(1, 32, 32))
    table = layers(run_convnet(x, seed=4))
    assert [layer.name for layer in table] == "maps1 active1 pooled1 maps2 active2 pooled2 features logits".split()
    assert [layer.output.shape for layer in table[::3]] == [(4, 32, 32), (8, 16, 16), (512,)]
    model = random_convnet(32, 32, seed=4)
    with torch.inference_mode():
        np.testing.assert_allclose(table[-1].output, model(torch.from_numpy(x)[None, None])[0].numpy(), rtol=1e-5)


def test_random_weights_are_spread_as_torch_spreads_them():
    ours = random_convnet(32, 32).state_dict()
    torch.manual_seed(0)
    theirs = ConvNet(ConvNetConfig(height=32, width=32)).state_dict()
    for name, weight in theirs.items():
        assert ours[name].abs().max() <= ours[name.replace("bias", "weight")][0].numel() ** -0.5
        if weight.numel() > 200:
            assert ours[name].std().item() == pytest.approx(weight.std().item(), rel=0.15)


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_an_even_map_is_standardised_to_zero(value):
    np.testing.assert_allclose(standardise(np.full((8, 8), value, np.float32)), 0, atol=1e-6)
    made = standardise(image())
    assert (made.mean(), made.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1, rel=1e-5))


def test_heads_count_as_linear_layers_do():
    count = lambda layer: sum(p.numel() for p in layer.parameters())  # noqa: E731
    head = flatten_head(64, (7, 5), 10)
    assert (head.features, head.parameters) == (2240, count(nn.Linear(2240, 10)))
    assert head.features_formula == r"64 \cdot 7 \cdot 5 = 2\,240"
    head = pooled_head(64, 10)
    assert (head.features, head.parameters) == (64, count(nn.Linear(64, 10)))


def test_the_noise_chart_draws_each_curve():
    strength = np.arange(3)
    figure = noise_change(strength, {"a": strength * 0.1, "b": strength * 0.2}, 1.0, "dark")
    assert [(trace.name, *trace.y) for trace in figure.data] == [("a", 0, 0.1, 0.2), ("b", 0, 0.2, 0.4)]
    assert figure.layout.shapes[0].x0 == 1.0
