from __future__ import annotations

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.models.attention import scaled_dot_product_attention
from explorer.models.transformer import Encoder, TransformerConfig

sizes = st.integers(1, 6)


@settings(max_examples=60, deadline=None)
@given(
    B=sizes, T=sizes, S=sizes, d_k=sizes, d_v=sizes, causal=st.booleans(), masked=st.booleans(), seed=st.integers(0, 99)
)
def test_attention_equals_torch(B, T, S, d_k, d_v, causal, masked, seed):
    generator = torch.Generator().manual_seed(seed)
    query, key, value = (torch.randn(B, n, d, generator=generator) for n, d in [(T, d_k), (S, d_k), (S, d_v)])
    mask = None
    if causal:
        mask = torch.ones(T, S, dtype=torch.bool).tril()
    elif masked:
        mask = torch.rand(B, T, S, generator=generator) < 0.6
        mask[..., 0] = True
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    torch.testing.assert_close(output, F.scaled_dot_product_attention(query, key, value, mask), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(B, T))
    if mask is not None:
        assert (weights.masked_select(~mask.expand_as(weights)) == 0).all()


@settings(max_examples=25, deadline=None)
@given(
    B=st.integers(1, 3),
    T=sizes,
    heads=st.integers(1, 3),
    layers=st.integers(1, 3),
    pre_norm=st.booleans(),
    causal=st.booleans(),
)
def test_encoder_equals_torch(B, T, heads, layers, pre_norm, causal):
    torch.manual_seed(T)
    config = TransformerConfig(d_model=4 * heads, heads=heads, d_ff=16, layers=layers, pre_norm=pre_norm)
    layer = nn.TransformerEncoderLayer(config.d_model, heads, config.d_ff, 0.0, batch_first=True, norm_first=pre_norm)
    reference = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
    for parameter in reference.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours = Encoder(config)
    ours.load_state_dict(reference.state_dict())
    x = torch.randn(B, T, config.d_model)
    may_look = torch.ones(T, T, dtype=torch.bool).tril() if causal else None
    expected = reference(x, mask=None if may_look is None else ~may_look)
    torch.testing.assert_close(ours(x, may_look), expected, rtol=1e-5, atol=1e-5)
