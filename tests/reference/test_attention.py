"""Attention against torch: F.scaled_dot_product_attention with masks, causality, scale and broadcasting; scores and masks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer.models.attention import causal_mask, padding_mask, scaled_dot_product_attention, self_attention
from explorer.models.decoder_attention import DecoderAttention, EncoderDecoder
from explorer.models.scoring import AdditiveScore, attend, cosine, dot_product, scaled_dot_product

sizes = st.integers(1, 6)
dtypes = st.sampled_from((torch.float32, torch.float64))
leading = st.sampled_from(((), (3,), (2, 3)))


def tensors(*shapes: tuple[int, ...], dtype: torch.dtype = torch.float32, seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


def some_mask(shape: tuple[int, ...], seed: int) -> Tensor:
    """Random, and no row is masked in full."""
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.6
    mask[..., seed % shape[-1]] = True
    return mask


def close(ours: Tensor, reference: Tensor) -> None:
    assert ours.dtype == reference.dtype
    torch.testing.assert_close(ours, reference, rtol=1e-5, atol=1e-5)


@settings(max_examples=120)
@given(
    batch=leading, T=sizes, S=sizes, d_k=sizes, d_v=sizes, dtype=dtypes, seed=st.integers(0, 99),
    masked=st.sampled_from(("none", "causal", "full", "rows", "one for all")),
    scale=st.none() | st.floats(0.05, 2),
)  # fmt: skip
def test_attention_equals_torch(batch, T, S, d_k, d_v, dtype, seed, masked, scale):
    query, key, value = tensors((*batch, T, d_k), (*batch, S, d_k), (*batch, S, d_v), dtype=dtype, seed=seed)
    mask = {
        "none": None,
        "causal": causal_mask(T, S),
        "full": some_mask((*batch, T, S), seed),
        "rows": some_mask((T, 1), 0) | some_mask((1, S), seed),
        "one for all": some_mask((1, S), seed),
    }[masked]
    output, weights = scaled_dot_product_attention(query, key, value, mask, scale)
    if masked == "causal":
        close(output, F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale))
    expanded = None if mask is None else mask.expand(T, S) if mask.dim() == 2 else mask
    close(output, F.scaled_dot_product_attention(query, key, value, expanded, scale=scale))
    assert weights.shape == (*batch, T, S)
    torch.testing.assert_close(weights.sum(-1), torch.ones(*batch, T, dtype=dtype))
    if mask is not None:
        assert (weights.masked_select(~mask.expand_as(weights)) == 0).all()
    close(output, attend(query, key, value, scaled_dot_product, mask)[0]) if scale is None else None


@settings(max_examples=40)
@given(
    shapes=st.sampled_from(
        (
            ((2, 3), (1, 1), (1, 1)),
            ((1, 1), (2, 3), (2, 3)),
            ((2, 1), (1, 3), (2, 3)),
            ((2, 3), (1, 3), (2, 1)),
            ((4, 2), (4, 1), (4, 1)),
        )
    ),
    T=sizes, S=sizes, d=sizes, dtype=dtypes, seed=st.integers(0, 9), over=st.sampled_from(("batch", "head", "both")),
)  # fmt: skip
def test_batch_and_head_dimensions_broadcast_as_torchs(shapes, T, S, d, dtype, seed, over):
    """Torch's fused kernels want equal shapes, so what it is given is expanded first."""
    query, key, value = tensors(*((*s, n, d) for s, n in zip(shapes, (T, S, S), strict=True)), dtype=dtype, seed=seed)
    batch = torch.broadcast_shapes(*shapes)
    mask = some_mask({"batch": (batch[0], 1, T, S), "head": (1, batch[1], T, S), "both": (1, 1, T, S)}[over], seed)
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    expanded = [t.expand(*batch, *t.shape[-2:]) for t in (query, key, value)]
    close(output, F.scaled_dot_product_attention(*expanded, mask.expand(*batch, T, S)))
    assert weights.shape == (*torch.broadcast_shapes(shapes[0], shapes[1], mask.shape[:2]), T, S)


