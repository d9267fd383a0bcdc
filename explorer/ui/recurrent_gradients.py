"""Vanishing and exploding gradients in RNN, LSTM and GRU, and what clipping does about the latter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from explorer.numbers import number, power
from explorer.plots.curves import gradient_norms
from explorer.recurrent_gradients import INPUTS, Flow, Kind, Setup, flows
from explorer.text import _
from explorer.ui import page
from explorer.ui.bounded import bounded

VANISHED, EXPLODED = 1e-4, 1e2  # of the last step's gradient
THRESHOLDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
NAMES: dict[Kind, str] = {"rnn": _("RNN"), "lstm": _("LSTM"), "gru": _("GRU")}


@st.cache_data(max_entries=64, show_spinner=False)
def _flows(setup: Setup) -> dict[Kind, Flow]:
    return flows(setup)


def show_gradients() -> None:
    """The whole part of the page, from its heading on."""
    st.subheader(_("Vanishing and exploding gradients"), anchor=False)
    st.markdown(
        _("To learn that step t mattered, a network needs ∂L/∂h at that step. On its way back from the end the gradient is "
          "multiplied once a step. Where that mostly shrinks it, it vanishes; where it mostly stretches it, it explodes. In an "
          "RNN or GRU, with H units and a random target y:")
    )  # fmt: skip
    hidden, loss = page.tex("hidden", "h"), page.tex("gradient", "L")
    st.latex(
        rf"\begin{{gathered}} \frac{{\partial {loss}}}{{\partial {hidden}_t}} = \frac{{\partial {loss}}}{{\partial {hidden}_T}}"
        rf"\; \prod_{{k=t+1}}^{{T}} \frac{{\partial {hidden}_k}}{{\partial {hidden}_{{k-1}}}}"
        rf" \\ {loss} = \frac{{1}}{{2H}} \left| {hidden}_T - y \right|^2 \end{{gathered}}"
    )
    controls, picture = page.play()
    st.subheader(_("Clipping"), anchor=False)
    clip_controls, clip_picture = page.play()
    with controls:
        network = _choose_network()
    with clip_controls:
        threshold, rate = _choose_step()
    made = _flows(replace(network, threshold=threshold, rate=rate))
    with picture:
        _show_flow(made)
    with clip_picture:
        st.markdown(_table(made))
        st.caption(_clipping_finding(made))


def _choose_network() -> Setup:
    scale = st.slider(_("Weight scale"), 0.25, 6.0, 1.0, 0.25, key="grad_scale", bind="query-params",
                      help=_("Every recurrent weight, W_hh, times this, in all three. 1 is how torch.nn starts."))  # fmt: skip
    length = bounded(_("Length T, steps"), (5, 10, 20, 30, 40, 60, 80, 100), 40, key="grad_length")
    bias = st.slider(_("Gate bias"), -2.0, 5.0, 2.0, 0.5, key="grad_bias", bind="query-params",
                     help=_("Added to the bias of the gate that keeps the memory: the LSTM’s forget gate, the GRU’s update "
                            "gate. Torch starts both near 0; for the LSTM 1 is a common choice."))  # fmt: skip
    with st.expander(_("More")):
        units = bounded(_("Units H"), (4, 8, 16, 32, 64), 32, key="grad_units")
        seed = bounded(_("Seed"), range(10), 0, key="grad_seed", help=_("Of the weights, the input and the target."))
    return Setup(length=length, scale=scale, gate_bias=bias, hidden=units, seed=seed)


def _choose_step() -> tuple[float, float]:
    threshold = st.select_slider(_("Threshold"), THRESHOLDS, 0.3, key="grad_threshold", bind="query-params",
                                 help=_("A gradient of all weights longer than this is scaled down to it."))  # fmt: skip
    rate = st.select_slider(_("Learning rate"), RATES, 1.0, key="grad_rate", bind="query-params",
                            help=_("Of the one step of gradient descent that is tried."))  # fmt: skip
    return threshold, rate


def _show_flow(made: Mapping[Kind, Flow]) -> None:
    """The curves, and what they say."""
    finding = _finding(made)
    curves = {NAMES[kind]: flow.hidden for kind, flow in made.items()}
    cell = made["lstm"].cell
    if cell is not None:
        curves[_("LSTM: |∂L/∂c|")] = cell
    page.chart(gradient_norms(curves, page.theme()), key="grad_chart", alt=finding)
    st.markdown(finding)
    st.caption(
        _("Measured by autograd on one random sequence of {inputs} numbers a step, the same for all three. The RNN’s W_hh has "
          "spectral radius {radius}: over many steps it alone scales a gradient by about that each step, and the slope of "
          "tanh, at most 1, shrinks it further. In the LSTM only the gates and the candidate read h; its memory is the cell c, "
          "whose gradient the forget gate multiplies.").format(inputs=INPUTS, radius=number(made["rnn"].radius, 2))
    )  # fmt: skip


def _finding(made: Mapping[Kind, Flow]) -> str:
    """How much of the gradient is left at the first step, in words."""
    ratio = {kind: flow.hidden[0] / flow.hidden[-1] for kind, flow in made.items()}
    cell = made["lstm"].cell
    text = _("{n} steps before the end the RNN’s gradient is {rnn} times that at the end, the LSTM’s {lstm} times (in its cell "
             "{cell}), the GRU’s {gru} times.").format(
                 n=len(made["rnn"].hidden) - 1, cell=power(0.0 if cell is None else cell[0] / cell[-1]),
                 **{kind: power(value) for kind, value in ratio.items()})  # fmt: skip
    gone = [NAMES[kind] for kind, value in ratio.items() if value < VANISHED]
    burst = [NAMES[kind] for kind, value in ratio.items() if value > EXPLODED]
    if gone:
        text += " " + _("It has vanished in: {names}.").format(names=", ".join(gone))
    if burst:
        text += " " + _("It explodes in: {names}.").format(names=", ".join(burst))
    return text


def _table(made: Mapping[Kind, Flow]) -> str:
    """Markdown, a column a network: the gradient of its weights before and after clipping, L before and after a step."""
    rows = {
        _("Length of the gradient of all weights"): [flow.norm for flow in made.values()],
        _("Clipping multiplies it by"): [flow.factor for flow in made.values()],
        _("Its length then"): [flow.norm * flow.factor for flow in made.values()],
        _("L now"): [flow.loss for flow in made.values()],
        _("L after a step without clipping"): [flow.loss_plain for flow in made.values()],
        _("L after a step with clipping"): [flow.loss_clipped for flow in made.values()],
    }
    head = f"| | {' | '.join(NAMES[kind] for kind in made)} |\n|---|{'--:|' * len(made)}\n"
    return head + "\n".join(f"| {name} | {' | '.join(map(power, values))} |" for name, values in rows.items())


def _clipping_finding(made: Mapping[Kind, Flow]) -> str:
    """What clipping does here, told for the network that it touches most."""
    kind, flow = min(made.items(), key=lambda pair: pair[1].factor)
    if flow.factor == 1:
        return _("No gradient is longer than the threshold: clipping changes nothing. Set the weight scale to 5.")
    values = {"name": NAMES[kind], "norm": power(flow.norm), "kept": power(flow.norm * flow.factor),
              "before": power(flow.loss), "plain": power(flow.loss_plain), "clipped": power(flow.loss_clipped)}  # fmt: skip
    text = _("As torch.nn.utils.clip_grad_norm_ does it: the {name}’s gradient, {norm} long, is scaled to {kept}; its "
             "direction stays. One step without clipping takes L from {before} to {plain}, with clipping to "
             "{clipped}. ")  # fmt: skip
    if flow.loss_plain > flow.loss:
        text += _("Without it the step goes too far: L rises.")
    elif flow.loss_clipped > flow.loss_plain:
        text += _("Nothing exploded, so here clipping only makes the step shorter. Set the weight scale to 5.")
    return text.format(**values).strip()
