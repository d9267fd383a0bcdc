"""`python -m benchmarks [name …]`: measure, and print a Markdown table. Nothing here fails because it was slow."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version

BENCHMARKS = (
    "first_paint",
    "browser",
    "stepper",
    "filters",
    "classification",
    "tracing",
    "attention",
    "detection",
    "segmentation",
    "memory",
)


def machine() -> str:
    """What the figures hold for: processors, system, versions and day."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "streamlit", "opencv-python-headless"))
    system = f"{platform.system()} {platform.machine()}"
    return f"{os.cpu_count()} CPUs, {system}, Python {platform.python_version()}, {libraries}, {date.today()}"


def table(rows: Sequence[tuple[str, str, str]]) -> str:
    """A Markdown table of (what, measured, goal)."""
    lines = [("What", "Measured", "Goal"), ("---", "---", "---"), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures this machine's figures.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(BENCHMARKS)}; all without any")
    names = parser.parse_args(arguments).names
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no {unknown[0]}; choose from {', '.join(BENCHMARKS)}")
    # Before torch is imported: above the highest level on which its profiler talks.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    rows = []
    for name in names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"benchmarks.{name}").run()
    print(f"{machine()}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