@settings(max_examples=30)
@given(T=sizes, S=sizes, d_k=sizes, d_v=sizes, dtype=dtypes, seed=st.integers(0, 99), masked=st.booleans())
def test_gradients_equal_torchs(T, S, d_k, d_v, dtype, seed, masked):
    mask = some_mask((T, S), seed) if masked else None
    ours, theirs = (
        [t.requires_grad_() for t in tensors((2, T, d_k), (2, S, d_k), (2, S, d_v), dtype=dtype, seed=seed)]
        for _ in range(2)
    )
    (towards,) = tensors((2, T, d_v), dtype=dtype, seed=seed + 1)
    (scaled_dot_product_attention(*ours, mask)[0] * towards).sum().backward()
    (F.scaled_dot_product_attention(*theirs, mask) * towards).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        close(a.grad, b.grad)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_query_that_may_look_nowhere(dtype):
    """The softmax of nothing is NaN, for torch too; F.scaled_dot_product_attention gives 0 instead (torch 2.14)."""
    query, key, value = tensors((2, 4), (5, 4), (5, 3), dtype=dtype)
    mask = torch.ones(2, 5, dtype=torch.bool)
    mask[0] = False
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    assert torch.full((5,), -math.inf, dtype=dtype).softmax(0).isnan().all()
    assert weights[0].isnan().all()
    assert output[0].isnan().all()
    reference = F.scaled_dot_product_attention(query, key, value, mask)
    assert (reference[0] == 0).all()
    close(output[1], reference[1])


@settings(max_examples=20)
@given(T=sizes, S=sizes)
def test_the_causal_mask_is_torchs(T, S):
    query, key, value = tensors((T, 2), (S, 2), (S, 2))
    close(
        F.scaled_dot_product_attention(query, key, value, causal_mask(T, S)),
        F.scaled_dot_product_attention(query, key, value, is_causal=True),
    )
    assert torch.equal(causal_mask(T), nn.Transformer.generate_square_subsequent_mask(T) == 0)


def test_padding_is_what_key_padding_mask_hides():
    torch.manual_seed(0)
    lengths, keys = torch.tensor([3, 5, 1]), 5
    mask = padding_mask(lengths, keys)
    assert mask.shape == (3, 1, keys)
    assert mask[:, 0].sum(-1).tolist() == lengths.tolist()
    identity = nn.MultiheadAttention(4, 1, bias=False, batch_first=True)
    with torch.no_grad():
        identity.in_proj_weight.copy_(torch.eye(4).repeat(3, 1))
        identity.out_proj.weight.copy_(torch.eye(4))
    (x,) = tensors((3, keys, 4))
    close(scaled_dot_product_attention(x, x, x, mask)[0], identity(x, x, x, key_padding_mask=~mask[:, 0])[0])


@settings(max_examples=40)
@given(batch=leading, T=sizes, S=sizes, d=sizes, dtype=dtypes, seed=st.integers(0, 99))
def test_scores_equal_torchs(batch, T, S, d, dtype, seed):
    query, key = tensors((*batch, T, d), (*batch, S, d), dtype=dtype, seed=seed)
    close(dot_product(query, key), torch.einsum("...td,...sd->...ts", query, key))
    close(scaled_dot_product(query, key), torch.einsum("...td,...sd->...ts", query, key) / d**0.5)
    close(cosine(query, key), F.cosine_similarity(query.unsqueeze(-2), key.unsqueeze(-3), dim=-1))
    assert cosine(query, key).abs().max() <= 1 + 1e-6


def test_a_vector_of_length_zero_has_cosine_zero():
    zero, one = torch.zeros(1, 3), torch.eye(3)
    assert (cosine(zero, one) == 0).all()
    assert (cosine(one, zero) == 0).all()


