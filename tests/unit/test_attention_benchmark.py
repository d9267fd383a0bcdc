"""What the attention benchmark makes of what it measured; and that both sides are given what they need."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import attention, attention_app, peers
from benchmarks.attention import Measured, Opened, interactive, line, make, middle, milliseconds, table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("interactive 0 1234.5", (0, 1234.5)),
        ("interactive 1 80", (1, 80.0)),
        ("d3 version 5.7.0", None),
        ("interactive 0 1e9", None),
        ("not interactive 0 1", None),
    ],
)
def test_what_a_page_says_is_read(text: str, expected: tuple[int, float] | None) -> None:
    assert interactive(text) == expected


def opened(*times: float, failed: str = "") -> Opened:
    return Opened(times, 2e8, 1e7, failed)


def test_the_median_opening_counts_and_one_that_failed_before_all() -> None:
    assert middle([opened(1, 30), opened(2, 10), opened(3, 20)]).milliseconds == (2, 10)
    assert middle([opened(1), opened(failed="crashed")]).failed == "crashed"


OURS = {"page alone": Measured(0.5, 1.2e6, opened(100, 200)), "app": Measured(0.01, 1.4e6, opened(900, 1000))}


def test_a_line_gives_each_value_and_ours_over_the_peers() -> None:
    found = OURS | {"model_view": Measured(20, 60e6, opened(40_000))}
    assert line(found, lambda m: m.size, attention.megabytes, "") == (
        "page alone 1.2 MB; app 1.4 MB; model_view 60 MB → ÷ model_view: page alone 0.020, app 0.023"
    )
    rows = table(128, found, "")
    assert rows[0][2] == "≤ 0.06 of model_view"
    assert "page alone 200 ms; app 1.0 s; model_view 40.0 s → ÷ model_view: page alone 0.005, app 0.025" in rows[2][1]
    assert all(goal == "" for _, _, goal in table(512, found, ""))


def test_what_was_given_up_is_said_and_not_divided_by() -> None:
    found = OURS | {"model_view": Measured(20, 60e6, opened(failed="not within 400 s"))}
    assert line(found, lambda m: attention.last(m.opened), milliseconds, "") == (
        "page alone 200 ms; app 1.0 s; model_view given up: not within 400 s"
    )
    assert "÷ model_view: page alone 0.020" in line(found, lambda m: m.size, attention.megabytes, "")
    assert line(OURS, lambda m: m.size, attention.megabytes, "no npm").endswith("(bertviz not measured: no npm)")


def test_weights_are_attention() -> None:
    weights = attention_app.attention(9)
    assert weights.shape == (12, 12, 9, 9)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["alone", "app"])
def test_ours_are_made(kind: str) -> None:
    seconds, made = make(kind, 8)
    assert seconds > 0
    assert (b"<!doctype html>" in made) == (kind == "alone")
    assert len(made) > 12 * 12 * 8 * 8


def test_the_peers_page_loads_what_is_fetched_for_it() -> None:
    pytest.importorskip("bertviz")
    for view in peers.VIEWS:
        page = peers.page(view, attention_app.attention(3), attention_app.words(3))
        wanted = {
            address if address.endswith(".js") else f"{address}.js"
            for address in re.findall(rf"{peers.CDN}[^'\"]+", page)
        }
        assert wanted == set(peers.SCRIPTS)
        assert json.dumps(attention_app.words(3)) in page


def test_what_takes_too_long_to_make_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(attention, "LIMIT", -1)
    assert attention.build("alone", 4, tmp_path / "page.html") == "Python needs more than -1 s to make it"
    assert not (tmp_path / "page.html").exists()


def test_what_was_made_is_told(tmp_path: Path) -> None:
    built = attention.build("alone", 4, tmp_path / "page.html")
    assert not isinstance(built, str)
    assert built["size"] == (tmp_path / "page.html").stat().st_size
    assert attention.build("no such view", 4, tmp_path / "none.html") == "Python failed to make it"
