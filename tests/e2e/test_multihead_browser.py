"""The multi-head page in a real browser: linked pictures, one colour a head, heads switched off, the sum, links, a phone."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect
from seeing import at, expect_drawn, expect_redrawn, picture, pixels, slide

from explorer import palette


def box(page: Page, name: str, place: int = 0) -> Locator:
    """A picture of the flow, by the start of its name."""
    return page.locator(".flow-box", has=page.locator(".flow-name", has_text=re.compile(f"^{re.escape(name)}"))).nth(
        place
    )


def rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*palette.rgb(colour))


def test_pointing_lights_what_a_number_was_made_from_without_the_server(app, screenshot):
    sent = []
    app.page.on("websocket", lambda socket: socket.on("framesent", lambda _: sent.append(1)))
    page = app.open("/multihead")
    expect(page.locator(".verdict")).to_contain_text("✓")
    app.settle()
    count, readout = len(sent), page.locator(".flow-readout")
    expect(readout).to_have_text("Point at a cell: what it was made from lights up.")
    dark = {name: pixels(box(page, name), "grid-top") for name in ("concat", "W_O", "+ b_O", "V =")}
    page.mouse.move(*at(box(page, "output"), 0.9, 0.5))
    expect(readout).to_contain_text(
        re.compile(r"^output\[“because”, 5\] = concat\[“because”\] · W_O\[:, 5\] \+ b_O\[5\] = −?\d")
    )
    lit = {name: pixels(box(page, name), "grid-top") for name in dark}
    assert [name for name in dark if lit[name] != dark[name]] == ["concat", "W_O", "+ b_O"]
    page.mouse.move(*at(box(page, "head 2"), 0.75, 0.1))
    expect(readout).to_contain_text("head 2[“The”, 1] = weights[“The”] · V[:, 3] = ")
    expect(page.locator(".card.raised .card-title")).to_have_text("Head 2")
    expect_redrawn(box(page, "V ="), dark["V ="], "grid-top")
    page.mouse.move(*at(box(page, "weights", 2), 0.95, 0.05))
    expect(readout).to_contain_text(re.compile("^“The” → “tired”: softmax of q · k / √2 = 0.[0-9]+ · Head 3$"))
    page.mouse.down()
    page.mouse.up()
    pinned = readout.inner_text()
    page.mouse.move(*at(box(page, "Q ="), 0.5, 0.5))
    expect(readout).to_have_text(pinned)
    page.keyboard.press("Escape")
    page.mouse.move(*at(box(page, "Q ="), 0.55, 0.55))
    expect(readout).to_contain_text("· Head 2")
    page.keyboard.press("ArrowRight")  # the picture that was clicked has the keys
    expect(readout).to_contain_text("“The” → “The”: softmax")
    assert len(sent) == count
    screenshot(page, "multihead-pointed", widths=(1440,))


def test_a_head_keeps_its_colour_everywhere(app):
    for theme in ("light", "dark"):
        page = app.open("/multihead?heads_width=12&heads_count=4", theme=theme)
        expect(page.locator(".card")).to_have_count(4)
        for head, colour in enumerate(palette.HEADS[theme][:4]):
            card = page.locator(".card").nth(head)
            assert card.evaluate("e => getComputedStyle(e).borderLeftColor") == rgb(colour)
            marks = box(page, "Q =").locator(".flow-mark").nth(head), box(page, "W_O").locator(".flow-mark").nth(head)
            expect(marks[0]).to_have_text(str(head + 1))
            assert marks[0].evaluate("e => getComputedStyle(e).borderBottomColor") == rgb(colour)
            assert marks[1].evaluate("e => getComputedStyle(e).borderRightColor") == rgb(colour)
            for title in (f"Head {head + 1}", f"Head {head + 1} adds"):
                seen = picture(page, title).locator(".map-title").evaluate("e => getComputedStyle(e).borderLeftColor")
                assert seen == rgb(colour)


def test_another_number_of_heads_and_the_link_restores_it(app):
    page = app.open("/multihead?heads_width=12")
    expect(page.locator(".card")).to_have_count(3)
    before = pixels(box(page, "Q ="))
    slide(page, "Heads", "ArrowRight")
    expect(page.locator(".card")).to_have_count(4)
    expect(page).to_have_url(re.compile("heads_count=4"))
    expect_drawn(box(page, "Q ="), before)  # the same numbers, cut differently
    app.settle()
    page.get_by_test_id("stCheckbox").get_by_text("Head 4", exact=True).click()
    expect(page.get_by_text("Without head 2, 4,")).to_be_visible()
    expect(page).to_have_url(re.compile("heads_on_3=false"))
    app.settle()
    picture(page, "Sum: the output").locator("canvas.grid-top").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Dimension 0 of “The”:")).to_be_visible()
    expect(page).to_have_url(re.compile("heads_word=1"))
    app.settle()
    shown = pixels(picture(page, "Without"))
    page = app.open(page.url.removeprefix(app.server.url))
    expect(page.locator(".card")).to_have_count(4)
    expect(page.get_by_text("Dimension 0 of “The”:")).to_be_visible()
    expect_drawn(picture(page, "Without"), shown)


def test_every_cell_of_the_layer_and_of_the_sum_can_be_checked(app):
    for code in ("The layer", "The sum over heads"):
        page = app.open(f"/multihead?heads_code={code.replace(' ', '+')}")
        expect(page.locator(".verdict")).to_contain_text("✓")
        page.get_by_role("button", name="First step").click()
        steps = int(page.locator(".counter").inner_text().split("/")[1])
        for _ in range(steps):
            page.get_by_role("button", name="Check every cell").click()
            expect(page.locator(".verdict")).to_contain_text("✓ all")
            page.get_by_role("button", name="Step forward").click()


def test_an_empty_sentence_is_one_sentence(app):
    page = app.open("/multihead")
    field = page.get_by_role("textbox", name="Your sentence")
    field.fill("  ")
    field.press("Enter")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_have_count(1)
    expect(alert).to_contain_text("type a sentence")
    expect(page.locator(".card")).to_have_count(3)


def test_nothing_runs_over_the_edge_of_a_phone(app):
    page = app.open("/multihead?heads_width=24&heads_count=12", width=400, height=900)
    expect(page.locator(".card")).to_have_count(12)
    expect(page.locator(".verdict")).to_contain_text("✓")
    over = page.evaluate(
        """() => { const m = document.querySelector('[data-testid=stMain]'), right = m.clientWidth;
            const roots = [...m.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean);
            const boxes = roots.flatMap((r) => [...r.querySelectorAll('.flow-box')]);
            return [m.scrollWidth - right, ...boxes.map((e) => Math.ceil(e.getBoundingClientRect().right - right))]; }"""
    )
    assert len(over) == 1 + 8 + 24
    assert max(over) <= 0, over
