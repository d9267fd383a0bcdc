from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.models.transformer import Encoder, TransformerConfig

sizes = st.integers(1, 6)


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
