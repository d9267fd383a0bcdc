"""Words beside the rows and columns of a map: where they stand, what they say, and that they are never markup."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from mounting import mount, show
from playwright.sync_api import Page, expect

from explorer.components.maps import Map, encode

SENTENCE = "The animal didn't cross the street because it was too tired .".split()
STRANGE = ("고양이가", "<b>bold</b>", '"quoted", and more', "👩‍👩‍👧", " ", "Donaudampfschifffahrtsgesellschaftskapitän")

LABELS = """() => {
    const { grid } = window.root.maps.pictures[0];
    const { view, margin, cols, rows } = grid;
    return { view, margin, cols, rows, size: grid.size, shown: grid.labels?.shown ?? null };
}"""


def weights(rows: int, columns: int) -> np.ndarray:
    made = np.random.default_rng(1).exponential(size=(rows, columns)).astype(np.float32)
    return made / made.sum(1, keepdims=True)


def draw(page: Page, rows: list[str], columns: list[str], *, width: int = 700, height: int = 400) -> dict:
    mount(page, "maps", width=width)
    labelled = Map(
        weights(max(len(rows), 1), max(len(columns), 1)), "Weights", rows=tuple(rows), columns=tuple(columns)
    )
    show(page, encode([labelled], columns=1, height=height))
    return page.evaluate(LABELS)


def corners(label: dict) -> np.ndarray:
    """The four corners of a label's letters on the canvas, pixels (4, 2)."""
    half = label["size"] * 0.35
    box = np.array([(x, y) for x in (label["start"], label["start"] + label["width"]) for y in (-half, half)])
    cos, sin = np.cos(label["angle"]), np.sin(label["angle"])
    return box @ np.array([[cos, sin], [-sin, cos]]) + [label["x"], label["y"]]


def overlap(a: dict, b: dict) -> bool:
    """Whether two labels cover each other: no line along or across either of them parts the two."""
    first, second = corners(a), corners(b)
    for angle in {a["angle"], b["angle"]}:
        for axis in (np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])):
            mine, other = first @ axis, second @ axis
            if mine.max() <= other.min() or other.max() <= mine.min():
                return False
    return True


@pytest.mark.parametrize("width", [900, 376])
@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (SENTENCE, SENTENCE),
        (["a", "b", "c"], ["d", "e"]),
        (list(STRANGE), list(STRANGE)),
        ([f"word{n}" for n in range(64)], [f"word{n}" for n in range(64)]),
        ([], [str(n) for n in range(64)]),
        (SENTENCE, []),
    ],
    ids=["sentence", "short", "strange", "64", "one row", "no columns"],
)
def test_labels_stand_at_their_cells_and_never_overlap(page, rows, columns, width):
    drawn = draw(page, rows, columns, width=width)
    view, shown = drawn["view"], drawn["shown"]
    assert {label["axis"] for label in shown} == {name for name, has in (("rows", rows), ("columns", columns)) if has}
    for label in shown:
        place = (label["index"] + 0.5) * view["scale"]
        if label["axis"] == "rows":
            assert label["y"] == pytest.approx(view["y"] + place)
            assert label["x"] < view["x"]
        else:
            assert label["x"] == pytest.approx(view["x"] + place)
            assert label["y"] < view["y"]
        assert corners(label).min() >= -1, label
        assert (corners(label).max(0) <= [drawn["size"]["width"] + 1, drawn["size"]["height"] + 1]).all(), label
        assert label["size"] >= 10
    pairs = [(a, b) for n, a in enumerate(shown) for b in shown[:n]]
    assert [(a["text"], b["text"]) for a, b in pairs if overlap(a, b)] == []
    for axis, texts in (("rows", rows), ("columns", columns)):
        indices = [label["index"] for label in shown if label["axis"] == axis]
        assert indices == list(range(0, len(texts), indices[1] - indices[0] if len(indices) > 1 else 1))


def test_every_word_of_a_sentence_is_shown(page):
    drawn = draw(page, SENTENCE, SENTENCE)
    assert [label["text"] for label in drawn["shown"]] == [*SENTENCE, *SENTENCE]


