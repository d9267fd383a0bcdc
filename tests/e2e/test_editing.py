"""Setting numbers by hand in the stepper: typed, sent, computed by torch again, shown three ways, and undone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from mounting import mount, show
from playwright.sync_api import Browser, Page, expect
from torch import Tensor

from explorer.components.stepper.payload import encode
from explorer.edits import edits_as_text, read_edits, run_edited, write_edits
from explorer.models.attention import scaled_dot_product_attention
from explorer.trace import Trace, trace

QUERY = torch.tensor([[1.0, 0], [0, 1], [1, 1]])
KEY = torch.tensor([[1.0, 0], [1, 1], [0, -1]])
VALUE = torch.tensor([[1.0, 2], [3, -1], [2, 0.5]])
WORDS = ["it", "cat", "sat"]
LABELS = {"weights": {"rows": WORDS, "columns": WORDS}}
SEEN = (
    """(output) => { const box = window.root.stepper.outputsShown[output]; return [...box.tensor.data].map(String); }"""
)


def attend(edits: Any = None) -> Trace:
    return trace(scaled_dot_product_attention, QUERY, KEY, VALUE, edits=edits)


class Stepper:
    """The stepper on a page of its own, and the server's part played by the test."""

    def __init__(self, page: Page, width: int = 1000):
        self.page = page
        self.plain = attend()
        mount(page, "stepper", width=width)
        self.serve([])

    def serve(self, records: list[dict[str, Any]]) -> None:
        """What explorer.ui.steps does with the edits that the browser asks for."""
        edited = run_edited(self.plain, read_edits(records), attend)
        options = {"roles": {}, "labels": LABELS, "url": "", "start": self.plain.first("softmax"), "edit": True}
        options |= {"edits": write_edits(edited.edits), "edits_text": edits_as_text(edited.edits)}
        original = self.plain if edited.edits else None
        show(self.page, encode(edited.trace, options, original=original, given=edited.given))

    def answer(self) -> None:
        """Serve what was asked for last."""
        self.serve(self.page.evaluate("window.states.edits"))

    def shown(self, output: int = 0) -> Tensor:
        """The numbers of an output as they are drawn."""
        shape = self.page.evaluate("(n) => window.root.stepper.outputsShown[n].tensor.shape", output)
        values = [float(text) for text in self.page.evaluate(SEEN, output)]
        return torch.tensor(values).view(shape)

    def pin(self, row: int, column: int) -> None:
        """Click on a cell of the output."""
        where = self.page.evaluate("() => window.root.stepper.outputsShown[0].grid.view")
        area = self.page.locator(".outputs canvas.grid-top").first.bounding_box()
        across, down = ((place + 0.5) * where["scale"] for place in (column, row))
        self.page.mouse.click(area["x"] + where["x"] + across, area["y"] + where["y"] + down)

    def type(self, text: str) -> None:
        """Into the field, and Enter."""
        self.page.get_by_role("textbox", name="Set this value").fill(text)
        self.page.keyboard.press("Enter")

    def see(self, view: str) -> None:
        self.page.get_by_role("radio", name=view).click()


@pytest.fixture
def stepper(browser: Browser) -> Iterator[Stepper]:
    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield Stepper(page)
    page.close()
    assert not problems, problems


def weights_with(*cells: tuple[int, int, float]) -> Tensor:
    weights = (QUERY @ KEY.mT / math.sqrt(2)).softmax(-1)
    for row, column, value in cells:
        weights[row, column] = value
    return weights


def test_a_typed_weight_flows_to_the_output(stepper):
    stepper.pin(1, 1)
    stepper.type("0.9")
    expect(stepper.page.locator(".edit-hint")).to_have_text("The code runs again …")
    stepper.answer()
    torch.testing.assert_close(stepper.shown(), weights_with((1, 1, 0.9)))
    expect(stepper.page.locator(".edit-count")).to_have_text("1 number set by hand")
    expect(stepper.page.locator(".outputs .badge")).to_have_text("set by hand")
    stepper.page.get_by_role("button", name="Step forward").click()
    torch.testing.assert_close(stepper.shown(), weights_with((1, 1, 0.9)) @ VALUE)
    expect(stepper.page.locator(".heading")).to_contain_text("changed by your edits")
    expect(stepper.page.locator(".verdict")).to_contain_text("✓ torch has")


