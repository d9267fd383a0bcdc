from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from explorer import palette

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def luminance(colour: str) -> float:
    """Relative luminance, 0–1 (WCAG 2.2)."""
    linear = [
        c / 12.92 if (c := value / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for value in palette.rgb(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#123456", "#123456", 1.0)],
)
def test_contrast(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("theme", palette.THEMES)
@pytest.mark.parametrize(
    ("option", "colours"),
    [
        ("primaryColor", palette.ACCENT),
        ("linkColor", palette.ACCENT),
        ("backgroundColor", palette.BACKGROUND),
        ("secondaryBackgroundColor", palette.PANEL),
        ("codeBackgroundColor", palette.PANEL),
        ("textColor", palette.TEXT),
        ("borderColor", palette.LINE),
    ],
)
def test_the_page_and_the_pictures_share_their_colours(
    theme: palette.Theme, option: str, colours: dict[palette.Theme, str]
) -> None:
    assert CONFIG["theme"][theme][option] == colours[theme]


@pytest.mark.parametrize("theme", palette.THEMES)
@pytest.mark.parametrize("text", ["textColor", "linkColor", "primaryColor"])
@pytest.mark.parametrize("ground", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_can_be_read(theme: palette.Theme, text: str, ground: str) -> None:
    colours = CONFIG["theme"][theme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("server.address", "127.0.0.1"),
        ("server.maxUploadSize", 25),
        ("browser.gatherUsageStats", False),
        ("client.showErrorDetails", "none"),
    ],
)
def test_what_the_visitor_is_promised(option: str, value: Any) -> None:
    section, name = option.split(".")
    assert CONFIG[section][name] == value


def test_streamlit_knows_every_option() -> None:
    script = "from streamlit import config; config.get_config_options(force_reparse=True)"
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout + result.stderr == ""