def test_long_words_end_in_an_ellipsis_and_blanks_are_seen(page):
    drawn = draw(page, list(STRANGE), list(STRANGE))
    rows = [label["text"] for label in drawn["shown"] if label["axis"] == "rows"]
    assert rows[1] == "<b>bold</b>"
    assert rows[4] == "␣"
    assert rows[5].endswith("…")
    assert STRANGE[5].startswith(rows[5][:-1])


def test_labels_follow_zoom_and_drag(page):
    draw(page, SENTENCE, SENTENCE)
    canvas = page.locator("canvas.grid-top")
    canvas.focus()
    for _ in range(3):
        page.keyboard.press("+")
    zoomed = page.evaluate(LABELS)
    assert zoomed["view"]["scale"] > 40
    assert 0 < len(zoomed["shown"]) < 24
    for label in zoomed["shown"]:
        start, at = ("y", label["y"]) if label["axis"] == "rows" else ("x", label["x"])
        assert at == pytest.approx(zoomed["view"][start] + (label["index"] + 0.5) * zoomed["view"]["scale"])
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".map-readout")).to_contain_text("→ .")
    moved = page.evaluate(LABELS)
    assert moved["view"]["x"] < zoomed["view"]["x"]
    assert "." in [label["text"] for label in moved["shown"] if label["axis"] == "columns"]


def test_pointing_and_keys_name_the_words(page):
    drawn = draw(page, SENTENCE, SENTENCE)
    canvas = page.locator("canvas.grid-top")
    box, view = canvas.bounding_box(), drawn["view"]
    page.mouse.move(box["x"] + view["x"] + 1.5 * view["scale"], box["y"] + view["y"] + 7.5 * view["scale"])
    value = weights(12, 12)[7, 1]
    expect(page.locator(".map-readout")).to_have_text(f"it → animal = {value!s}")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".map-readout")).to_have_text(f"it → didn't = {weights(12, 12)[7, 2]!s}")
    assert "Rows: The, animal, didn't" in canvas.get_attribute("aria-label")


@pytest.mark.parametrize("axis", ["rows", "columns"])
def test_pointing_at_a_label_tells_all_of_it(page, axis):
    drawn = draw(page, list(STRANGE), list(STRANGE))
    box = page.locator("canvas.grid-top").bounding_box()
    label = next(label for label in drawn["shown"] if label["axis"] == axis and label["index"] == 5)
    x, y = corners(label).mean(0)
    page.mouse.move(box["x"] + x, box["y"] + y)
    expect(page.locator("canvas.grid-top")).to_have_attribute("title", STRANGE[5])


def test_the_csv_has_the_labels(page, tmp_path: Path):
    rows, columns = list(STRANGE[:3]), list(STRANGE[2:6])
    draw(page, rows, columns)
    page.locator(".map").hover()
    with page.expect_download() as kept:
        page.get_by_role("button", name="CSV").click()
    kept.value.save_as(tmp_path / "map.csv")
    table = list(csv.reader((tmp_path / "map.csv").read_text(encoding="utf-8").splitlines()))
    assert table[0] == ["", *columns]
    assert [line[0] for line in table[1:]] == rows
    np.testing.assert_allclose(np.array([line[1:] for line in table[1:]], float), weights(3, 4), rtol=1e-6)


def test_the_layout_stays_when_values_change(page):
    before = draw(page, SENTENCE, SENTENCE)
    height = page.locator(".map").bounding_box()["height"]
    other = Map(10 * weights(12, 12)[::-1], "Weights", rows=tuple(SENTENCE), columns=tuple(SENTENCE))
    show(page, encode([other], columns=1, height=400))
    after = page.evaluate(LABELS)
    assert (after["view"], after["shown"]) == (before["view"], before["shown"])
    page.locator("canvas.grid-top").hover()
    assert page.locator(".map").bounding_box()["height"] == height


def test_as_many_labels_as_cells():
    with pytest.raises(ValueError, match="2 labels for 3 rows of “Weights”"):
        Map(weights(3, 3), "Weights", rows=("a", "b"))
