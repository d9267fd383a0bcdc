"""Recurrent networks: one cell, used again at every step, reads a sentence or a series of any length."""

import streamlit as st

from explorer.components.maps import maps
from explorer.components.unrolled import unrolled
from explorer.recurrent_reach import convolve, reach_of_cell, reach_of_convolution
from explorer.recurrent_views import CELLS, read_lengths, run
from explorer.text import _
from explorer.ui import page
from explorer.ui import recurrent_controls as choose
from explorer.ui import recurrent_pictures as show
from explorer.ui.character_states import show_character_states
from explorer.ui.recurrent_gradients import show_gradients

LENGTHS = (1, 100)  # read beside the visitor's own, to show that the network does not grow

hidden, before, x = page.tex("hidden", "h_{t}"), page.tex("hidden", "h_{t-1}"), page.tex("input", "x_{t}")
w_ih, w_hh = page.tex("weight", "W_{ih}"), page.tex("weight", "W_{hh}")
b_ih, b_hh = page.tex("weight", "b_{ih}"), page.tex("weight", "b_{hh}")
page.header(
    _("Recurrent networks"),
    _("A recurrent network reads one word after another. At each step it makes a new state from the word and from its last "
      "state, always with the same weights. So the state is its memory, and a sequence may be as long as you like."),
    rf"{hidden} = \tanh({w_ih}\, {x} + {b_ih} + {w_hh}\, {before} + {b_hh})",
    more="recurrent",
)  # fmt: skip

controls, picture = page.play()
with controls:
    visible = st.container()
    more = st.expander(_("More"))
with visible:
    sequence = choose.choose_sequence(more)
    cell = choose.choose_cell()
with more:
    setup = choose.choose_setup()
labels, vectors = sequence.labels, sequence.x
choose.take_step()
runs = {name: run(name, vectors, setup) for name in CELLS}
shown = runs[cell]
with picture:
    start = (3 * len(labels)) // 5 + (setup.layers - 1) * len(labels)
    unrolled(
        list(runs.values()),
        labels,
        setup,
        large=cell,
        key="rec_unrolled",
        start=start,
        url="rec_at",
        stepper="rec_steps",
    )
    st.caption(_("All three networks read along; the large one is taken apart. **All weights are random**, nothing was "
                 "learned: you see how the numbers are made, not what they mean. Press play; then point at any number. Click "
                 "on it, step on, and see that the same weights are used at every step."))  # fmt: skip

st.subheader(_("What the state holds"), anchor=False)
controls, picture = page.play()
with controls:
    st.markdown(show.state_text(shown, labels, sequence.words))
    st.markdown(_("The RNN writes its whole state anew at each step. The LSTM’s forget gate and the GRU’s update gate decide "
                  "how much of each unit stays. Which rows change least from column to column?"))  # fmt: skip
with picture:
    maps(show.state_maps(runs, labels), key="rec_state_maps", columns=2, height=190)

st.subheader(_("One set of weights, any length"), anchor=False)
left, right = st.columns(2, gap="medium")
with left:
    st.markdown(
        _("Parameters of these networks, counted. An LSTM has four blocks of weights, a GRU three, a plain RNN one.")
    )
    st.markdown(show.parameter_text(runs, setup, vectors.shape[1]))
with right:
    st.markdown(_("The same {cell} has just read these; for 100 your input is repeated. Each step waits for the one before: "
                  "that is what makes it slow.").format(cell=choose.CELLS[cell]))  # fmt: skip
    lengths = sorted({*LENGTHS, len(labels)})
    st.markdown(show.length_text(shown.parameters, read_lengths(cell, vectors, setup, lengths)))

st.subheader(_("A convolution beside it"), anchor=False)
controls, picture = page.play()
with controls:
    st.markdown(_("A 1-D convolution slides a window along the sequence. All its outputs can be computed at once, in one step. "
                  "But each sees its window only. Make the window wider, or look at another output."))  # fmt: skip
    window = choose.choose_window()
    place = choose.choose_output(labels)
convolved = convolve(vectors, setup.hidden, window, setup.seed)
by_conv, by_cell = reach_of_convolution(vectors, convolved), reach_of_cell(cell, vectors, setup)
with controls:
    st.markdown(show.sight_text(by_conv, by_cell, cell, labels, place))
    st.markdown(show.convolution_parameters(convolved))
with picture:
    covered = show.window_of(place, window, len(labels))
    maps(
        show.sight_maps(vectors, convolved, shown, labels, place, covered), key="rec_sight_maps", columns=3, height=150
    )
    maps(show.reach_maps(by_conv, by_cell, cell, labels, place), key="rec_reach_maps", columns=2, height=300)
    st.caption(_("Measured: 1 is added to every number of one input, and all outputs are computed again. Shown is how far each "
                 "of them moves: its distance from where it was. A white cell is 0."))  # fmt: skip

show_gradients()

with st.container(key="rec_steps"):
    page.step_through(_("The code of the cell above, on the numbers above. Step with the arrow keys. Point at a number on the "
                        "right: the numbers it was made from light up."))  # fmt: skip
    show.show_code_steps(cell, vectors, labels, setup, shown)

page.at_scale(_("With trained weights, and many more of them, single units follow something that you can name."))
show_character_states()

page.code(show.snippet(cell, sequence.source, vectors.shape[1], setup), shown.output)
page.sources(
    [
        ("Elman 1990: Finding structure in time", "https://doi.org/10.1207/s15516709cog1402_1"),
        ("Hochreiter & Schmidhuber 1997: Long short-term memory", "https://doi.org/10.1162/neco.1997.9.8.1735"),
        ("Gers, Schmidhuber & Cummins 2000: Learning to forget", "https://doi.org/10.1162/089976600300015015"),
        (
            "Cho et al. 2014: Learning phrase representations using RNN encoder–decoder",
            "https://arxiv.org/abs/1406.1078",
        ),
        (
            "Bai, Kolter & Koltun 2018: convolutional and recurrent networks compared",
            "https://arxiv.org/abs/1803.01271",
        ),
        (
            "Pascanu, Mikolov & Bengio 2013: On the difficulty of training recurrent neural networks",
            "https://arxiv.org/abs/1211.5063",
        ),
        (
            "Jozefowicz, Zaremba & Sutskever 2015: recurrent architectures compared, and the forget gate’s bias",
            "https://proceedings.mlr.press/v37/jozefowicz15.html",
        ),
        (
            "Karpathy, Johnson & Fei-Fei 2015: Visualizing and understanding recurrent networks",
            "https://arxiv.org/abs/1506.02078",
        ),
        ("PyTorch: nn.RNN", "https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html"),
        ("PyTorch: nn.LSTM", "https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html"),
        ("PyTorch: nn.GRU", "https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html"),
    ]
)
