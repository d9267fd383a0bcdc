"""How much memory a piece of PyTorch needs at its peak, measured while it runs; on the CPU."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

MOST_PROFILED = 2000
"""Calls; the profiler keeps a record of each, which for the long loops of a recurrent network would fill the memory itself."""


class LiveBytes(TorchDispatchMode):
    """Adds up the bytes of all tensors that are alive at one time, of those made while it is active.

    outside: tensors from before, such as weights and input; they and their views do not count. now, peak: bytes.
    calls: of torch's kernels.
    """

    def __init__(self, outside: Iterable[Tensor] = ()):
        super().__init__()
        self.now = 0
        self.peak = 0
        self.calls = 0
        # Views share a storage, and a storage is known by its address as long as it lives.
        self._known: dict[int, Any] = {t.untyped_storage()._cdata: None for t in outside}

    def __torch_dispatch__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.calls += 1
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self._watch(leaf.untyped_storage())
        return out

    def _watch(self, storage: torch.UntypedStorage) -> None:
        address, size = storage._cdata, storage.nbytes()
        if address in self._known:
            return
        self.now += size
        self.peak = max(self.peak, self.now)

        def gone(_: Any) -> None:
            self.now -= size
            del self._known[address]

        self._known[address] = weakref.ref(storage, gone)


def peak_bytes(run: Callable[[], Any], outside: Iterable[Tensor] = ()) -> int:
    """The most bytes that `run` holds at one time beyond what there was before it. It is run once or twice.

    Counted is what torch's allocator hands out, by torch's profiler: the tensors, and the buffers inside of kernels. For a
    run of more than MOST_PROFILED calls the living tensors are added up instead; loops of small calls have no such buffers.
    outside: tensors that exist before the run.
    """
    counter = LiveBytes(outside)
    with counter:
        run()
    return counter.peak if counter.calls > MOST_PROFILED else max(counter.peak, _allocated(run))


def _allocated(run: Callable[[], Any]) -> int:
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")  # read at the first use: it would print a line at every one
    with torch.autograd.profiler.profile(profile_memory=True, use_kineto=True) as profile:
        run()
    events = [event for event in profile.kineto_results.events() if event.name() == "[memory]"]
    now = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        peak = max(peak, now)
    return peak


def available_bytes(system: Path = Path("/")) -> int | None:
    """The memory that this process could still take; None where the system does not say (Linux does).

    system: the root of the file system that is asked.
    """
    limits = [_named(system / "proc/meminfo", "MemAvailable:", unit=1024)]
    group = system / "sys/fs/cgroup"  # a container's limit; what it holds of files can be given back
    most, used, files = _number(group / "memory.max"), _number(group / "memory.current"), 0
    if most is not None and used is not None:
        files = _named(group / "memory.stat", "file") or 0
        limits.append(most - used + files)
    known = [limit for limit in limits if limit is not None]
    return max(min(known), 0) if known else None


def _named(path: Path, name: str, unit: int = 1) -> int | None:
    """The number behind this name in a file of lines such as "file 4096"."""
    try:
        lines = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    except OSError:
        return None
    return next((int(words[1]) * unit for words in lines if words[:1] == [name]), None)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such file; or "max": no limit
        return None
