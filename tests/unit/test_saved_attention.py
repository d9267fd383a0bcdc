"""The page of all heads that opens alone: its weights as bytes, texts that cannot become markup, nothing from outside."""

from __future__ import annotations

import base64
import json
import re

import numpy as np

from explorer.attention_page import attention_page


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_weights_are_kept_to_the_nearest_byte():
    weights = np.random.default_rng(0).dirichlet(np.ones(5), (2, 3, 5)).astype(np.float32)
    facts = data_of(attention_page(weights, list("abcde"), (1, 2), "x"))
    kept = np.frombuffer(base64.b64decode(facts["weights"]), np.uint8).reshape(facts["shape"])
    np.testing.assert_allclose(kept / 255, weights, atol=0.5 / 255 + 1e-6)
    assert facts["chosen"] == [1, 2]
    assert facts["labels"] == facts["columns"] == list("abcde")


def test_from_one_text_to_another():
    facts = data_of(attention_page(np.zeros((1, 2, 2, 3)), ["a", "b"], (0, 0), "x", ["c", "d", "e"]))
    assert facts["shape"] == [1, 2, 2, 3]
    assert (facts["labels"], facts["columns"]) == (["a", "b"], ["c", "d", "e"])


def test_typed_markup_stays_text():
    labels = ["</script><script>alert(1)</script>", "<!--", "고양이", "🙂"]
    page = attention_page(np.zeros((1, 1, 4, 4)), labels, (0, 0), "<b>x</b>")
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page
    assert data_of(page)["labels"] == labels


def test_nothing_is_fetched():
    page = attention_page(np.zeros((1, 1, 1, 1)), ["a"], (0, 0), "x")
    assert not re.search(r"(src|href)\s*=|url\(|https?://|import\s", page)
    assert "default-src 'none'" in page
