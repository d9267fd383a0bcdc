"""How much memory is left for a model, and one sentence where it is too little."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.errors import UserError
from explorer.text import _
from pretrained import LoadError

GB = 1e9
KERNEL = Path("/proc/meminfo")
CONTAINER = Path("/sys/fs/cgroup")


def available() -> int | None:
    """Bytes that can be used without swapping, as far as the system or its container says; None where neither does."""
    found = [amount for amount in (_of_kernel(), _of_container()) if amount is not None]
    return min(found, default=None)


def check(needed: int, name: str) -> None:
    """LoadError: the bytes that the model of this name needs are not there."""
    there = available()
    if there is not None and needed > there:
        raise too_little(needed, name)


def too_little(needed: int, name: str) -> LoadError:
    """There is not enough memory for a model that needs these bytes."""
    there = available()
    if there is None:
        message = _("{name} needs about {needed:.1f} GB of memory, more than there is; choose a smaller model.")
        return LoadError(message.format(name=name, needed=needed / GB))
    message = _("{name} needs about {needed:.1f} GB of memory and {there:.1f} GB are free; choose a smaller model.")
    return LoadError(message.format(name=name, needed=needed / GB, there=there / GB))


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether this is how Python or torch says that memory ran out."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "allocate" in str(error))


@contextmanager
def looking(name: str) -> Iterator[None]:
    """Memory that runs out while the model of this name looks at a photo becomes a UserError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_lack_of_memory(error):
            raise
        message = _("There is not enough memory for {name} to look at this photo; choose a smaller model.")
        raise UserError(message.format(name=name)) from error


def _of_kernel() -> int | None:
    """Linux only."""
    try:
        lines = KERNEL.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if kilobytes is None else int(kilobytes) * 1024


def _of_container() -> int | None:
    """What a container's limit (cgroup v2) leaves; file caches in it can be dropped."""
    try:
        limit = (CONTAINER / "memory.max").read_text(encoding="ascii").strip()
        if limit == "max":
            return None
        used = int((CONTAINER / "memory.current").read_text(encoding="ascii"))
        stat = dict(line.split() for line in (CONTAINER / "memory.stat").read_text(encoding="ascii").splitlines())
        return int(limit) - used + int(stat.get("inactive_file", 0))
    except (OSError, ValueError):
        return None
