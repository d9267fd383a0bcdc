"""Multi-head attention against torch.nn.MultiheadAttention: with masks, from another sequence, and as a sum over its heads."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.models.attention import MultiHeadAttention, sum_of_heads
from explorer.multihead_views import add_heads, attend, count_parameters, parameters, seeded_attention, switch_off

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
lengths = st.integers(1, 8)
SHAPES = {"heads": st.integers(1, 6), "d_head": st.integers(1, 6), "seed": st.integers(0, 99)}


def pair(d_model: int, heads: int, seed: int) -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    """Ours and torch's layer with the same weights, biases not zero."""
    torch.manual_seed(seed)
    reference = nn.MultiheadAttention(d_model, heads, batch_first=True).eval()
    for bias in (reference.in_proj_bias, reference.out_proj.bias):
        nn.init.normal_(bias)
    ours = MultiHeadAttention(d_model, heads)
    ours.load_state_dict(reference.state_dict())
    return ours, reference


@settings(max_examples=40)
@given(B=st.integers(1, 3), T=lengths, S=lengths, **SHAPES)
def test_attention_to_another_sequence(B, T, S, heads, d_head, seed):
    ours, reference = pair(heads * d_head, heads, seed)
    query, memory = torch.randn(B, T, heads * d_head), torch.randn(B, S, heads * d_head)
    output, weights = ours(query, memory, memory)
    expected, expected_weights = reference(query, memory, memory, average_attn_weights=False)
    assert weights.shape == (B, heads, T, S)
    torch.testing.assert_close(output, expected, **CLOSE)
    torch.testing.assert_close(weights, expected_weights, **CLOSE)


@settings(max_examples=40)
@given(B=st.integers(1, 3), T=lengths, causal=st.booleans(), padded=st.booleans(), **SHAPES)
def test_masks(B, T, causal, padded, heads, d_head, seed):
    ours, reference = pair(heads * d_head, heads, seed)
    x = torch.randn(B, T, heads * d_head)
    causal_mask = torch.ones(T, T, dtype=torch.bool).tril() if causal else torch.ones(T, T, dtype=torch.bool)
    lengths_of = torch.randint(1, T + 1, (B,)) if padded else torch.full((B,), T)
    is_word = torch.arange(T) < lengths_of[:, None]  # (B, T), False where a sequence is padded
    mask = causal_mask & is_word[:, None, None, :]  # (B, 1, T, T)
    output, weights = ours(x, x, x, mask)
    # torch's masks say the opposite: True where a query may not look.
    expected, expected_weights = reference(
        x, x, x, attn_mask=~causal_mask, key_padding_mask=~is_word, average_attn_weights=False
    )
    torch.testing.assert_close(output, expected, **CLOSE)
    torch.testing.assert_close(weights, expected_weights, **CLOSE)
    assert (weights.masked_select(~mask.expand_as(weights)) == 0).all()


@settings(max_examples=20)
@given(T=lengths, **SHAPES)
def test_a_mask_of_its_own_for_each_head(T, heads, d_head, seed):
    ours, reference = pair(heads * d_head, heads, seed)
    x = torch.randn(1, T, heads * d_head)
    mask = torch.rand(1, heads, T, T) < 0.5
    mask[..., 0] = True
    output, weights = ours(x, x, x, mask)
    expected, expected_weights = reference(x, x, x, attn_mask=~mask[0], average_attn_weights=False)
    torch.testing.assert_close(output, expected, **CLOSE)
    torch.testing.assert_close(weights, expected_weights, **CLOSE)


@settings(max_examples=40)
@given(B=st.integers(1, 3), T=lengths, **SHAPES)
def test_the_output_is_the_sum_over_heads(B, T, heads, d_head, seed):
    _, reference = pair(heads * d_head, heads, seed)
    x = torch.randn(B, T, heads * d_head)
    joined = torch.randn(B, T, heads * d_head)
    split = joined.unflatten(-1, (heads, d_head)).transpose(1, 2)
    output, parts = sum_of_heads(split, reference.out_proj.weight, reference.out_proj.bias)
    assert parts.shape == (B, heads, *x.shape[1:])
    torch.testing.assert_close(output, reference.out_proj(joined), **CLOSE)


@settings(max_examples=25)
@given(T=lengths, causal=st.booleans(), off=st.sets(st.integers(0, 5)), **SHAPES)
def test_heads_switched_off_equal_torch_with_their_columns_of_the_output_weight_zeroed(
    T, causal, off, heads, d_head, seed
):
    off = {head for head in off if head < heads}
    d_model = heads * d_head
    attention = seeded_attention(d_model, heads, seed)
    x = torch.randn(T, d_model, generator=torch.Generator().manual_seed(seed))
    without = switch_off(attend(x.numpy(), attention, causal), attention, off, causal)
    reference = nn.MultiheadAttention(d_model, heads, batch_first=True)
    reference.load_state_dict(attention.state_dict())
    with torch.no_grad():
        for head in off:
            reference.out_proj.weight[:, head * d_head : (head + 1) * d_head] = 0
        mask = ~torch.ones(T, T, dtype=torch.bool).tril() if causal else None
        expected = reference(x[None], x[None], x[None], attn_mask=mask)[0][0]
    torch.testing.assert_close(torch.from_numpy(without.output), expected, **CLOSE)


@settings(max_examples=15)
@given(T=lengths, **SHAPES)
def test_the_parts_shown_are_those_of_the_run(T, heads, d_head, seed):
    d_model = heads * d_head
    attention = seeded_attention(d_model, heads, seed)
    x = torch.randn(T, d_model, generator=torch.Generator().manual_seed(seed))
    run = attend(x.numpy(), attention)
    w_query, _, w_value = attention.in_proj_weight.detach().chunk(3)
    b_query, _, b_value = attention.in_proj_bias.detach().chunk(3)
    torch.testing.assert_close(torch.from_numpy(run.query), x @ w_query.T + b_query, **CLOSE)
    torch.testing.assert_close(torch.from_numpy(run.value), x @ w_value.T + b_value, **CLOSE)
    joined = torch.from_numpy(run.heads).transpose(0, 1).flatten(1)
    torch.testing.assert_close(torch.from_numpy(run.joined), joined)
    w_out, b_out = torch.from_numpy(run.w_out), torch.from_numpy(run.b_out)
    torch.testing.assert_close(torch.from_numpy(run.output), joined @ w_out + b_out, **CLOSE)
    assert add_heads(run).difference <= 1e-5


@pytest.mark.parametrize(("d_model", "heads"), [(4, 2), (12, 3), (12, 12), (64, 8), (512, 8)])
def test_the_parameters_are_those_of_torch_whatever_the_heads(d_model, heads):
    assert count_parameters(d_model, heads) == (parameters(d_model), parameters(d_model))


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="cannot be split into 3 heads"):
        MultiHeadAttention(8, 3)
