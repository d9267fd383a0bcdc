from __future__ import annotations

import re
from pathlib import Path

import pytest

import tasks

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DOCUMENTS = {"README": README, "CONTRIBUTING": CONTRIBUTING}


def python_blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("code", python_blocks(README))
def test_the_python_in_the_readme_runs(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_commands_named_are_tasks(document: str) -> None:
    named = re.findall(r"(?:python3|py) tasks\.py (\w+)", DOCUMENTS[document])
    assert named
    assert set(named) <= set(tasks.TASKS)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_files_named_exist(document: str) -> None:
    named = re.findall(r"`([\w./-]+(?:/|\.(?:py|md|toml|txt|json)))`", DOCUMENTS[document])
    # What running the project makes is named too, but not kept.
    missing = [name for name in named if name != "screenshots/" and not (ROOT / name).exists()]
    assert named
    assert missing == []
