"""The lines of Python that the pages on BERT show: how a model is had, and how it reads what was typed."""

from __future__ import annotations

import json
from typing import Any

from explorer.ui.bert_texts import Stack, Texts


def quoted(value: Any) -> str:
    """A text, a number or None as Python writes it, signs of all scripts as they are."""
    return "None" if value is None else json.dumps(value, ensure_ascii=False)


def reading_code(key: str, texts: Texts, stack: Stack = "encoder") -> str:
    """From nothing to `reader`, `tokens` and `reading`."""
    lines = tokens_code(key, texts)
    if texts.written is None:
        return lines + "\nreading = reader.read(tokens)"
    return lines + f"\nreading = reader.read_both(tokens, written).{stack}"


def tokens_code(key: str, texts: Texts) -> str:
    """From nothing to `reader` and `tokens`, and `written` where there is a decoder's text."""
    tokens = texts.tokens
    lines = [
        "from explorer.tokens import encode",
        "from pretrained import readers",
        f"reader = readers.load({quoted(key)})",
        f"tokens = encode(reader.tokenizer, {quoted(tokens.text)}, {quoted(tokens.pair)}, limit=reader.limit)",
    ]
    if texts.own_words:
        lines.append("written = reader.write(tokens)")
    elif texts.written is not None:
        lines.append(f"written = reader.start_decoder({quoted(texts.written.text)})")
    return "\n".join(lines)