@settings(max_examples=25)
@given(batch=leading, T=sizes, S=sizes, d=sizes, hidden=sizes, seed=st.integers(0, 99))
def test_additive_scores_equal_bahdanaus_formula_pair_by_pair(batch, T, S, d, hidden, seed):
    torch.manual_seed(seed)
    score = AdditiveScore(d, hidden)
    query, key = tensors((*batch, T, d), (*batch, S, d), seed=seed)
    scores = score(query, key)
    assert scores.shape == (*batch, T, S)
    for t in range(T):
        for s in range(S):
            inner = F.linear(query[..., t, :], score.w_query.T) + F.linear(key[..., s, :], score.w_key.T)
            close(scores[..., t, s], F.linear(torch.tanh(inner), score.v[None])[..., 0])


@pytest.mark.parametrize("temperature", [0.1, 1.0, 7.0])
def test_the_temperature_divides_the_scores(temperature):
    query, key, value = tensors((4, 3), (5, 3), (5, 2))
    output, weights = attend(query, key, value, dot_product, None, temperature)
    close(output, F.scaled_dot_product_attention(query, key, value, scale=1 / temperature))
    torch.testing.assert_close(weights.sum(-1), torch.ones(4))


@settings(max_examples=25)
@given(T=sizes, d_model=sizes, d_k=sizes, d_v=sizes, seed=st.integers(0, 99), masked=st.booleans())
def test_self_attention_equals_torch(T, d_model, d_k, d_v, seed, masked):
    x, w_query, w_key, w_value = tensors((2, T, d_model), (d_model, d_k), (d_model, d_k), (d_model, d_v), seed=seed)
    mask = causal_mask(T) if masked else None
    output, weights = self_attention(x, w_query, w_key, w_value, mask)
    projected = [F.linear(x, w.T) for w in (w_query, w_key, w_value)]
    close(output, F.scaled_dot_product_attention(*projected, is_causal=masked))
    assert weights.shape == (2, T, T)


def test_without_positions_self_attention_only_permutes_its_output():
    x, *weights = tensors((7, 4), (4, 4), (4, 4), (4, 4))
    order = torch.randperm(7, generator=torch.Generator().manual_seed(1))
    output, attention = self_attention(x, *weights)
    permuted, permuted_attention = self_attention(x[order], *weights)
    close(permuted, output[order])
    close(permuted_attention, attention[order][:, order])


@settings(max_examples=20)
@given(S=sizes, hidden=sizes, vocabulary=sizes, seed=st.integers(0, 99))
def test_the_decoders_five_steps_equal_torchs_layers(S, hidden, vocabulary, seed):
    torch.manual_seed(seed)
    model = DecoderAttention(hidden, vocabulary)
    states, state = tensors((S, hidden), (hidden,), seed=seed)
    scores, weights, context, combined, probabilities = model(states, state)
    close(scores, torch.mv(states, state))
    close(weights, F.softmax(scores, dim=0))
    close(context, F.scaled_dot_product_attention(state[None], states, states, scale=1.0)[0])
    close(combined, torch.tanh(F.linear(torch.cat([context, state]), model.combine.weight, model.combine.bias)))
    close(probabilities, F.softmax(F.linear(combined, model.predict.weight, model.predict.bias), dim=0))


@settings(max_examples=15)
@given(S=sizes, width=sizes, hidden=sizes, seed=st.integers(0, 99))
def test_the_decoder_begins_where_the_encoder_ended(S, width, hidden, seed):
    torch.manual_seed(seed)
    model = EncoderDecoder(width, hidden, 3)
    words, start = tensors((S, width), (width,), seed=seed)
    encoder, decoder = nn.RNN(width, hidden), nn.RNN(width, hidden)
    encoder.load_state_dict(model.encoder.state_dict())
    decoder.load_state_dict(model.decoder.state_dict())
    states, last = encoder(words)
    encoder_states, decoder_state = model.states(words, start)
    close(encoder_states, states)
    close(decoder_state, decoder(start[None], last)[0][0])
    np.testing.assert_allclose(model.attention(encoder_states, decoder_state)[-1].sum().item(), 1, atol=1e-6)
