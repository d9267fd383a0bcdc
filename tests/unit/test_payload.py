"""A trace as bytes for the browser: each tensor once, and of an edited trace the original only where it differs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from explorer.components.stepper.payload import encode
from explorer.edits import Edit, run_edited
from explorer.models.attention import scaled_dot_product_attention
from explorer.trace import Trace, trace

QUERY = torch.tensor([[1.0, 0], [0, 1], [1, 1]])
KEY = torch.tensor([[1.0, 0], [1, 1], [0, -1]])
VALUE = torch.tensor([[1.0, 2], [3, -1], [2, 0.5]])


def attend(edits: Any = None) -> Trace:
    return trace(scaled_dot_product_attention, QUERY, KEY, VALUE, edits=edits)


def read(payload: bytes) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The body, and the array of each tensor."""
    length = int(np.frombuffer(payload, "<u4", 1)[0])
    header = json.loads(payload[4 : 4 + length])
    start = 4 + length
    arrays = [
        np.frombuffer(payload, f"<{a['code']}", int(np.prod(a["shape"])), start + a["offset"]).reshape(a["shape"])
        for a in header["arrays"]
    ]
    body = header["body"]
    return body, [arrays[tensor["array"]] for tensor in body["tensors"]]


def test_each_tensor_is_sent_once():
    body, tensors = read(encode(attend()))
    softmax, matmul = body["steps"][3], body["steps"][4]
    assert matmul["inputs"][0]["tensor"] == softmax["outputs"][0]
    assert len(tensors) == len({tensor.tobytes() for tensor in tensors})
    assert not any("original" in step or "given" in step for step in body["steps"])


def test_the_original_is_sent_where_it_differs():
    plain = attend()
    weights = plain["weights"]
    made = run_edited(plain, [Edit(weights.index, 0, 4, 0.9, (3, 3))], attend)
    body, tensors = read(encode(made.trace, original=plain, given=made.given))
    before, edited, after = body["steps"][2], body["steps"][3], body["steps"][4]
    assert before["original"] is None
    assert edited["edited"]
    assert edited["original"]["inputs"] == {}
    then = tensors[edited["original"]["outputs"][0]]
    np.testing.assert_array_equal(then, weights.output.numpy())
    np.testing.assert_array_equal(tensors[edited["given"][0]], weights.output.numpy())
    assert after["original"]["inputs"] == {"input": edited["original"]["outputs"][0]}
    np.testing.assert_array_equal(tensors[after["original"]["outputs"][0]], plain["output"].output.numpy())
    np.testing.assert_array_equal(tensors[after["outputs"][0]], made.trace["output"].output.numpy())
    assert "given" not in after


def test_an_edit_to_the_same_number_differs_nowhere():
    plain = attend()
    weights = plain["weights"]
    same = float(weights.output[1, 1])
    made = run_edited(plain, [Edit(weights.index, 0, 4, same, (3, 3))], attend)
    body, _ = read(encode(made.trace, original=plain, given=made.given))
    assert [step["original"] for step in body["steps"]] == [None] * 5
