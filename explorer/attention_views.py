"""What the attention page computes of typed queries, keys and values: scores, masks, weights, entropy, saturation.

Arrays are float32 unless said otherwise; T queries, S keys, widths d_k and d_v.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.attention_statistics import entropy
from explorer.edits import Replacements
from explorer.errors import UserError
from explorer.models import scoring
from explorer.models.attention import causal_mask, padding_mask
from explorer.models.scoring import AdditiveScore, Score, attend
from explorer.text import _
from explorer.trace import Trace, trace

ScoreName = Literal["scaled", "dot", "cosine", "additive"]
MaskKind = Literal["none", "causal", "padding", "drawn"]

SCORES: tuple[ScoreName, ...] = ("scaled", "dot", "cosine", "additive")
HIDDEN = 3
"""Width of the additive score's small network."""
WIDTHS = tuple(2**n for n in range(10))
"""The widths d_k of the saturation curve."""
CURVE = np.geomspace(0.05, 20, 61)
"""The temperatures of the other one."""
DRAWS, DRAWN_KEYS = 256, 8
"""Random queries at each of these widths, and the keys that each of them asks."""


@dataclass(frozen=True, eq=False)
class Tables:
    """query: (T, d_k); key: (S, d_k); value: (S, d_v)."""

    query: np.ndarray
    key: np.ndarray
    value: np.ndarray

    def __post_init__(self) -> None:
        if self.query.shape[1] != self.key.shape[1]:
            message = _("A query has {a} numbers and a key {b}: they need equally many, or no score can be taken.")
            raise UserError(message.format(a=self.query.shape[1], b=self.key.shape[1]))
        if len(self.key) != len(self.value):
            message = _("There are {a} keys and {b} values: each key needs one value.")
            raise UserError(message.format(a=len(self.key), b=len(self.value)))

    @property
    def shape(self) -> tuple[int, int]:
        """(T, S)."""
        return len(self.query), len(self.key)

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value."""
        query, key, value = (torch.from_numpy(table.copy()) for table in (self.query, self.key, self.value))
        return query, key, value


@dataclass(frozen=True, eq=False)
class Setup:
    """How attention is paid. mask: bool (T, S), True where a query may look; seed: of the additive score's weights."""

    score: ScoreName
    mask: np.ndarray
    temperature: float = 1.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Attention:
    """What came out. scores: (T, S), before mask and temperature; masked: the same, −∞ where a query may not look.

    weights: (T, S), rows sum to 1, NaN where a query may look nowhere. output: (T, d_v). entropy: (T,), bits of a row;
    most: (T,), bits if all keys that the query may look at had the same weight; share: entropy / most, 0–1, NaN where a
    query has no choice.
    """

    scores: np.ndarray
    masked: np.ndarray
    weights: np.ndarray
    output: np.ndarray
    entropy: np.ndarray
    most: np.ndarray
    share: np.ndarray


def additive_score(d_k: int, seed: int) -> AdditiveScore:
    """Its weights are random, N(0, 1/d_k) and for v N(0, 1); nothing is learned."""
    score = AdditiveScore(d_k, HIDDEN)
    generator = torch.Generator().manual_seed(seed)
    for parameter in (score.w_query, score.w_key):
        nn.init.normal_(parameter, std=d_k**-0.5, generator=generator)
    nn.init.normal_(score.v, generator=generator)
    return score


def score_function(name: ScoreName, d_k: int, seed: int = 0) -> Score:
    """The function or module of this name."""
    if name == "additive":
        return additive_score(d_k, seed)
    return {"dot": scoring.dot_product, "scaled": scoring.scaled_dot_product, "cosine": scoring.cosine}[name]


def make_mask(kind: MaskKind, shape: tuple[int, int], padding: int = 0, drawn: np.ndarray | None = None) -> np.ndarray:
    """Bool (T, S), True where a query may look. padding: so many keys at the end are no words; drawn: the mask itself."""
    queries, keys = shape
    if kind == "causal":
        return causal_mask(queries, keys).numpy()
    if kind == "padding":
        return np.repeat(padding_mask(torch.tensor([keys - padding]), keys)[0].numpy(), queries, axis=0)
    if kind == "drawn" and drawn is not None:
        return fit_mask(drawn, shape)
    return np.ones(shape, bool)


