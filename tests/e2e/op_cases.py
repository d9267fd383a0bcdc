"""The calls with which the stepper's arithmetic is proved: every op kind, with random shapes and parameters."""

from __future__ import annotations

import op_cases_elementwise
import op_cases_groups
import op_cases_moves
import op_cases_products

CASES = [
    *op_cases_elementwise.TABLE,
    *op_cases_products.TABLE,
    *op_cases_groups.TABLE,
    *op_cases_moves.TABLE,
]
