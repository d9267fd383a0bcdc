"""Tracing a 6-layer Transformer encoder against the plain call and against torch.profiler, in one run."""

from __future__ import annotations

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.timing import compare, median_ratio
from explorer.models.transformer import Encoder, TransformerConfig
from explorer.trace import trace

ROUNDS = 60
SIZES = {f"64 tokens × {width}": (64, width) for width in (64, 128, 256, 512)}


def run() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, goal)."""
    rows = []
    for name, (tokens, width) in SIZES.items():
        torch.manual_seed(0)
        model = Encoder(TransformerConfig(d_model=width, heads=8, d_ff=4 * width, layers=6)).eval()
        x = torch.randn(1, tokens, width)

        def plain(model: Encoder = model, x: torch.Tensor = x) -> None:
            model(x)

        def traced(model: Encoder = model, x: torch.Tensor = x) -> None:
            trace(model, x)

        def profiled(model: Encoder = model, x: torch.Tensor = x) -> None:
            with profile(activities=[ProfilerActivity.CPU], record_shapes=True, with_stack=True) as prof:
                model(x)
            prof.key_averages()

        with torch.inference_mode():
            seconds = compare({"plain": plain, "traced": traced, "profiled": profiled}, ROUNDS)
            steps = len(trace(model, x).steps)
        rows.append(
            (f"tracing ÷ plain call, {name}, {steps} steps", f"{median_ratio(seconds, 'traced', 'plain'):.2f}", "≤ 4")
        )
        rows.append(
            (f"tracing ÷ torch.profiler, {name}", f"{median_ratio(seconds, 'traced', 'profiled'):.2f}", "≤ 0.3")
        )
    return rows


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")
