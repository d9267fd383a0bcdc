"""What is read out of a Vision Transformer, against the network itself and against numpy written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.models.vit import VisionTransformer, VitConfig, project_both_ways
from explorer.vit_reading import gathered, masses, principal_filters, project, read, similarity, steps


def network(*, distilled: bool = True, patch: int = 8) -> VisionTransformer:
    torch.manual_seed(0)
    made = VisionTransformer(VitConfig(32, patch, layers=2, heads=2, width=8, d_ff=16, classes=5, distilled=distilled))
    for parameter in made.parameters():
        parameter.data = torch.randn(parameter.shape) * 0.5
    return made.eval().requires_grad_(False)


X = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.integers(1, 9), st.integers(1, 2))
def test_the_projection_is_a_matrix_and_a_convolution_with_its_stride(patch, rows, columns, width, batch):
    generator = torch.Generator().manual_seed(patch * 100 + rows)
    x = torch.randn(batch, 3, rows * patch, columns * patch, generator=generator)
    weight, bias = torch.randn(width, 3, patch, patch, generator=generator), torch.randn(width, generator=generator)
    tokens, difference = project_both_ways(x, weight, bias)
    assert tokens.shape == (batch, rows * columns, width)
    assert float(difference.abs().max()) < 1e-4
    # Patch by patch.
    last = torch.einsum("wcij,bcij->bw", weight, x[:, :, -patch:, -patch:]) + bias
    torch.testing.assert_close(tokens[:, -1], last, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        tokens.mT.unflatten(2, (rows, columns)),
        torch.nn.functional.conv2d(x, weight, bias, stride=patch),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize("distilled", [True, False])
def test_a_reading_holds_what_the_network_did(distilled):
    net = network(distilled=distilled)
    reading, output = read(net, X), net.read(X)
    assert (reading.layers, reading.heads, reading.grid, reading.extra) == (2, 2, (4, 4), 1 + distilled)
    for layer in range(2):
        np.testing.assert_array_equal(reading.attention[layer], output.attention[layer][0].numpy())
    np.testing.assert_array_equal(reading.tokens[-1], output.tokens[-1][0].numpy())
    np.testing.assert_allclose(reading.attention.sum(-1), 1, atol=1e-5)
    query = reading.token(1, 2)
    assert query == reading.extra + 6
    np.testing.assert_array_equal(reading.look(1, 0, query), output.attention[1][0, 0, query].numpy())
    np.testing.assert_allclose(
        reading.look(1, None, query), output.attention[1][0, :, query].mean(0).numpy(), rtol=1e-5
    )


def test_masses_say_where_all_of_a_row_goes():
    row = np.array([0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(masses(row, 2), [0.1, 0.2, 0.7])
    np.testing.assert_allclose(masses(row, 1), [0.1, 0.9])
    found = gathered(read(network(), X), 0)
    assert found.shape == (2, 3)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("token", [0, 1])
def test_similarity_is_the_cosine_with_every_patch(token):
    reading = read(network(), X)
    found = similarity(reading, token)
    assert found.shape == (3, 4, 4)
    for layer in range(3):
        tokens = torch.from_numpy(reading.tokens[layer])
        expected = torch.cosine_similarity(tokens[token], tokens[2:], dim=-1).reshape(4, 4)
        np.testing.assert_allclose(found[layer], expected.numpy(), atol=1e-5)


def test_one_patch_becomes_the_token_that_the_network_makes():
    net = network()
    for row, column in ((0, 0), (3, 1)):
        made = project(net, X, row, column)
        expected = net.embed(X)[0, 2 + 4 * row + column]
        np.testing.assert_allclose(made.token, expected.numpy(), atol=1e-5)
        np.testing.assert_allclose(made.product + made.position, made.token)
        square = X[0, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        np.testing.assert_array_equal(made.vector, square.reshape(3, 64).numpy())


def test_principal_filters_are_those_of_the_covariance():
    weight = np.random.default_rng(0).standard_normal((40, 3, 2, 2)).astype(np.float32)
    found = principal_filters(weight, 5)
    values, vectors = np.linalg.eigh(np.cov(weight.reshape(40, 12), rowvar=False))
    assert found.kernels.shape == (5, 3, 2, 2)
    np.testing.assert_allclose(found.share, values[::-1][:5] / values.sum(), rtol=1e-5)
    for kernel, vector in zip(found.kernels, vectors.T[::-1], strict=False):
        assert abs(float(kernel.ravel() @ vector)) == pytest.approx(1, abs=1e-4)
        assert kernel.sum() >= 0
    assert len(principal_filters(weight[:3], 28).kernels) == 3


@pytest.mark.parametrize("distilled", [True, False])
def test_a_block_asked_for_some_tokens_gives_what_it_gives_for_all(distilled):
    net = network(distilled=distilled)
    block = net.encoder.layers["encoder_layer_1"]
    x = net.read(X).tokens[1]
    out, weights = block(x)
    for places in ([0], [0, 5, 3], list(range(x.shape[1]))):
        some, looks = block.ask(x, places)
        torch.testing.assert_close(some, out[:, places], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(looks, weights[:, :, places], rtol=1e-5, atol=1e-6)


def test_the_parts_that_are_stepped_through_are_the_networks():
    net = network()
    reading = read(net, X)
    query = reading.token(2, 1)
    embedded = steps(net, X, reading, "patches", 0, query, 2)
    np.testing.assert_array_equal(embedded.result[0].numpy(), reading.tokens[0])
    band = steps(net, X, reading, "row", 0, query, 2)
    np.testing.assert_allclose(
        band.result[0][0].numpy() + net.positions(4, 4)[0, 10:14].numpy(), reading.tokens[0][10:14], atol=1e-5
    )
    block = steps(net, X, reading, "block", 1, query, 2)
    np.testing.assert_allclose(block.result[0][0].numpy(), reading.tokens[2][[0, 1, query]], atol=1e-5)
    np.testing.assert_allclose(block["weights"].output[0].numpy(), reading.attention[1][:, [0, 1, query]], atol=1e-6)
    assert steps(net, X, reading, "block", 1, 0, 2).result[0].shape == (1, 2, 8)
    head = steps(net, X, reading, "head", 0, query, 2)
    torch.testing.assert_close(head.result, net(X))
