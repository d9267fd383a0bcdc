"""Encoder, decoder and the whole Transformer against torch.nn on the same weights."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer.models.attention import causal_mask, padding_mask
from explorer.models.transformer import Decoder, DecoderLayer, Encoder, EncoderLayer, Transformer, TransformerConfig

CLOSE = {"rtol": 0, "atol": 1e-5}
sizes = st.integers(1, 6)
configs = st.builds(
    lambda heads, d_head, d_ff, layers, pre_norm, activation: TransformerConfig(
        heads * d_head, heads, d_ff, layers, pre_norm, activation
    ),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 16),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from(["relu", "gelu"]),
)


def options(config: TransformerConfig) -> dict:
    return {
        "d_model": config.d_model,
        "nhead": config.heads,
        "dim_feedforward": config.d_ff,
        "dropout": 0.0,
        "activation": config.activation,
        "batch_first": True,
        "norm_first": config.pre_norm,
    }


def same_weights(ours: nn.Module, reference: nn.Module) -> None:
    """Random ones, the norms' and biases included, which torch sets to 1 and 0."""
    for parameter in reference.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours.load_state_dict(reference.state_dict())


def random_lengths(B: int, T: int) -> Tensor:
    return torch.randint(1, T + 1, (B,))


def padded(lengths: Tensor, T: int) -> Tensor:
    """As torch has it: True where a key only fills up. (B, T)."""
    return ~padding_mask(lengths, T)[:, 0]


@settings(max_examples=30)
@given(config=configs, B=st.integers(1, 3), T=sizes, causal=st.booleans(), padding=st.booleans(), seed=sizes)
def test_encoder_layer_equals_torch(config, B, T, causal, padding, seed):
    torch.manual_seed(seed)
    reference, ours = nn.TransformerEncoderLayer(**options(config)), EncoderLayer(config)
    same_weights(ours, reference)
    x, lengths = torch.randn(B, T, config.d_model), random_lengths(B, T)
    mask = causal_mask(T) if causal else None
    expected = reference(
        x, src_mask=None if mask is None else ~mask, src_key_padding_mask=padded(lengths, T) if padding else None
    )
    if padding:
        real = padding_mask(lengths, T)[:, None]  # (B, 1, 1, T)
        mask = real if mask is None else real & mask
    torch.testing.assert_close(ours(x, mask), expected, **CLOSE)


@settings(max_examples=30)
@given(config=configs, B=st.integers(1, 3), T=sizes, causal=st.booleans(), final=st.booleans(), seed=sizes)
def test_encoder_equals_torch(config, B, T, causal, final, seed):
    torch.manual_seed(seed)
    layer = nn.TransformerEncoderLayer(**options(config))
    norm = nn.LayerNorm(config.d_model) if final else None
    reference = nn.TransformerEncoder(layer, config.layers, norm=norm, enable_nested_tensor=False)
    ours = Encoder(config, final_norm=final)
    same_weights(ours, reference)
    x = torch.randn(B, T, config.d_model)
    mask = causal_mask(T) if causal else None
    torch.testing.assert_close(ours(x, mask), reference(x, mask=None if mask is None else ~mask), **CLOSE)


@settings(max_examples=30)
@given(config=configs, B=st.integers(1, 3), S=sizes, T=sizes, causal=st.booleans(), padding=st.booleans(), seed=sizes)
def test_decoder_layer_equals_torch(config, B, S, T, causal, padding, seed):
    torch.manual_seed(seed)
    reference, ours = nn.TransformerDecoderLayer(**options(config)), DecoderLayer(config)
    same_weights(ours, reference)
    x, memory = torch.randn(B, T, config.d_model), torch.randn(B, S, config.d_model)
    lengths = random_lengths(B, S)
    mask = causal_mask(T) if causal else None
    expected = reference(
        x,
        memory,
        tgt_mask=None if mask is None else ~mask,
        memory_key_padding_mask=padded(lengths, S) if padding else None,
    )
    real = padding_mask(lengths, S)[:, None] if padding else None
    torch.testing.assert_close(ours(x, memory, mask, real), expected, **CLOSE)


@settings(max_examples=30)
@given(config=configs, B=st.integers(1, 3), S=sizes, T=sizes, final=st.booleans(), seed=sizes)
def test_decoder_equals_torch(config, B, S, T, final, seed):
    torch.manual_seed(seed)
    norm = nn.LayerNorm(config.d_model) if final else None
    reference = nn.TransformerDecoder(nn.TransformerDecoderLayer(**options(config)), config.layers, norm=norm)
    ours = Decoder(config, final_norm=final)
    same_weights(ours, reference)
    x, memory = torch.randn(B, T, config.d_model), torch.randn(B, S, config.d_model)
    may_read = torch.rand(T, S) < 0.6
    may_read[torch.arange(T), torch.randint(S, (T,))] = True  # each query may look somewhere
    expected = reference(x, memory, tgt_mask=~causal_mask(T), memory_mask=~may_read)
    torch.testing.assert_close(ours(x, memory, causal_mask(T), may_read), expected, **CLOSE)


@settings(max_examples=40)
@given(config=configs, B=st.integers(1, 3), S=sizes, T=sizes, padding=st.booleans(), seed=sizes)
def test_transformer_equals_torch(config, B, S, T, padding, seed):
    torch.manual_seed(seed)
    reference = nn.Transformer(num_encoder_layers=config.layers, num_decoder_layers=config.layers, **options(config))
    ours = Transformer(config)
    same_weights(ours, reference)
    source, target = torch.randn(B, S, config.d_model), torch.randn(B, T, config.d_model)
    sources, targets = random_lengths(B, S), random_lengths(B, T)
    paddings = {}
    real_source, may_look = None, causal_mask(T)
    if padding:
        gone = padded(sources, S)
        paddings = {
            "src_key_padding_mask": gone,
            "memory_key_padding_mask": gone,
            "tgt_key_padding_mask": padded(targets, T),
        }
        real_source = padding_mask(sources, S)[:, None]
        may_look = padding_mask(targets, T)[:, None] & may_look
    expected = reference(source, target, tgt_mask=~causal_mask(T), **paddings)
    torch.testing.assert_close(ours(source, target, real_source, may_look, real_source), expected, **CLOSE)


@pytest.mark.parametrize("pre_norm", [False, True])
def test_state_dicts_have_the_same_names_and_shapes(pre_norm):
    config = TransformerConfig(d_model=8, heads=2, d_ff=12, layers=2, pre_norm=pre_norm)
    reference = nn.Transformer(num_encoder_layers=2, num_decoder_layers=2, **options(config))
    ours = Transformer(config)
    assert [(n, p.shape) for n, p in ours.named_parameters()] == [(n, p.shape) for n, p in reference.named_parameters()]


def test_what_comes_later_changes_nothing_before():
    torch.manual_seed(0)
    config = TransformerConfig(d_model=8, heads=2, d_ff=16, layers=2)
    model = Transformer(config)
    source, target = torch.randn(1, 4, 8), torch.randn(1, 5, 8)
    changed = target.clone()
    changed[:, 3:] = torch.randn(1, 2, 8)
    first, second = (model(source, t, target_mask=causal_mask(5)) for t in (target, changed))
    torch.testing.assert_close(first[:, :3], second[:, :3])
    assert not torch.allclose(first[:, 3:], second[:, 3:])
