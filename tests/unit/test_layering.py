from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("app", "pages", "explorer", "pretrained", "training", "benchmarks", "tasks")
HEAVY = {"torch", "torchvision", "transformers", "cv2"}

# Which layer may import which; each may also import itself. A module belongs to the longest name that it begins with.
BASE = {"explorer.errors", "explorer.text", "explorer.palette"}
LIBRARY = BASE | {"explorer", "explorer.models"}
VIEWS = LIBRARY | {"explorer.plots", "explorer.components", "pretrained"}
ALLOWED: dict[str, set[str]] = {
    "app": set(),
    "tasks": set(),
    "explorer.errors": set(),
    "explorer.text": set(),
    "explorer.palette": set(),
    "explorer.models": set(),
    "explorer": BASE | {"explorer.models"},
    "explorer.plots": BASE | {"explorer"},
    "explorer.components": BASE | {"explorer"},
    "pretrained": LIBRARY,
    "explorer.ui": VIEWS,
    "pages": VIEWS | {"explorer.ui"},
    "training": LIBRARY | {"pretrained"},
    "benchmarks": VIEWS | {"tasks"},
}
MAY_USE_STREAMLIT = {"app", "pages", "explorer.ui", "explorer.components", "benchmarks"}

FILES = sorted([ROOT / "app.py", ROOT / "tasks.py", *(path for name in OURS for path in (ROOT / name).rglob("*.py"))])
FRONT_END = sorted(path for suffix in ("js", "css", "html", "svg") for path in (ROOT / "explorer").rglob(f"*.{suffix}"))


def name_of(path: Path) -> str:
    """explorer/plots/bars.py → explorer.plots.bars; explorer/__init__.py → explorer."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def layer_of(module: str) -> str:
    return max((layer for layer in ALLOWED if f"{module}.".startswith(f"{layer}.")), key=len)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports(source: str, module: str = "", package: bool = False) -> set[str]:
    """Every module that the source imports, wherever in it and however spelled; type-checking imports count too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = [*module.split("."), *[""] * package][: -node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            found |= {f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base for alias in node.names}
    return found


def imports_of(path: Path) -> set[str]:
    return imports(path.read_text(encoding="utf-8"), name_of(path), path.name == "__init__.py")


def distribution(name: str) -> str:
    """The name as package indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def package(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch.nn as nn, json", {"torch.nn", "json"}),
        ("def f():\n    from streamlit import slider", {"streamlit"}),
        ("from explorer import trace", {"explorer.trace"}),
        ("from explorer.text import _", {"explorer.text"}),
        ("from . import resnet", {"explorer.models.resnet"}),
        ("from .. import trace", {"explorer.trace"}),
        ("from ..ui import router", {"explorer.ui.router"}),
    ],
)
def test_imports_are_seen(source: str, expected: set[str]) -> None:
    assert imports(source, "explorer.models.filters") == expected
    assert imports(source, "explorer.models", package=True) == expected


@pytest.mark.parametrize(
    ("module", "layer"),
    [
        ("explorer", "explorer"),
        ("explorer.text", "explorer.text"),
        ("explorer.trace", "explorer"),
        ("explorer.models.resnet", "explorer.models"),
        ("explorer.textual", "explorer"),
        ("pages.home", "pages"),
    ],
)
def test_every_module_has_its_layer(module: str, layer: str) -> None:
    assert layer_of(module) == layer


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    layer = layer_of(name_of(path))
    ours = {module for module in imports_of(path) if package(module) in OURS}
    assert {module for module in ours if layer_of(module) not in ALLOWED[layer] | {layer}} == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_streamlit_stays_in_the_user_interface(path: Path) -> None:
    used = "streamlit" in map(package, imports_of(path))
    assert not used or layer_of(name_of(path)) in MAY_USE_STREAMLIT


def torch_names(source: str) -> set[str]:
    """What the source uses of torch: {"from_numpy"} for `torch.from_numpy(…)`, {"nn"} for `import torch.nn`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "torch":
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and package(node.module or "") == "torch":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top, *below = alias.name.split(".")
                found |= {*below[:1], *["as"] * bool(alias.asname)} if top == "torch" else set()
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch\ntorch.from_numpy(x)", {"from_numpy"}),
        ("import torch.nn.functional", {"nn"}),
        ("from torch import nn, tensor", {"nn", "tensor"}),
        ("import torch as t", {"as"}),
        ("import torchvision", set()),
    ],
)
def test_uses_of_torch_are_seen(source: str, expected: set[str]) -> None:
    assert torch_names(source) == expected


@pytest.mark.parametrize("path", [path for path in FILES if package(name_of(path)) == "pages"], ids=name_of)
def test_pages_hold_no_mathematics(path: Path) -> None:
    """A page may hand arrays over as tensors; it computes nothing with them."""
    assert set(map(package, imports_of(path))) & HEAVY <= {"torch"}
    assert torch_names(path.read_text(encoding="utf-8")) <= {"from_numpy", "tensor", "Tensor"}


def test_the_task_file_needs_the_standard_library_alone() -> None:
    assert set(map(package, imports_of(ROOT / "tasks.py"))) <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("parts", "files"),
    [
        (("app", "pages", "explorer", "pretrained"), ("requirements.txt",)),
        (("training",), ("requirements.txt", "requirements-dev.txt")),
    ],
    ids=("app", "training"),
)
def test_what_is_imported_is_pinned(parts: tuple[str, ...], files: tuple[str, ...]) -> None:
    """Everything that the app imports is a line of requirements.txt, and not there by another library's grace."""
    lines = [line for file in files for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
    pinned = {distribution(line.partition("==")[0]) for line in lines if "==" in line}
    shipped = [path for path in FILES if package(name_of(path)) in parts]
    used = {package(module) for path in shipped for module in imports_of(path)} - {"__future__", *OURS}
    providers = packages_distributions()
    missing = {
        module
        for module in used - sys.stdlib_module_names
        if not pinned & {distribution(name) for name in providers.get(module, [module])}
    }
    assert missing == set()


def test_the_first_page_loads_no_heavy_library() -> None:
    """app.py, the router and Home in a fresh interpreter: torch alone would take longer than the whole first paint."""
    script = f"""
import json, sys
sys.path.insert(0, {str(ROOT)!r})
import app
from streamlit import config
from streamlit.testing.v1 import AppTest
config.set_option("client.showErrorDetails", "full")
home = AppTest.from_file({str(ROOT / "explorer/ui/router.py")!r}, default_timeout=60).run()
print(json.dumps([[error.message for error in home.exception] + [error.value for error in home.error],
                  len(home.main), sorted(set(sys.modules) & {HEAVY!r})]))
"""
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    errors, elements, loaded = json.loads(result.stdout.splitlines()[-1])
    assert errors == [], result.stderr
    assert elements > 0
    assert loaded == []


@pytest.mark.parametrize("path", FRONT_END, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_front_end_names_no_address_but_xml_namespaces(path: Path) -> None:
    addresses = re.findall(r"""https?://[^\s"'`<>)]+""", path.read_text(encoding="utf-8"))
    assert [address for address in addresses if not address.startswith("http://www.w3.org/")] == []
