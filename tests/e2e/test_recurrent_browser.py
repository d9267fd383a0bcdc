"""The unrolled network in a real browser: it fills in step by step, every number is explained, weights are seen as shared."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from seeing import choose, expect_drawn, expect_redrawn, pixels, slide

# The component's root, from the page's side.
FIND = """() => [...document.querySelectorAll(".st-key-rec_unrolled *")].map((e) => e.shadowRoot).find(Boolean)
    .querySelector(".root")"""
BOTH = "→ and ←"


def unrolled(page: Page) -> Locator:
    """The component, once it is drawn."""
    box = page.locator(".st-key-rec_unrolled")
    expect(box.locator(".sum-verdict")).to_contain_text("✓ torch has", timeout=30_000)
    return box


def tell(page: Page, expression: str):
    """What an expression over `u`, the running component, gives."""
    return page.evaluate(f"() => {{ const u = ({FIND})().unrolled; return ({expression}); }}")


def step(box: Locator, name: str = "Step forward", times: int = 1) -> None:
    for _ in range(times):
        box.get_by_role("button", name=name).click()


def point_of(page: Page, cell: str, kind: str, place: int, unit: int) -> tuple[float, float]:
    """The middle of a number in the diagram, in the window's pixels; in lockstep for a cell that is not the large one."""
    x, y = tell(
        page,
        f"""(() => {{
            const row = u.diagram.scanRows().find((r) => r.scan.cell === "{cell}" && r.scan.layer === u.layer
                && r.scan.direction === 0 && u.diagram.strips(r).some((s) => s.kind === "{kind}"));
            const strip = u.diagram.strips(row).find((s) => s.kind === "{kind}" && s.place === {place});
            const {{ top, height }} = u.diagram.units(row, row.scan.units("{kind}"));
            const area = u.diagram.top.getBoundingClientRect();
            return [area.x + strip.x + strip.width / 2, area.y + top + ({unit} + 0.5) * height];
        }})()""",
    )
    return x, y


def test_it_fills_in_step_by_step_and_the_link_keeps_the_step(app):
    page = app.open("/recurrent")
    box = unrolled(page)
    expect(box.locator(".counter")).to_have_text("7 / 11")
    expect(box.locator(".step-title")).to_contain_text("LSTM reads “because”")
    step(box, "First step")
    expect(box.locator(".counter")).to_have_text("1 / 11")
    first = pixels(box, "under-layer")
    assert tell(page, "[0, 1, 10].map((place) => u.diagram.done(u.scans.lstm[0][0], place))") == [True, False, False]
    step(box, times=2)
    expect(box.locator(".step-title")).to_contain_text("LSTM reads “sat”")
    expect_redrawn(box, first, "under-layer")
    expect(page).to_have_url(re.compile(r"rec_at=3"))
    box.locator("canvas.over-layer").focus()
    page.keyboard.press("ArrowLeft")
    expect(box.locator(".counter")).to_have_text("2 / 11")
    page.keyboard.press("End")
    expect(box.locator(".counter")).to_have_text("11 / 11")
    page.keyboard.press("Home")
    box.locator("select").select_option("4")
    page.keyboard.press("Escape")
    box.get_by_role("button", name="Play").click()
    expect(box.locator(".counter")).to_have_text(re.compile("[3-9] / 11"))
    box.get_by_role("button", name="Pause").click()
    box.get_by_role("slider", name="Step").fill("4")
    expect(box.locator(".counter")).to_have_text("5 / 11")
    page = app.open(page.url.removeprefix(app.server.url))
    expect(unrolled(page).locator(".counter")).to_have_text("5 / 11")


@pytest.mark.parametrize(
    "query",
    [
        "rec_cell=LSTM",
        f"rec_cell=GRU&rec_layers=2&rec_direction={BOTH}&rec_initial=Random&rec_sentence=a+b+c+d",
        "rec_cell=RNN&rec_activation=ReLU&rec_hidden=8&rec_input=Series: noise",
    ],
)
def test_the_arithmetic_of_every_number_gives_the_number_that_torch_gave(app, query):
    page = app.open(f"/recurrent?{query}")
    unrolled(page)
    told = tell(
        page,
        """(() => {
            const found = [];
            for (const scan of Object.values(u.scans).flat(2)) for (const kind of scan.kinds)
                for (let place = 0; place < scan.length; place++) for (let unit = 0; unit < scan.hidden; unit++) {
                    u.look({ cell: scan.cell, layer: scan.layer, direction: scan.direction, kind, place, unit });
                    found.push([u.verdict.textContent, scan.value(kind, place, unit)]);
                }
            return found;
        })()""",
    )
    assert len(told) > 200
    for verdict, value in told:
        assert verdict.startswith("✓ torch has "), (verdict, value)
        number = float(verdict.removeprefix("✓ torch has ").replace("−", "-"))
        assert number == pytest.approx(value, rel=1e-4, abs=1e-6)