def test_the_edited_cell_says_what_the_code_gave(stepper):
    stepper.pin(1, 1)
    stepper.type("0.9")
    stepper.answer()
    gave = weights_with()[1, 1].item()
    expect(stepper.page.locator(".by-hand").last).to_have_text(f"You set this number to 0.9. The code gave {gave:.3f}:")
    expect(stepper.page.locator(".readout")).to_contain_text("weights[1, 1] (cat → cat)")
    expect(stepper.page.locator(".verdict")).to_have_text(f"✓ torch gave {gave:.6f}")
    stepper.page.get_by_role("button", name="Check every cell").click()
    expect(stepper.page.locator(".verdict")).to_contain_text("✓ all 9 cells agree with torch")


def test_original_edited_and_difference(stepper):
    stepper.pin(0, 2)
    stepper.type("1/2")
    stepper.answer()
    stepper.page.get_by_role("button", name="Step forward").click()
    plain, edited = weights_with() @ VALUE, weights_with((0, 2, 0.5)) @ VALUE
    stepper.see("Original")
    torch.testing.assert_close(stepper.shown(), plain)
    expect(stepper.page.locator(".outputs .badge")).to_have_text("before your edits")
    stepper.see("Difference")
    torch.testing.assert_close(stepper.shown(), edited - plain, atol=1e-6, rtol=1e-5)
    assert stepper.shown()[1:].abs().max() == 0
    assert stepper.page.locator(".outputs .bar").get_attribute("class") == "bar diverging"
    expect(stepper.page.locator(".readout")).to_contain_text("edited − original")
    low, high = stepper.page.locator(".outputs .bar-row .mono").all_inner_texts()
    assert low == f"−{high}"
    stepper.see("Edited")
    torch.testing.assert_close(stepper.shown(), edited)


def test_before_and_after_have_one_colour_scale(stepper):
    stepper.pin(0, 2)
    stepper.type("7")
    stepper.answer()
    expect(stepper.page.locator(".outputs .bar-row .mono").last).to_have_text("7")
    stepper.see("Original")
    expect(stepper.page.locator(".outputs .bar-row .mono").last).to_have_text("7")


def test_several_edits_and_undo(stepper):
    stepper.pin(1, 1)
    stepper.type("0.9")
    stepper.answer()
    stepper.page.get_by_role("button", name="Step back").click()
    stepper.pin(0, 0)
    stepper.type("−inf")
    stepper.answer()
    expect(stepper.page.locator(".edit-count")).to_have_text("2 numbers set by hand")
    assert stepper.page.locator(".scrub-marks .marked").count() == 2
    stepper.page.get_by_role("button", name="Step forward").click()
    scores = QUERY @ KEY.mT / math.sqrt(2)
    scores[0, 0] = -math.inf
    weights = scores.softmax(-1)
    weights[1, 1] = 0.9
    torch.testing.assert_close(stepper.shown(), weights)
    stepper.pin(1, 1)
    stepper.page.get_by_role("button", name="Undo this").click()
    stepper.answer()
    torch.testing.assert_close(stepper.shown(), scores.softmax(-1))
    stepper.page.get_by_role("button", name="Undo edits").click()
    stepper.answer()
    torch.testing.assert_close(stepper.shown(), weights_with())
    expect(stepper.page.get_by_role("button", name="Undo edits")).to_be_disabled()
    expect(stepper.page.get_by_role("radio", name="Difference")).to_be_disabled()
    assert stepper.page.locator(".scrub-marks > *").count() == 0


def test_edited_lines_are_marked_in_the_source(stepper):
    assert stepper.page.locator(".line.by-hand").count() == 0
    stepper.pin(1, 1)
    stepper.type("0.9")
    stepper.answer()
    expect(stepper.page.locator(".line.by-hand")).to_contain_text("weights = scores.softmax(dim=-1)")


@pytest.mark.parametrize("text", ["", "a", "0.5.5", "nan", "1/0", "1e99"])
def test_what_is_no_number_is_not_sent(stepper, text):
    stepper.pin(1, 1)
    stepper.type(text)
    expect(stepper.page.locator(".edit-hint")).to_have_text("Type a number such as 0.5, or −inf.")
    assert stepper.page.get_by_role("textbox").get_attribute("aria-invalid") == "true"
    assert stepper.page.evaluate("window.states.edits") is None


