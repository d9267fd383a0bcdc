"""Every colour of the app: a hue per role, signed and unsigned maps, twelve heads, twenty classes; for light and dark pages.

The role colours were found by a search for the largest smallest distance in OKLab, as seen with normal sight, deuteranopia
and protanopia, at a contrast of at least 4.5 : 1 to the page (tests/unit/test_palette.py measures both).
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

BACKGROUND = {"light": "#ffffff", "dark": "#14161a"}
PANEL = {"light": "#f5f5f2", "dark": "#1e2127"}
TEXT = {"light": "#1b1d21", "dark": "#e8e8e4"}
FAINT = {"light": "#62656c", "dark": "#9da1a9"}
"""Text of second rank; still 4.5 : 1."""
LINE = {"light": "#d9d9d4", "dark": "#363a43"}
ACCENT = {"light": "#2f4b9b", "dark": "#9db4ff"}

ROLES: dict[Theme, dict[str, str]] = {
    "light": {
        "input": "#25148d",
        "weight": "#681b0d",
        "hidden": "#695dbc",
        "query": "#00547f",
        "key": "#520352",
        "value": "#0b7806",
        "output": "#127676",
        "mask": "#5d6068",
        "gradient": "#d90342",
    },
    "dark": {
        "input": "#6a93ff",
        "weight": "#f6a007",
        "hidden": "#b382bb",
        "query": "#55bdfd",
        "key": "#fc89a8",
        "value": "#d6ef51",
        "output": "#5ef8f0",
        "mask": "#9a9ea7",
        "gradient": "#f0592c",
    },
}
"""What each quantity looks like in formula, matrix, diagram and source line alike."""

HEADS: dict[Theme, tuple[str, ...]] = {
    "light": tuple(
        "#1290fb #4c084f #c02203 #8e5d81 #4509fd #ff4f15 #4e2000 #782eb3 #822446 #499e68 #18008d #e340c8".split()
    ),
    "dark": tuple(
        "#86fffe #bc11b8 #d8801d #ff9da7 #0763ff #ffe69b #bfcc00 #a7c4ff #cf240a #087961 #359ffb #f359b5".split()
    ),
}
"""Lines and marks of attention heads, at least 3 : 1 to the page; found as the roles were. The first few differ most."""

CLASSES = tuple(
    "#0066ff #ffcc00 #660022 #ee2266 #eeccff #440088 #ff88aa #aaaaff #ffccaa #aa4400 "
    "#444466 #882200 #cc8800 #0000ee #8888ee #8822aa #0088aa #eeaa66 #ff00aa #008866".split()
)
"""Classes of pixels, over photos and on both pages alike; found as the roles were. The first few differ most."""
NO_CLASS = "#8a8d93"
"""Pixels of whatever a network does not know."""

DIVERGING: dict[Theme, tuple[str, ...]] = {
    "light": ("#08336e", "#2e6fb7", "#9cc3e6", "#ffffff", "#f7b778", "#cf6a17", "#7a3300"),
    "dark": ("#cfe6ff", "#5ba3ea", "#24507f", "#14161a", "#7a4418", "#e5862e", "#ffdfc0"),
}
"""Signed values from −max through zero, the page's background, to +max: blue to orange."""

SEQUENTIAL: dict[Theme, tuple[str, ...]] = {
    "light": ("#ffffff", "#cfdcf3", "#86a6dc", "#4169b4", "#1d3a7c", "#0a1a45"),
    "dark": ("#14161a", "#203255", "#35589a", "#5c8adb", "#a3c2f7", "#eef4ff"),
}
"""Non-negative values from zero, the page's background, upwards."""


def rgb(colour: str) -> tuple[int, int, int]:
    """'#rrggbb' → (r, g, b), 0–255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def role(name: str, theme: Theme) -> str:
    """The colour of a role, '#rrggbb'. Raises KeyError for a name that is no role."""
    return ROLES[theme][name]


@cache
def lookup(kind: Literal["diverging", "sequential"], theme: Theme) -> np.ndarray:
    """The map as 256 colours, uint8 (256, 3), RGB; for diverging, zero lies between entries 127 and 128."""
    stops = np.array([rgb(c) for c in (DIVERGING if kind == "diverging" else SEQUENTIAL)[theme]], dtype=float)
    where = np.linspace(0, len(stops) - 1, 256)
    channels = [np.interp(where, np.arange(len(stops)), stops[:, c]) for c in range(3)]
    table = np.stack(channels, axis=1).round().astype(np.uint8)
    table.setflags(write=False)
    return table


def colorscale(kind: Literal["diverging", "sequential"], theme: Theme) -> list[list]:
    """The map as plotly wants it: [[0.0, '#…'], …, [1.0, '#…']]."""
    stops = (DIVERGING if kind == "diverging" else SEQUENTIAL)[theme]
    return [[i / (len(stops) - 1), colour] for i, colour in enumerate(stops)]


def colour_signed(values: np.ndarray, theme: Theme, limit: float | None = None) -> np.ndarray:
    """Signed values as colours, zero as the background. values: float (...,) → uint8 (..., 3).

    limit: the value that gets the end colour; the largest magnitude if None.
    """
    top = float(np.max(np.abs(values), initial=0.0)) if limit is None else limit
    position = np.clip(values / (top or 1.0), -1, 1) * 127.5 + 127.5
    return lookup("diverging", theme)[position.round().astype(int)]


def colour_unsigned(values: np.ndarray, theme: Theme, limit: float | None = None) -> np.ndarray:
    """Values from zero up as colours. values: float (...,) → uint8 (..., 3). limit: as in colour_signed."""
    top = float(np.max(values, initial=0.0)) if limit is None else limit
    return lookup("sequential", theme)[np.clip(values / (top or 1.0) * 255, 0, 255).round().astype(int)]


def hue_wheel(angle: np.ndarray, strength: np.ndarray, theme: Theme) -> np.ndarray:
    """Directions as hues of equal lightness in OKLab, fading to the page where the strength is 0.

    angle: radians (...,); strength: 0–1 (...,) → uint8 (..., 3).
    """
    lightness, chroma = (0.60, 0.13) if theme == "light" else (0.75, 0.13)
    a, b = chroma * np.cos(angle), chroma * np.sin(angle)
    # OKLab to linear sRGB (Ottosson 2020).
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = np.stack(
        [
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        ],
        axis=-1,
    ).clip(0, 1)
    colour = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    share = np.sqrt(np.clip(strength, 0, 1))[..., None]
    return (share * colour + (1 - share) * np.array(rgb(BACKGROUND[theme]))).round().astype(np.uint8)


def css_variables(theme: Theme) -> str:
    """The palette as CSS custom properties: --role-input, --head-0 …, --map-diverging-0 …, --faint, --line, --panel."""
    pairs = {f"--role-{name}": colour for name, colour in ROLES[theme].items()}
    pairs |= {f"--head-{i}": colour for i, colour in enumerate(HEADS[theme])}
    pairs |= {f"--map-diverging-{i}": c for i, c in enumerate(DIVERGING[theme])}
    pairs |= {f"--map-sequential-{i}": c for i, c in enumerate(SEQUENTIAL[theme])}
    pairs |= {"--page": BACKGROUND[theme], "--panel": PANEL[theme], "--ink": TEXT[theme], "--faint": FAINT[theme]}
    pairs |= {"--line": LINE[theme], "--accent": ACCENT[theme]}
    return "".join(f"{name}:{value};" for name, value in pairs.items())
