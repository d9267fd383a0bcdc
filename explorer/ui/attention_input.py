"""The controls of the attention page: queries, keys and values typed into grids, the score, and masks drawn by clicks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.attention_views import MaskKind, ScoreName, Setup, Tables, fit_mask, make_mask
from explorer.components.address import keep_in_address
from explorer.errors import UserError
from explorer.tables import edit_table, format_table, parse_table, resize_table
from explorer.text import _
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.picks import fresh_pick

MOST = 6  # rows and columns of a grid
TEMPERATURES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
NAMES = ("query", "key", "value")
SYMBOLS = dict(zip(NAMES, "QKV", strict=True))
START = {"query": "1 0;0 1", "key": "1 0;1 1", "value": "1 1;0 0"}
TABLES, BEGUN, WRONG, DRAWN = "attn_tables", "attn_begun", "attn_wrong", "attn_drawn"
SCORES: dict[ScoreName, str] = {
    "scaled": _("Scaled dot product"),
    "dot": _("Dot product, not scaled"),
    "cosine": _("Cosine"),
    "additive": _("Additive (Bahdanau)"),
}
MASKS: dict[MaskKind, str] = {
    "none": _("No mask"),
    "causal": _("Causal"),
    "padding": _("Padding"),
    "drawn": _("Drawn by clicks"),
}


def read_tables() -> Tables:
    """The tables that were typed last, on opening those of the address. What cannot be used there is said."""
    state = st.session_state
    if TABLES not in state:
        state[WRONG] = {}
        try:
            state[TABLES] = _parse({name: st.query_params.get(f"attn_{name}", START[name]) for name in NAMES})
        except UserError as error:
            state[TABLES] = _parse(START)
            state[WRONG] = {"address": str(error)}
    tables: Tables = state[TABLES]
    return tables


def _parse(texts: dict[str, str]) -> Tables:
    bounds = (1, MOST)
    return Tables(*(parse_table(texts[name], rows=bounds, columns=bounds, channels=1)[0] for name in NAMES))


def type_tables() -> None:
    """The three grids, and what is wrong in them. What was typed is there in the next run of read_tables."""
    state = st.session_state
    tables = read_tables()
    does = {"query": _("what I look for"), "key": _("what is offered"), "value": _("what is passed on")}
    for column, name in zip(st.columns(3, gap="small"), NAMES, strict=True):
        table = getattr(tables, name)
        with column:
            st.markdown(f"${page.tex(name, SYMBOLS[name])}$: {does[name]}")
            _grid(name, table)
    for message in state[WRONG].values():
        st.error(message, icon=":material/grid_on:")
    addresses = {f"attn_{name}": format_table(getattr(tables, name)[None]).replace("\n", ";") for name in NAMES}
    keep_in_address(addresses, key="attn_tables_address")


def _grid(name: str, table: np.ndarray) -> None:
    """A data editor keeps what was typed as changes to what it began with; another table needs a new one."""
    state = st.session_state
    begun = state.setdefault(BEGUN, {})
    of, base, generation = begun.get(name, (None, table, -1))
    forgotten = f"attn_grid_{name}_{generation}" not in state and not np.array_equal(
        base, table
    )  # another page was open
    if of is not table or forgotten:
        base, generation = table.astype(float), generation + 1
        begun[name] = (table, base, generation)
        state[WRONG].pop(name, None)
    key = f"attn_grid_{name}_{generation}"
    letter = SYMBOLS[name].lower()
    frame = pd.DataFrame(
        base,
        index=row_names(letter, len(table)),
        columns=[str(column) for column in range(table.shape[1])],
    )
    st.data_editor(
        frame,
        key=key,
        on_change=_take_grid,
        args=(name, key),
        disabled=["_index"],
        column_config={
            column: st.column_config.NumberColumn(" " * (place + 1), format="%g", width=44)
            for place, column in enumerate(frame.columns)
        },
        alt=_("{symbol}, row by row; each number can be typed anew.").format(symbol=SYMBOLS[name]),
    )


def row_names(letter: str, count: int) -> tuple[str, ...]:
    """("q₁", "q₂", …)."""
    digits = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    return tuple(f"{letter}{n + 1}".translate(digits) for n in range(count))


def _take_grid(name: str, key: str) -> None:
    state = st.session_state
    _old, base, generation = state[BEGUN][name]
    cells = {int(row): {int(c): v for c, v in typed.items()} for row, typed in state[key]["edited_rows"].items()}
    try:
        table = edit_table(base, cells, SYMBOLS[name])
    except UserError as error:
        state[WRONG] = {**state[WRONG], name: str(error)}
        return
    state[WRONG] = {n: message for n, message in state[WRONG].items() if n not in (name, "address")}
    state[BEGUN][name] = (table, base, generation)
    tables: Tables = state[TABLES]
    state[TABLES] = Tables(*(table if n == name else getattr(tables, n) for n in NAMES))


def choose_sizes() -> None:
    """How many queries, keys and values, and how wide: K and V always have equally many rows, Q and K equal widths."""
    tables = read_tables()
    (queries, keys), d_k, d_v = tables.shape, tables.query.shape[1], tables.value.shape[1]
    sizes = {
        "attn_queries": (_("Queries"), queries),
        "attn_keys": (_("Keys and values"), keys),
        "attn_d_k": (_("Width of queries and keys, d_k"), d_k),
        "attn_d_v": (_("Width of values, d_v"), d_v),
    }
    for key, (label, size) in sizes.items():
        st.session_state[key] = size
        st.select_slider(label, range(1, MOST + 1), key=key, on_change=_resize)


def _resize() -> None:
    state = st.session_state
    queries, keys, d_k, d_v = (state[f"attn_{name}"] for name in ("queries", "keys", "d_k", "d_v"))
    tables: Tables = state[TABLES]
    state[TABLES] = Tables(
        resize_table(tables.query, queries, d_k),
        resize_table(tables.key, keys, d_k),
        resize_table(tables.value, keys, d_v),
    )
    state[WRONG] = {}


def choose_setup(more: DeltaGenerator) -> Setup:
    """Score, temperature and mask; in `more` the rest. A click on the maps of key "attn_maps" lifts or sets a mask."""
    shape = read_tables().shape
    score = st.selectbox(_("Score"), list(SCORES), format_func=SCORES.__getitem__, key="attn_score", bind="query-params",
                         help=_("How a query is compared with a key. Not scaled: without the division by √d_k."))  # fmt: skip
    temperature = st.select_slider(_("Temperature"), TEMPERATURES, 1.0, key="attn_temperature", bind="query-params",
                                   help=_("The scores are divided by it before the softmax."))  # fmt: skip
    _draw(shape)
    kind = st.selectbox(_("Mask"), list(MASKS), format_func=MASKS.__getitem__, key="attn_mask", bind="query-params",
                        help=_("Where a query may not look. Click on a score to mask it, or to lift its mask."))  # fmt: skip
    with more:
        padding = bounded(_("Keys that are padding"), range(shape[1] + 1), 1, key="attn_padding",
                          disabled=kind != "padding", help=_("They fill it up; no query may look at them."))  # fmt: skip
        seed = bounded(_("Seed of the additive score"), range(10), 0, key="attn_seed",
                       help=_("Its weights are random: nothing is learned here."))  # fmt: skip
    # A click chose this in the list above, not the visitor: Streamlit leaves the address as it was.
    drawn = {DRAWN: _as_text(_drawn(shape)), "attn_mask": MASKS["drawn"]} if kind == "drawn" else {}
    keep_in_address(drawn, key="attn_mask_address")
    return Setup(score, make_mask(kind, shape, padding, _drawn(shape)), temperature, seed)


def _draw(shape: tuple[int, int]) -> None:
    """Act on a click: what was masked so far becomes a drawn mask with one cell changed."""
    state = st.session_state
    picked = fresh_pick("attn_maps")
    if picked is None or picked.map > 1 or picked.row >= shape[0] or picked.column >= shape[1]:
        return
    before = make_mask(state.get("attn_mask", "none"), shape, state.get("attn_padding", 1), _drawn(shape))
    mask = before.copy()
    mask[picked.row, picked.column] ^= True
    state[DRAWN], state["attn_mask"] = mask, "drawn"


def _drawn(shape: tuple[int, int]) -> np.ndarray:
    """The mask that was drawn last, on opening the address's, at this size."""
    state = st.session_state
    if DRAWN not in state:
        rows = [[sign != "0" for sign in row] for row in st.query_params.get(DRAWN, "").split(";")][:MOST]
        width = max(len(row) for row in rows)
        state[DRAWN] = np.array([row + [True] * (width - len(row)) for row in rows], bool).reshape(len(rows), width)
    return fit_mask(state[DRAWN], shape)


def _as_text(mask: np.ndarray) -> str:
    """A row of 0 and 1 for each query, 0 where it may not look."""
    return ";".join("".join("01"[int(cell)] for cell in row) for row in mask)
