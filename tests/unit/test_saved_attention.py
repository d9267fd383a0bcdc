"""The page of all heads that opens alone: its weights as bytes, texts that cannot become markup, nothing from outside."""

from __future__ import annotations

import base64
import json
import re
import zlib

import numpy as np
import pytest

from explorer.attention_statistics import entropy
from explorer.components import attention_page as module
from explorer.components.attention_grid import thumbnails
from explorer.components.attention_page import attention_page


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def blob_of(page: str, key: str) -> np.ndarray:
    found = re.search(rf'<script type="text/plain" id="{key}">([^<]*)</script>', page)
    assert found
    return np.frombuffer(zlib.decompress(base64.b64decode(found[1])), np.uint8)


WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(5), (2, 3, 5)).astype(np.float32)


def test_few_weights_are_kept_to_the_nearest_65535th() -> None:
    page = attention_page(WEIGHTS, list("abcde"), (1, 2), "x")
    facts = data_of(page)
    high, low = blob_of(page, "layer-1").reshape(2, 3, 5, 5).astype(int)
    np.testing.assert_allclose((256 * high + low) / facts["most"], WEIGHTS[1], atol=0.5 / 65535 + 1e-7)
    np.testing.assert_array_equal(blob_of(page, "images").reshape(facts["pooled"]), thumbnails(WEIGHTS, 0.5))
    np.testing.assert_allclose(facts["entropy"], entropy(WEIGHTS).mean(-1), atol=1e-6)
    assert (facts["chosen"], facts["shape"]) == ([1, 2], [2, 3, 5, 5])
    assert facts["queries"] == facts["keys"] == list("abcde")


def test_many_weights_are_kept_to_the_nearest_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FINE", WEIGHTS.size - 1)
    page = attention_page(WEIGHTS, list("abcde"), (0, 0), "x")
    assert data_of(page)["most"] == 255
    np.testing.assert_allclose(blob_of(page, "layer-0").reshape(3, 5, 5) / 255, WEIGHTS[0], atol=0.5 / 255 + 1e-6)


def test_from_one_text_to_another() -> None:
    facts = data_of(attention_page(np.zeros((1, 2, 2, 3)), ["a", "b"], (0, 0), "x", ["c", "d", "e"]))
    assert facts["shape"] == [1, 2, 2, 3]
    assert (facts["queries"], facts["keys"]) == (["a", "b"], ["c", "d", "e"])


def test_what_is_put_in_is_not_searched_again() -> None:
    page = attention_page(np.zeros((1, 1, 2, 2)), ["{{grid}}", "{{facts}}"], (0, 0), "{{page}}")
    assert data_of(page)["queries"] == ["{{grid}}", "{{facts}}"]
    assert "<h1>Attention of {{page}}</h1>" in page


def test_typed_markup_stays_text():
    labels = ["</script><script>alert(1)</script>", "<!--", "고양이", "🙂"]
    page = attention_page(np.zeros((1, 1, 4, 4)), labels, (0, 0), "<b>x</b>")
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page
    assert data_of(page)["queries"] == labels


def test_nothing_is_fetched() -> None:
    page = attention_page(np.zeros((1, 1, 1, 1)), ["a"], (0, 0), "x")
    assert "default-src 'none'" in page
    assert set(re.findall(r"https?://[^\"' ]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(script|link|img)[^>]+(src|href)|@import|url\(|^import\s", page, re.MULTILINE)


@pytest.mark.parametrize("part", ["attention_grid", "attention_lines", "attention_page"])
def test_the_components_become_functions_of_the_page(part: str) -> None:
    page = attention_page(np.zeros((1, 1, 1, 1)), ["a"], (0, 0), "x")
    assert page.count(f"window.mount_{part} = function (") == 1
    assert "export default" not in page
