"""ES modules as one script."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from explorer.components.bundle import bundle

COMPONENTS = Path(__file__).parents[2] / "explorer" / "components"


def modules(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder


def test_a_module_comes_after_what_it_imports(tmp_path: Path) -> None:
    folder = modules(
        tmp_path,
        main='import { b } from "./b.js";\nimport { a } from "./a.js";\nb(a);\n',
        b='import { a } from "./a.js";\nexport const b = a;\n',
        a="export const a = 1;\n",
    )
    assert bundle(folder, "main.js").split() == "export const a = 1; export const b = a; b(a);".split()


@pytest.mark.parametrize(
    "line",
    [
        'import { a } from "./a.js";\n',
        'import { a, b } from "./a.js";\n',
        'import {\n  a,\n  b,\n} from "./a.js";\n',
    ],
)
def test_import_lines_go(tmp_path: Path, line: str) -> None:
    folder = modules(tmp_path, main=f'{line}const text = "import";\n', a="export const a = 1;\n")
    assert bundle(folder, "main.js") == 'export const a = 1;\n\nconst text = "import";\n'


def test_each_module_comes_once_and_in_the_order_asked_for(tmp_path: Path) -> None:
    folder = modules(
        tmp_path, one='import { x } from "./x.js";\n1;\n', two='import { x } from "./x.js";\n2;\n', x="0;\n"
    )
    assert bundle(folder, "two.js", "one.js").split() == ["0;", "2;", "1;"]


def test_folders_are_followed(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    modules(tmp_path, shared="0;\n")
    modules(tmp_path / "inner", main='import { x } from "../shared.js";\n1;\n')
    assert bundle(tmp_path, "inner/main.js").split() == ["0;", "1;"]


def test_a_missing_module_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bundle(modules(tmp_path, main='import { a } from "./a.js";\n'), "main.js")


def test_nothing_of_the_stepper_is_left_to_import() -> None:
    text = bundle(COMPONENTS, "stepper/stepper.js")
    assert not [line for line in text.splitlines() if line.startswith("import ")]
    assert text.index("export function placeAt") < text.index("export function explain") < text.index("class Stepper")


MAINS = [path.relative_to(COMPONENTS).as_posix() for path in COMPONENTS.glob("*/*.js") if path.stem == path.parent.name]


@pytest.mark.parametrize("main", sorted(MAINS))
def test_no_name_is_declared_twice(main: str) -> None:
    """Modules of a bundle share one scope; the browser would refuse the script."""
    declared = re.findall(
        r"^(?:export )?(?:async )?(?:const|let|var|class|function\*?) (\w+)", bundle(COMPONENTS, main), re.MULTILINE
    )
    assert [name for name, count in Counter(declared).items() if count > 1] == []