def fit_mask(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The mask at another size: what is new may be looked at."""
    fitted = np.ones(shape, bool)
    rows, columns = np.minimum(mask.shape, shape)
    fitted[:rows, :columns] = mask[:rows, :columns]
    return fitted


@torch.inference_mode()
def pay_attention(tables: Tables, setup: Setup) -> Attention:
    """Attention of these queries to these keys and values."""
    query, key, value = tables.tensors
    score = score_function(setup.score, query.shape[1], setup.seed)
    mask = torch.from_numpy(setup.mask)
    scores = score(query, key)
    output, weights = attend(query, key, value, score, mask, setup.temperature)
    bits = entropy(weights.numpy()) + 0.0  # no −0
    reached = setup.mask.sum(1)
    most = np.log2(np.maximum(reached, 1)).astype(np.float32)
    share = np.divide(bits, most, out=np.full_like(bits, np.nan), where=most > 0)
    masked = scores.masked_fill(~mask, float("-inf"))
    return Attention(scores.numpy(), masked.numpy(), weights.numpy(), output.numpy(), bits, most, share)


def compare(tables: Tables, setup: Setup) -> dict[ScoreName, Attention]:
    """The same vectors, mask and temperature under every score."""
    return {name: pay_attention(tables, Setup(name, setup.mask, setup.temperature, setup.seed)) for name in SCORES}


def steps(tables: Tables, setup: Setup, edits: Replacements | None = None) -> Trace:
    """The trace of all this. edits: step → what takes the place of its output."""
    score = score_function(setup.score, tables.query.shape[1], setup.seed)
    mask = None if setup.mask.all() else torch.from_numpy(setup.mask)
    return trace(attend, *tables.tensors, score, mask, setup.temperature, edits=edits)


def against_temperature(masked: np.ndarray, temperatures: np.ndarray = CURVE) -> np.ndarray:
    """One query's weights at each temperature. masked: (S,), scores, −∞ where it may not look → (n, S)."""
    scores = torch.from_numpy(masked) / torch.from_numpy(temperatures.astype(np.float32))[:, None]
    return scores.softmax(dim=-1).numpy()


@dataclass(frozen=True, eq=False)
class Widths:
    """What a growing width d_k does to random queries and keys, N(0, 1) each; all (n,), a mean over the queries.

    widths: int. spread: standard deviation of the dot products. For scores as they are (plain) and divided by √d_k
    (scaled): share: entropy over its most; slope: of the largest weight, α(1 − α), which its gradient is multiplied by.
    """

    widths: np.ndarray
    spread: np.ndarray
    plain_share: np.ndarray
    scaled_share: np.ndarray
    plain_slope: np.ndarray
    scaled_slope: np.ndarray


def against_width(widths: tuple[int, ...] = WIDTHS, seed: int = 0) -> Widths:
    """Measured with DRAWS queries of DRAWN_KEYS keys each at every width."""
    rows = []
    for width in widths:
        generator = torch.Generator().manual_seed(seed)
        query = torch.randn(DRAWS, 1, width, generator=generator)
        key = torch.randn(DRAWS, DRAWN_KEYS, width, generator=generator)
        scores = scoring.dot_product(query, key)
        row = [scores.std().item()]
        for s in (scores, scoring.scaled_dot_product(query, key)):
            weights = s.softmax(dim=-1)[:, 0]
            largest = weights.amax(-1)
            share = entropy(weights.numpy()).mean() / np.log2(DRAWN_KEYS)
            row += [float(share), (largest * (1 - largest)).mean().item()]
        rows.append(row)
    spread, plain_share, plain_slope, scaled_share, scaled_slope = np.array(rows, np.float32).T
    return Widths(np.array(widths), spread, plain_share, scaled_share, plain_slope, scaled_slope)


@dataclass(frozen=True, eq=False)
class Masking:
    """One row of scores under −∞ and under −1e9, (S,) each; `one`: its last key is masked, `all`: every key is.

    one_*: None where there is but one key. fused: what F.scaled_dot_product_attention makes of a query that may look
    nowhere, as weights. half: −1e9 in half precision.
    """

    one_infinite: np.ndarray | None
    one_finite: np.ndarray | None
    all_infinite: np.ndarray
    all_finite: np.ndarray
    fused: np.ndarray
    half: float


def masking(scores: np.ndarray, temperature: float = 1.0) -> Masking:
    """scores: (S,), a query's, finite."""
    row = torch.from_numpy(scores) / temperature
    last = torch.zeros(len(row), dtype=torch.bool)
    last[-1] = True
    every = torch.ones_like(last)

    def weights(mask: Tensor, fill: float) -> np.ndarray:
        return row.masked_fill(mask, fill).softmax(dim=-1).numpy()

    some = len(row) > 1
    identity = torch.eye(len(row))  # as values: then the output is the weights
    fused = F.scaled_dot_product_attention(row[None], identity, identity, ~every[None], scale=1.0)[0]
    return Masking(
        one_infinite=weights(last, -torch.inf) if some else None,
        one_finite=weights(last, -1e9) if some else None,
        all_infinite=weights(every, -torch.inf),
        all_finite=weights(every, -1e9),
        fused=fused.numpy(),
        half=torch.tensor(-1e9).half().item(),
    )