def test_pointing_spells_out_and_a_pinned_unit_uses_the_same_weights_at_every_step(app):
    page = app.open("/recurrent")
    box = unrolled(page)
    box.scroll_into_view_if_needed()
    page.mouse.move(*point_of(page, "lstm", "g1", 2, 1))
    expect(box.locator(".readout")).to_contain_text("LSTM, unit 1 at “sat”")
    expect(box.locator(".readout")).to_contain_text(re.compile(r"from x: .*from h: .*σ\(", re.DOTALL))
    page.mouse.move(*point_of(page, "gru", "h", 1, 2))
    expect(box.locator(".readout")).to_contain_text("GRU, unit 2 at “cat”")
    # A click on the present forget gate pins it; then the step goes on, and the same row of the weights stays lit.
    page.mouse.click(*point_of(page, "lstm", "g1", 6, 1))
    page.mouse.move(2, 2)
    expect(box.locator(".readout")).to_contain_text("LSTM, unit 1 at “because”")
    lit = pixels(box, "weights")
    readings = set()
    for word in ("it", "was", "tired"):
        step(box)
        expect(box.locator(".readout")).to_contain_text(f"LSTM, unit 1 at “{word}”")
        expect(box.locator(".sum-verdict")).to_contain_text("✓")
        expect_drawn(box, lit, "weights")
        readings.add(box.locator(".sum-verdict").inner_text())
    assert len(readings) == 3
    box.locator("canvas.over-layer").press("ArrowDown")
    expect(box.locator(".readout")).to_contain_text("unit 2 at “tired”")
    expect_redrawn(box, lit, "weights")
    box.locator("canvas.over-layer").press("Escape")
    expect(box.locator(".pinned")).to_have_count(0)


def test_gates_are_bars_as_long_as_their_values_and_keys_reach_them(app):
    page = app.open("/recurrent")
    box = unrolled(page)
    tracks = box.locator(".gate:not(.signed)")
    expect(tracks).to_have_count(12)  # three gates, four units
    for n in range(12):
        value = float(tracks.nth(n).get_attribute("title").split(" = ")[1])
        track, bar = (tracks.nth(n).locator(part).bounding_box()["width"] for part in (".track", ".fill"))
        assert bar / (track - 2) == pytest.approx(value, abs=0.03)
    # The keys reach each of them, too: from the new state of unit 0 to its output gate, and the one below.
    table = box.locator(".units")
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown"):
        table.press(key)
    expect(box.locator(".readout")).to_contain_text(re.compile(r"o = σ\(.* · LSTM, unit 1 at “because”", re.DOTALL))
    expect(box.locator(".counter")).to_have_text("7 / 11")
    table.press("Enter")
    step(box)
    expect(box.locator(".readout")).to_contain_text(re.compile(r"o = σ\(.* · LSTM, unit 1 at “it”", re.DOTALL))


def test_another_cell_or_size_keeps_the_step_and_the_panel_follows(app):
    page = app.open("/recurrent?rec_at=3")
    box = unrolled(page)
    choose(page, "RNN")
    expect(box.locator(".step-title")).to_contain_text("RNN reads “sat”")
    expect(box.locator(".gate")).to_have_count(0)
    expect(box.locator(".sum-verdict")).to_contain_text("✓")
    app.settle()
    page.get_by_text("More", exact=True).first.click()
    slide(page, "Hidden size", "ArrowRight")
    expect(box.locator(".unit-name")).to_have_count(5)
    expect(box.locator(".counter")).to_have_text("3 / 11")


def test_a_step_opens_in_the_code(app):
    page = app.open("/recurrent?rec_at=2&rec_code=Whole+sequence")
    box = unrolled(page)
    expect(page.locator(".st-key-rec_steps .counter")).to_have_text(re.compile(r"^1 / 5\d$"))
    box.get_by_role("button", name="This step in the code").click()
    expect(page.get_by_text("The LSTM reads “cat”.")).to_be_visible()
    expect(page).to_have_url(re.compile("rec_place=2"))
    expect(page.locator(".st-key-rec_steps .counter")).to_have_text("1 / 13")
    # What the diagram shows is what the code gives.
    page.locator(".st-key-rec_steps").get_by_role("button", name="Last step").click()
    stepped = page.locator(".st-key-rec_steps .verdict")
    expect(stepped).to_contain_text("✓ torch has")
    states = tell(page, "[0, 1, 2, 3].map((unit) => u.scans.lstm[0][0].value('h', 1, unit))")
    number = float(stepped.inner_text().removeprefix("✓ torch has ").replace("−", "-"))
    assert min(abs(number - state) for state in states) < 1e-6


def test_without_motion_a_step_stands_at_once(app):
    page = app.open("/recurrent")
    page.emulate_media(reduced_motion="reduce")
    box = unrolled(page)
    page.evaluate("() => { window.frames_asked = 0; const ask = window.requestAnimationFrame.bind(window);"
                  "window.requestAnimationFrame = (f) => { window.frames_asked += 1; return ask(f); }; }")  # fmt: skip
    box.locator("canvas.over-layer").focus()
    asked = page.evaluate("window.frames_asked")
    fade = tell(page, "(u.goTo(u.tick + 1), u.diagram.fade)")
    assert fade == 1
    assert page.evaluate("window.frames_asked") == asked
    page.emulate_media(reduced_motion="no-preference")
    assert tell(page, "(u.goTo(u.tick + 1), u.diagram.fade)") == 0
    page.wait_for_function(f"() => ({FIND})().unrolled.diagram.fade === 1")


def test_a_long_sentence_scrolls_inside_the_diagram_and_nothing_runs_over_the_edge_of_a_phone(app):
    words = "+".join(f"word{n}" for n in range(20))
    page = app.open(f"/recurrent?rec_sentence={words}&rec_at=1", width=400, height=900)
    box = unrolled(page)
    scroller = box.locator(".scroller")
    assert scroller.evaluate("s => s.scrollWidth > s.clientWidth")
    assert scroller.evaluate("s => s.scrollLeft") == 0
    step(box, "Last step")
    assert scroller.evaluate("s => s.scrollLeft > 0 && s.scrollLeft + s.clientWidth >= s.scrollWidth - 60")
    over = page.evaluate(
        f"""() => {{ const m = document.querySelector('[data-testid=stMain]'); const root = ({FIND})();
            return [m.scrollWidth - m.clientWidth, root.scrollWidth - root.clientWidth]; }}"""
    )
    assert max(over) <= 0, over