def test_the_keyboard_alone(stepper):
    page = stepper.page
    page.locator(".outputs canvas.grid-top").first.focus()
    for key in ("ArrowUp", "Enter"):  # from the largest number, which is lit at rest
        page.keyboard.press(key)
    expect(page.locator(".cell-name")).to_contain_text("weights[1, 1]")
    page.keyboard.press("e")
    expect(page.get_by_role("textbox", name="Set this value")).to_be_focused()
    page.keyboard.type("0.25")  # over the old number, which is selected
    page.keyboard.press("Enter")
    stepper.answer()
    torch.testing.assert_close(stepper.shown(), weights_with((1, 1, 0.25)))
    page.get_by_role("textbox").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".outputs canvas.grid-top").first).to_be_focused()
    page.get_by_role("radio", name="Edited").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Difference")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_role("radio", name="Difference")).to_be_focused()
    expect(page.locator(".counter")).to_have_text("4 / 5")
    page.get_by_role("button", name="Undo edits").focus()
    page.keyboard.press("Enter")
    stepper.answer()
    torch.testing.assert_close(stepper.shown(), weights_with())


def test_nothing_moves_when_edits_come_and_go(stepper):
    def places() -> list[Any]:
        boxes = [".panes", ".flow", ".arithmetic", ".transport", ".value-form", ".outputs canvas.grid-top"]
        return [stepper.page.locator(box).first.bounding_box() for box in boxes]

    before = places()
    stepper.pin(1, 1)
    stepper.type("0.9")
    assert places() == before
    stepper.answer()
    assert places() == before
    stepper.see("Difference")
    assert places() == before


def test_a_stepper_that_may_not_be_edited_shows_none_of_it(browser):
    page = browser.new_page()
    mount(page, "stepper")
    show(page, encode(attend(), {"url": "", "start": 3}))
    for part in (".edit-bar", ".value-form", ".scrub-marks > *"):
        expect(page.locator(part)).to_have_count(0) if ">" in part else expect(page.locator(part)).to_be_hidden()
    page.locator(".outputs canvas.grid-top").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("e")
    assert page.evaluate("window.states.edits") is None
    page.close()


def test_on_a_narrow_screen_all_of_it_can_be_reached(browser):
    page = browser.new_page()
    narrow = Stepper(page, width=400)
    narrow.pin(1, 1)
    narrow.type("0.9")
    narrow.answer()
    torch.testing.assert_close(narrow.shown(), weights_with((1, 1, 0.9)))
    for name in ("Undo edits", "Undo this", re.compile("^Set$")):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 400
    page.close()


def test_on_the_attention_page_the_edit_reaches_torch_and_the_address(app):
    """Q = [[1, 0], [0, 1]], K = [[1, 0], [1, 1]], V = [[1, 1], [0, 0]], as the page opens."""
    page = app.open("/attention")
    panes = page.locator(".panes")
    expect(page.locator(".heading")).to_contain_text("softmax", timeout=30_000)
    app.settle()
    page.locator(".outputs canvas.grid-top").first.focus()
    for key in ("ArrowUp", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".cell-name")).to_contain_text("weights[0, 0] (q₁ → k₁)")
    page.keyboard.press("e")
    page.keyboard.type("0.9")
    page.keyboard.press("Enter")
    expect(page.locator(".edit-count")).to_have_text("1 number set by hand", timeout=30_000)
    expect(page).to_have_url(re.compile("step_edits="))
    page.get_by_role("button", name="Step forward").click()
    weights = (torch.eye(2) @ torch.tensor([[1.0, 0], [1, 1]]).mT / math.sqrt(2)).softmax(-1)
    weights[0, 0] = 0.9
    shown = "panes => [...panes.parentElement.stepper.outputsShown[0].tensor.data]"
    wanted = weights @ torch.tensor([[1.0, 1], [0, 0]])
    torch.testing.assert_close(torch.tensor(panes.evaluate(shown)).view(2, 2), wanted)
    page = app.open(page.url.removeprefix(app.server.url))
    expect(page.locator(".edit-count")).to_have_text("1 number set by hand", timeout=30_000)
    torch.testing.assert_close(torch.tensor(panes.evaluate(shown)).view(2, 2), wanted)
