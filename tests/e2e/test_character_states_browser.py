"""The character LSTM and the gradients in a real browser: choosing characters by mouse, keys and touch, and the link."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect
from seeing import choose

from explorer.character_views import typed
from explorer.numbers import power
from explorer.recurrent_gradients import Setup, flows
from explorer.ui.character_states import DEFAULT

SHOWN = typed(DEFAULT, 64).text


def text_box(page: Page, title: str) -> Locator:
    return page.locator(".coloured", has=page.locator(".coloured-title", has_text=re.compile(f"^{title}")))


def character(box: Locator, place: int) -> Locator:
    return box.locator(f"span[data-place='{place}']")


def background(box: Locator, place: int) -> str:
    return character(box, place).evaluate("span => span.style.backgroundColor")


def brightness(colour: str) -> int:
    return sum(map(int, re.findall(r"\d+", colour)))


def test_a_character_is_chosen_by_mouse_and_keys_and_kept_in_the_link(app, screenshot):
    page = app.open("/recurrent")
    box = text_box(page, "Surprise")
    expect(box.locator(".coloured-text span")).to_have_count(len(SHOWN))
    assert box.locator(".coloured-text").inner_text().count("↵") == 0  # it is drawn beside the text, not in it
    expect(box.locator(".coloured-readout")).to_contain_text(f"“i”, 175 of {len(SHOWN)}: ")
    expect(box.locator(".guess.next .guess-name")).to_have_text("“n”")
    # Bars are as long as their percentages say.
    track, bar = (box.locator(f".guess.next .guess-{part}").bounding_box()["width"] for part in ("track", "bar"))
    share = float(box.locator(".guess.next .guess-share").inner_text().rstrip("%"))
    assert abs(100 * bar / track - share) < 1.5
    # Pointing tells, a click chooses.
    character(box, 1).hover()
    expect(box.locator(".coloured-readout")).to_contain_text("“I”, 2 of")
    page.mouse.move(5, 5)
    expect(box.locator(".coloured-readout")).to_contain_text("175 of")
    quote = SHOWN.index('"', 1)
    character(box, quote).click()
    page.mouse.move(5, 5)
    expect(box.locator(".coloured-readout")).to_contain_text(f'“"”, {quote + 1} of')
    box.locator(".coloured-text").press("ArrowRight")
    expect(box.locator(".coloured-readout")).to_contain_text(f"space, {quote + 2} of")
    expect(box.locator(".guesses-title")).to_contain_text('only the wind," ”')
    end = SHOWN.index("\n")
    for _ in range(end - quote - 1):
        box.locator(".coloured-text").press("ArrowRight")
    expect(box.locator(".coloured-readout")).to_contain_text(f"line break, {end + 1} of")
    box.locator(".coloured-text").press("ArrowDown")
    below = int(re.search(r"(\d+) of", box.locator(".coloured-readout").inner_text())[1])
    assert SHOWN[:below].count("\n") == 2 or SHOWN[below - 1] == "\n"
    box.locator(".coloured-text").press("Home")
    expect(box.locator(".coloured-readout")).to_contain_text("no value")
    box.locator(".coloured-text").press("End")
    expect(box.locator(".guesses-end")).to_have_text("Here the text ends.")
    box.locator(".coloured-text").press("ArrowLeft")
    expect(page).to_have_url(re.compile(f"char={len(SHOWN) - 1}"))
    page = app.open(page.url.removeprefix(app.server.url))
    expect(text_box(page, "Surprise").locator(".coloured-readout")).to_contain_text(f"{len(SHOWN) - 1} of")
    screenshot(page, "character-states", themes=("light", "dark"))


def test_a_typed_text_is_shown_as_text_and_coloured_by_the_unit(app):
    page = app.open("/recurrent")
    field = page.get_by_role("textbox", name="Your text")
    field.fill('<img src=x onerror=alert(1)> She said, "Come in and sit down by the fire," and so he did.')
    field.press("Control+Enter")
    box = text_box(page, "Cell of unit")
    expect(box.locator(".coloured-text")).to_contain_text("<img src=x onerror=alert(1)> She said")
    assert page.locator(".coloured-text img").count() == 0
    app.settle()
    shown = box.locator(".coloured-text span").all_inner_texts()
    text = "".join(shown)
    inside, outside = text.index("sit down"), text.index("did.")
    assert background(box, inside) != background(box, outside)
    # Letters can be read on every colour.
    pairs = box.locator(".coloured-text span").evaluate_all(
        "spans => spans.map(s => [s.style.backgroundColor, getComputedStyle(s).color])"
    )
    assert min(abs(brightness(back) - brightness(front)) for back, front in pairs if back) > 200
    choose(page, "Forget")
    expect(text_box(page, "Forget gate of unit")).to_be_visible()
    expect(page).to_have_url(re.compile("char_signal=Forget"))


def test_the_sliders_of_the_gradients_change_their_finding(app):
    page = app.open("/recurrent")
    left = flows(Setup())["rnn"].hidden
    told = f"39 steps before the end the RNN’s gradient is {power(left[0] / left[-1])} times"
    expect(page.get_by_text(told)).to_be_visible()
    control = page.locator("input[type=range][aria-label='Weight scale']")
    for _ in range(16):
        control.focus()
        control.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"grad_scale=5"))
    expect(page.get_by_text("It explodes in: RNN.")).to_be_visible()
    expect(page.get_by_text("Without it the step goes too far: L rises.")).to_be_visible()


def test_nothing_runs_over_the_edge_of_a_phone(app):
    page = app.open("/recurrent", width=400, height=900)
    box = text_box(page, "Surprise")
    expect(box.locator(".guess").first).to_be_visible()
    over = page.evaluate(
        """() => { const over = (e) => e.scrollWidth - e.clientWidth;
            const inside = [...document.querySelectorAll('.katex-display, table')].map((e) => e.parentElement);
            return [document.querySelector('[data-testid=stMain]'), ...inside].map(over); }"""
    )
    assert max(over) <= 0, over
    assert box.locator(".coloured-text").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
