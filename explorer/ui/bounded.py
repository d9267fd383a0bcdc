"""A slider whose choices follow from other controls, so that no state which cannot be computed can be reached."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st


def bounded(
    label: str,
    options: Sequence[int],
    default: int,
    *,
    key: str,
    help: str | None = None,  # noqa: A002
    disabled: bool = False,
) -> int:
    """A slider over these whole numbers, kept in the URL.

    Where other controls have taken its value or its default from the options, it stands at the nearest one that is left.
    """
    options = list(options)
    held, known = st.session_state.get(key), f"{key} options"
    # Streamlit would fall back to the default; and it leaves a default out of the URL, though it may be another one now.
    if held is not None and st.session_state.get(known, options) != options:
        st.session_state[key] = nearest(options, held)
    st.session_state[known] = options
    return st.select_slider(
        label,
        options,
        nearest(options, default),
        key=key,
        bind="query-params",
        help=help,
        disabled=disabled or len(options) == 1,
    )


def nearest(options: Sequence[int], value: int) -> int:
    """The option closest to the value, the lower of two."""
    return min(options, key=lambda option: (abs(option - value), option))
