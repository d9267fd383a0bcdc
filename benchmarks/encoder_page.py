"""A page for benchmarks/stepper.py alone: every step of an encoder of 6 layers over 64 tokens in the stepper.

`streamlit run benchmarks/encoder_page.py` shows it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from explorer.components.stepper import stepper
from explorer.components.stepper.payload import encode
from explorer.models.transformer import Encoder, TransformerConfig
from explorer.trace import Trace, trace

KEY = "encoder_stepper"
TOKENS = 64
CONFIG = TransformerConfig(d_model=64, heads=4, d_ff=256, layers=6)
NAME = (
    f"{CONFIG.layers}-layer encoder over {TOKENS} tokens "
    f"(d_model {CONFIG.d_model}, {CONFIG.heads} heads, d_ff {CONFIG.d_ff})"
)


def steps() -> Trace:
    """The trace of one run on random vectors."""
    torch.manual_seed(0)
    model, x = Encoder(CONFIG).eval(), torch.randn(1, TOKENS, CONFIG.d_model)
    with torch.inference_mode():
        return trace(model, x)


def payload() -> bytes:
    """What the browser is sent."""
    return encode(steps(), {"roles": {}, "url": "", "start": 0})


if __name__ == "__main__":
    st.title(NAME)
    stepper(payload(), key=KEY)
