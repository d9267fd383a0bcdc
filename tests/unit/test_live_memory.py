"""Peak memory of runs whose allocations are known to the byte."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import nn

from explorer import live_memory
from explorer.live_memory import LiveBytes, available_bytes, peak_bytes

KB = 1024


def numbers(kilobytes: int) -> torch.Tensor:
    """So many KiB of float32."""
    return torch.zeros(kilobytes * KB // 4)


def one_after_the_other() -> None:
    first = numbers(100)
    del first
    second = numbers(60)
    del second


def both_at_once() -> None:
    first = numbers(100)
    second = numbers(60)
    del first, second
    numbers(20)


def views_only() -> None:
    base = numbers(40)
    base.view(-1, 2).t()[0].detach()


def in_place() -> None:
    numbers(50).add_(1).mul_(2)


def inside_an_expression() -> None:
    # 10 + 10 for the operands, 10 for the sum; then the operands go and the sum and its double are left.
    doubled = (numbers(10) + numbers(10)) * 2
    del doubled


@pytest.mark.parametrize("limit", [0, 10**9], ids=["living tensors", "profiler"])
@pytest.mark.parametrize(
    ("run", "kilobytes"),
    [(one_after_the_other, 100), (both_at_once, 160), (views_only, 40), (in_place, 50), (inside_an_expression, 30)],
)
def test_known_allocations(monkeypatch, limit, run, kilobytes):
    monkeypatch.setattr(live_memory, "MOST_PROFILED", limit)
    assert 0 <= peak_bytes(run) - kilobytes * KB <= 64  # a kernel may make a tensor of one number


def test_what_was_there_before_does_not_count():
    weight = numbers(64)
    with LiveBytes([weight]) as counter:
        view = weight.view(2, -1)
        result = view + 1
    assert counter.peak == 64 * KB
    assert counter.now == 64 * KB
    del result
    gc.collect()
    assert counter.now == 0


def test_what_autograd_keeps_counts_until_backward():
    x = torch.randn(1024, requires_grad=True)  # 4 KiB
    with LiveBytes([x]) as counter:
        y = x.exp().exp().exp()  # each result is kept for the backward pass
        held = counter.now
        loss = y.sum()
        loss.backward()
        del y, loss
        freed = counter.now
    assert held == 3 * 4 * KB
    assert freed == x.grad.numel() * 4
    assert counter.peak >= 4 * 4 * KB


def test_attention_weights_are_n_by_n_and_blocks_have_none():
    layer = nn.MultiheadAttention(16, 1, batch_first=True)
    x = torch.randn(1, 512, 16)

    def run(need_weights: bool) -> int:
        with torch.no_grad():
            return peak_bytes(lambda: layer(x, x, x, need_weights=need_weights), [x, *layer.parameters()])

    matrix = 4 * 512 * 512
    assert run(True) >= 2 * matrix  # the scores and their softmax
    assert run(False) < matrix


def test_the_profiler_sees_working_space_inside_of_kernels():
    layer = nn.Conv1d(32, 32, 3, padding=1)
    x = torch.randn(1, 32, 256)
    with torch.no_grad():
        with LiveBytes([x, *layer.parameters()]) as counter:
            layer(x)
        assert counter.peak == 4 * 32 * 256
        assert peak_bytes(lambda: layer(x), [x, *layer.parameters()]) >= counter.peak


def test_a_long_loop_is_counted_by_its_living_tensors(monkeypatch):
    monkeypatch.setattr(
        live_memory, "_allocated", lambda run: pytest.fail("the profiler would keep a record of each call")
    )

    def run() -> None:
        x = numbers(1)
        for _ in range(live_memory.MOST_PROFILED + 1):
            x = x + 1

    assert peak_bytes(run) == 2 * KB


def test_an_error_in_the_run_passes_through():
    with pytest.raises(RuntimeError):
        peak_bytes(lambda: torch.zeros(2) @ torch.zeros(3))
    assert peak_bytes(lambda: numbers(8)) == 8 * KB  # and no mode is left behind


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"proc/meminfo": "MemTotal: 100 kB\nMemAvailable: 50 kB\n"}, 50 * KB),
        ({"proc/meminfo": "MemAvailable: 50 kB\n", "sys/fs/cgroup/memory.max": "max\n"}, 50 * KB),
        (
            {
                "proc/meminfo": "MemAvailable: 50 kB\n",
                "sys/fs/cgroup/memory.max": "30000\n",
                "sys/fs/cgroup/memory.current": "20000\n",
                "sys/fs/cgroup/memory.stat": "anon 14000\nfile 6000\n",
            },
            16000,
        ),
        ({"sys/fs/cgroup/memory.max": "10\n", "sys/fs/cgroup/memory.current": "20\n"}, 0),
    ],
)
def test_available_memory_is_what_the_system_says(tmp_path, files, expected):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    assert available_bytes(tmp_path) == expected
