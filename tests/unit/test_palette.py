from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from explorer import palette

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def linear(colour: str) -> np.ndarray:
    c = np.array(palette.rgb(colour)) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    bright, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    lms = np.cbrt(
        np.clip(rgb, 0, 1)
        @ np.array(
            [
                [0.4122214708, 0.2119034982, 0.0883024619],
                [0.5363325363, 0.6806995451, 0.2817188376],
                [0.0514459929, 0.1073969566, 0.6299787005],
            ]
        )
    )
    return lms @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )


@pytest.mark.parametrize("theme", palette.THEMES)
def test_text_colours_stand_out_from_page_and_panel(theme):
    texts = [*palette.ROLES[theme].values(), palette.TEXT[theme], palette.FAINT[theme], palette.ACCENT[theme]]
    for colour in texts:
        assert contrast(colour, palette.BACKGROUND[theme]) >= 4.5, colour
        assert contrast(colour, palette.PANEL[theme]) >= 4.5, colour


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", palette.THEMES)
def test_roles_are_told_apart(theme, sight):
    # Masked cells are hatched wherever they are drawn, so their grey need not be told apart by colour.
    seen = {name: oklab(SIGHTS[sight] @ linear(c)) for name, c in palette.ROLES[theme].items() if name != "mask"}
    closest = min((float(np.linalg.norm(seen[a] - seen[b])), a, b) for a, b in combinations(seen, 2))
    assert closest[0] >= 0.07, closest


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", palette.THEMES)
def test_twelve_heads_are_told_apart(theme, sight):
    seen = [oklab(SIGHTS[sight] @ linear(colour)) for colour in palette.HEADS[theme]]
    assert len(seen) == 12
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) >= 0.11
    # A visitor rarely looks at more than four heads at once.
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen[:4], 2)) >= 0.12


@pytest.mark.parametrize("theme", palette.THEMES)
def test_heads_stand_out_from_the_page_and_vary_in_lightness(theme):
    for colour in palette.HEADS[theme]:
        assert contrast(colour, palette.BACKGROUND[theme]) >= 3, colour
        assert contrast(colour, palette.PANEL[theme]) >= 3, colour
    lightness = [oklab(linear(colour))[0] for colour in palette.HEADS[theme]]
    assert max(lightness) - min(lightness) >= 0.3
    assert f"--head-11:{palette.HEADS[theme][11]};" in palette.css_variables(theme)


@pytest.mark.parametrize("theme", palette.THEMES)
def test_maps_begin_at_the_page_and_change_steadily(theme):
    zero = np.array(palette.rgb(palette.BACKGROUND[theme]), dtype=int)
    assert (palette.lookup("sequential", theme)[0] == zero).all()
    assert np.abs(palette.lookup("diverging", theme)[127:129].astype(int) - zero).max() <= 4
    lightness = [oklab(linear(f"#{r:02x}{g:02x}{b:02x}"))[0] for r, g, b in palette.lookup("sequential", theme)]
    steps = np.diff(lightness)
    assert (steps < 0).all() if theme == "light" else (steps > 0).all()


def test_signed_colours_are_symmetric():
    table = palette.lookup("diverging", "light")
    values = np.array([-2.0, 0.0, 2.0])
    low, middle, high = palette.colour_signed(values, "light")
    assert (low == table[0]).all()
    assert (high == table[-1]).all()
    assert np.abs(middle.astype(int) - 255).max() <= 4
    assert (palette.colour_signed(np.zeros(3), "light") == middle).all()


@pytest.mark.parametrize("sight", SIGHTS)
def test_twenty_classes_are_told_apart(sight):
    seen = [oklab(SIGHTS[sight] @ linear(colour)) for colour in (*palette.CLASSES, palette.NO_CLASS)]
    assert len(palette.CLASSES) == 20
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen[:-1], 2)) >= 0.085
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen[:8], 2)) >= 0.11
    for theme in palette.THEMES:  # a swatch stands out from the page
        assert min(contrast(colour, palette.BACKGROUND[theme]) for colour in palette.CLASSES) >= 1.3
