"""Arrays and a JSON header as one run of bytes, the only form in which Streamlit hands arrays to a component unharmed.

Layout: uint32 little-endian length of the header in bytes; the header, UTF-8, padded with spaces so that the arrays begin
at a multiple of 8; the arrays, each beginning at a multiple of 8. The header is {"arrays": [{"shape", "code", "offset"}],
"body": …}; code is "f4", "f8", "i4" or "u1", as numpy names them; offset counts bytes from the first array.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

CODES = {"f4", "f8", "i4", "u1"}


def pack(body: Any, arrays: Sequence[np.ndarray]) -> bytes:
    """The bytes that shared/packing.js reads. body: JSON-able, no NaN. Raises ValueError for another dtype than CODES."""
    records, blobs, offset = [], [], 0
    for array in arrays:
        code = array.dtype.str[1:]
        if code not in CODES:
            raise ValueError(f"arrays of {array.dtype} cannot be sent to the browser")
        blob = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        blob += b"\0" * (-len(blob) % 8)
        records.append({"shape": list(array.shape), "code": code, "offset": offset})
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps({"arrays": records, "body": body}, allow_nan=False).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return b"".join([np.uint32(len(text)).astype("<u4").tobytes(), text, *blobs])
