"""What each block of the Transformer's diagram is called, what it does and its formula."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.text import _
from explorer.ui import page


@dataclass(frozen=True)
class Kind:
    """label: in the box. about: one or two sentences. role: its palette role. parameters: their formula, "" for none."""

    label: str
    about: str
    role: str = "hidden"
    parameters: str = ""


ATTENTION = "4·d² + 4·d"


def kinds(pre_norm: bool) -> dict[str, Kind]:
    """The last part of a block's name → what it is. With the norm in front, sums are blocks of their own."""
    normalised = _("Each word's vector on its own: minus its mean, divided by its standard deviation, times γ, plus β.")
    added = _("What goes into the part below is added to what comes out of it: the residual connection.")
    norm = Kind(
        _("Norm") if pre_norm else _("Add & Norm"),
        normalised if pre_norm else f"{added} {normalised}",
        parameters="2·d",
    )
    return {
        "embedding": Kind(_("Embedding × √d"), _("Each word's own vector, learned, times √d."), "input", "V·d"),
        "positions": Kind(_("+ Positions"), _("The sinusoids of each position are added; nothing is learned."), "input"),
        "attention": Kind(
            _("Self-attention"),
            _("Every word of the sentence asks every other. No mask: it may look both ways."),
            parameters=ATTENTION,
        ),
        "masked": Kind(
            _("Masked self-attention"),
            _("What is written asks what is written. The causal mask hides all that comes later: when a word is chosen, "
              "nothing later exists yet."),
            parameters=ATTENTION,
        ),
        "cross": Kind(
            _("Cross-attention"),
            _("Queries come from what is written, keys and values from what the encoder has read. Here the translation "
              "looks at the sentence."),
            parameters=ATTENTION,
        ),
        "feed_forward": Kind(
            _("Feed-forward"),
            _("Two linear layers with an activation between them, wider inside: each word for itself, with the same weights."),
            parameters="2·d·f + f + d",
        ),
        **dict.fromkeys(("norm1", "norm2", "norm3"), norm),
        **dict.fromkeys(("add1", "add2", "add3"), Kind(_("Add"), added)),
        "final": Kind(_("Norm"), _("One norm behind the last layer, as torch.nn.Transformer has it."), parameters="2·d"),
        "output": Kind(_("Linear"), _("A score for every French word, at each place."), "output", "d·V + V"),
        "softmax": Kind(_("Softmax"), _("Scores become probabilities of the word that comes next, after each word."), "output"),
    }  # fmt: skip


def formula(kind: str, pre_norm: bool, activation: str) -> str:
    """LaTeX of a block, coloured."""
    x, y = page.tex("hidden", "x"), page.tex("hidden", "y")
    q, k, v = (page.tex(role, symbol) for role, symbol in (("query", "Q"), ("key", "K"), ("value", "V")))
    attention = rf"\text{{softmax}}\!\left(\frac{{{q} {k}^\top}}{{\sqrt{{d_k}}}}%s\right) {v}"
    norm = rf"\gamma \cdot \frac{{{x} - \mu}}{{\sqrt{{\sigma^2 + \epsilon}}}} + \beta"
    first, second = (page.tex("weight", f"W_{{{n}}}") for n in (1, 2))
    inside = rf"{x} {first} + b_1"
    bent = rf"\max(0,\; {inside})" if activation == "relu" else rf"\text{{GELU}}({inside})"
    w_e, pe = page.tex("weight", "E"), page.tex("input", "PE")
    formulas = {
        "embedding": rf"{x}_t = \sqrt{{d}} \cdot {w_e}[\text{{word}}_t]",
        "positions": rf"{x}_t + {pe}(t)",
        "attention": attention % "",
        "masked": attention % rf" + {page.tex('mask', 'M')}",
        "cross": attention % "",
        "feed_forward": rf"{bent}\, {second} + b_2",
        "norm": norm if pre_norm else rf"\text{{LayerNorm}}({x} + {y})",
        "add": rf"{x} + {y}",
        "final": norm,
        "output": rf"{x} {page.tex('weight', 'W')} + b",
        "softmax": r"p_i = \frac{e^{s_i}}{\sum_j e^{s_j}}",
    }
    return formulas[kind.rstrip("123")]


def title(block: str, layer: int | None) -> str:
    """Where a block stands, such as “encoder, layer 1”. block: "encoder.attention", "source.embedding" and so on."""
    stack = block.partition(".")[0]
    places = {"encoder": _("encoder"), "decoder": _("decoder"), "source": _("source"), "target": _("target")}
    place = places.get(stack, _("on top of the decoder"))
    return place if layer is None else _("{place}, layer {n}").format(place=place, n=layer + 1)
