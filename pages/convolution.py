"""Convolution: a kernel slides over a few cells, and every setting of a convolution layer can be tried."""

from dataclasses import replace

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.convolution_facts import field_detail, field_formula, field_table, sentences, size_facts, snippet
from explorer.convolution_views import (
    as_npz,
    batch,
    call_source,
    convolve,
    padded,
    photo_channels,
    place,
    rgb_maps,
    rgb_steps,
    stepped,
    steps,
    tinted,
)
from explorer.images import fit
from explorer.tables import format_table
from explorer.text import _
from explorer.ui import convolution_controls as choose
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.convolution_input import choose_kernel, choose_source, fitting, typed_input
from explorer.ui.crop_input import choose_crop
from explorer.ui.photo_input import photo_input
from explorer.ui.steps import show_steps

SHOWN = 440  # longer side of the photo at scale, pixels
ROLES = {
    **dict.fromkeys("x padded bands spans windows seen cell cells x_red x_green x_blue".split(), "input"),
    **dict.fromkeys("weight flipped kernel kernels kernel_red kernel_green kernel_blue".split(), "weight"),
    **dict.fromkeys("products stamp canvas".split(), "hidden"),
    **dict.fromkeys("out feature_map maps red green blue total".split(), "output"),
}

page.header(
    _("Convolution"),
    _("A kernel lies on a few cells, multiplies, adds, and moves on. One small table of weights for all places: that is "
      "a convolution layer. How far it moves (stride, $s$), how far apart its weights lie (dilation, $d$), what it finds "
      "beyond the border and how many kernels there are decide the size of the answer and what it costs."),
    rf"\begin{{aligned}} {page.tex('output', 'out')}[o, y, x] &= \sum_{{c, i, j}} "
    rf"{page.tex('weight', 'weight')}[o, c, i, j] \\[-4pt] "
    rf"& \quad \cdot {page.tex('input', 'padded')}[c,\; s y + d i,\; s x + d j] \end{{aligned}}",
    more="convolution",
)  # fmt: skip

controls, picture = page.play()
with controls:
    visible = st.container()
    photo_box = st.expander(_("Photo"))
    shape_box = st.expander(_("Padding, size, dilation"))
    kind_box = st.expander(_("Channels and kind"))
    place_box = st.expander(_("Where the kernel lies"))
with photo_box:
    photo = photo_input("cat_chelsea.jpg")
with visible:
    source = choose_source()
    crop = choose_crop(
        photo, key="conv", sides=range(16, 49, 4), preview=200, start=(39, 30), box=photo_box, shown=source == "photo"
    )
    typed = None if source == "photo" else typed_input(source)
with kind_box:
    operation = choose.choose_operation()
    transposed = operation == "transposed"
    if typed is None:
        inputs = bounded(_("Channels in"), range(1, 5), 1, key="conv_inputs",
                         help=_("1: grey; 2: red, green; 3: red, green, blue; 4: these and grey."))  # fmt: skip
        numbers = photo_channels(crop.pixels, inputs)
    else:
        inputs, numbers = len(typed), typed
    groups = choose.choose_groups(inputs)
    outputs = choose.choose_outputs(groups)
size = numbers.shape[1], numbers.shape[2]
with shape_box:
    padding, mode = (0, "zeros") if transposed else choose.choose_padding(size)
with visible:
    kernel = choose_kernel(size, choose.most_kernel(size, padding, mode, operation), shape_box)
    stride = bounded(_("Stride"), range(1, choose.MOST_STRIDE + 1), 1, key="conv_stride",
                     help=_("How many cells the kernel moves at a time."))  # fmt: skip
with shape_box:
    dilation = choose.choose_dilation(size, kernel.size, padding, mode, operation)
    setup = choose.choose_setup(size, kernel.size, stride, dilation, groups, operation, padding, mode)

x = batch(numbers)
weight = kernel.weight(inputs, outputs, groups, transposed)
seen = padded(x, kernel.size, setup)
result = convolve(x, weight, setup)
with place_box:
    channel, row, column = choose.choose_place(result, inputs, size, kernel.size, setup)
here = place(seen, weight, setup, channel, row, column)


def colours(values: np.ndarray, number: int) -> np.ndarray | None:
    """The photo's channels look like the photo; typed numbers take the scale."""
    return None if typed is not None else tinted(values, number if inputs > 1 and number < 3 else None)


def named(title: str, number: int, count: int) -> str:
    """The title, with the channel's name or number where there are several."""
    names = (_("red"), _("green"), _("blue"), _("grey"))
    return title if count == 1 else f"{title}, {names[number] if typed is None else number}"


def input_maps() -> list[Map]:
    """The padded input, and the window that the kernel covers."""
    (top, bottom), (left, right) = setup.sides(kernel.size)
    dropped = setup.dropped(size, kernel.size)
    return [
        Map(layer, named(_("Input"), n, inputs), role="input", rgb=colours(layer, n), share="input", dropped=dropped,
            padding=(top, bottom, left, right), frame=here.seen if n in here.channels else None)
        for n, layer in enumerate(seen)
    ]  # fmt: skip


def output_maps() -> list[Map]:
    """The answer, and the cell that is taken apart."""
    return [
        Map(layer, _("Output") if outputs == 1 else f"{_('Output')} {n}", share="output",
            frame=here.made if n == channel else None)
        for n, layer in enumerate(result)
    ]  # fmt: skip


def product_maps() -> list[Map]:
    """Kernel, what it covers and their products, for each input channel that this output sees."""
    covered, product = (_("× cell"), _("= stamp")) if transposed else (_("× cells"), _("= products"))
    made = []
    for n, c in enumerate(here.channels):
        made += [
            Map(here.kernel[n], named(_("Kernel"), c, inputs), role="weight", share="kernel"),
            Map(here.window[n], covered, role="input", rgb=colours(here.window[n], c), share="window"),
            Map(here.products[n], product, role="hidden", share="product"),
        ]
    return made


def colour_maps() -> list[Map]:
    """Red, green and blue, what each gives, and the sum."""
    names = (_("Red"), _("Green"), _("Blue"))
    sums = (_("From red"), _("+ from green"), _("+ from blue"), _("= sum"))
    channels = [
        Map(v, name, role="input", rgb=tinted(v, n)) for n, (v, name) in enumerate(zip(rgb.numpy(), names, strict=True))
    ]
    answers = [Map(v, name, share="sum") for v, name in zip(rgb_maps(rgb, rgb_kernel), sums, strict=True)]
    return [*channels, Map(crop.pixels, _("Together"), role="input"), *answers]


with picture:
    if setup.series:
        maps([*input_maps(), *output_maps()], key="conv_maps", columns=1, height=56, pick=True)
    elif inputs + outputs == 2:
        maps([*input_maps(), *output_maps()], key="conv_maps", columns=2, height=330, pick=True)
    elif inputs + outputs <= 4:
        maps([*input_maps(), *output_maps()], key="conv_maps", columns=4, height=170, pick=True, size="small")
    else:
        maps(input_maps(), key="conv_maps", columns=4, height=150, pick=True, size="small")
        maps(output_maps(), key="conv_answers", columns=3, height=150, pick=True, size="small")
    height = 44 if setup.series else 130 if len(here.channels) == 1 else 96
    maps(product_maps(), key="conv_products", columns=3, height=height, size="small")
    st.latex(size_facts(setup, inputs, outputs, size, kernel.size))
    st.caption(_("MACs: multiply–adds for one input. There is no bias here."))
    for sentence in sentences(setup, here, size, kernel.size, result[channel], row, column):
        st.markdown(sentence)
    if kernel.values is None:
        st.markdown(_("These weights are random, as torch starts them (seed {seed}); training would shape them.")
                    .format(seed=kernel.seed))  # fmt: skip
    elif outputs > 1:
        st.markdown(_("A trained layer has learned a kernel for each output. Here each output turns or mirrors yours."))

page.step_through()
codes = {"line": _("PyTorch's line"), "hand": _("By hand"), "rgb": _("Colour, channel by channel")}
code = st.segmented_control(_("What to step through"), list(codes), default="line", required=True, key="conv_code",
                            format_func=codes.__getitem__, bind="query-params")  # fmt: skip
rgb = batch(photo_channels(crop.pixels, 3))[0]
rgb_kernel = fitting(kernel, crop.pixels.shape[:2]).weight(3, 1, 1, transposed=False)[0]
if code == "rgb":
    trace, start = rgb_steps(rgb, rgb_kernel)
else:
    part = stepped(x, weight, setup, code == "hand", (row, column))
    trace, start = steps(part, weight, setup, code == "hand")
    if part.shape != x.shape:
        st.caption(_("You step through {rows} × {columns} cells of the input: all of them would be too long to follow.")
                   .format(rows=part.shape[2], columns=part.shape[3]))  # fmt: skip
show_steps(trace, key="conv_stepper", roles=ROLES, start=start)

page.at_scale(
    _("The same layer over the whole photo, made small first. Which stride makes it look like a grid, and why?")
    if transposed
    else _("The same layer over the whole photo. Set the stride to 4: what can you still recognise?")
)
whole = fit(photo.pixels, SHOWN // (stride if transposed else 1))
everywhere = replace(setup, series=False)
if everywhere.fits(whole.shape[:2], kernel.size):
    channels = photo_channels(whole, inputs)
    layer = convolve(batch(channels), weight, everywhere)[channel]
    photo_map = Map(tinted(channels[0], None) if inputs == 1 else whole, f"{_('Photo')}, {whole.shape[1]} × {whole.shape[0]}",
                    role="input")  # fmt: skip
    answer = Map(layer, f"{kernel.name}, {layer.shape[1]} × {layer.shape[0]}")
    maps([photo_map, answer], key="conv_whole", columns=2, height=330)
else:
    st.caption(_("The photo is too narrow for this kernel and padding."))
st.download_button(
    _("Save input, weights and output"),
    lambda: as_npz(x=x.numpy(), weight=weight.numpy(), out=result),
    file_name="convolution.npz",
    mime="application/octet-stream",
    icon=":material/download:",
)

st.subheader(_("Colour: three kernels, one map"), anchor=False)
st.markdown(
    _("Red, green and blue each meet their own slice of the kernel. The three answers are added: one map comes out.")
)
maps(colour_maps(), key="conv_rgb", columns=4, height=170, size="small")

st.subheader(_("Receptive field: layer on layer"), anchor=False)
if transposed:
    st.markdown(_("A transposed convolution looks the other way: one input cell reaches {rows} × {columns} output cells.")
                .format(rows=here.made[3], columns=here.made[2]))  # fmt: skip
else:
    st.markdown(_("Stack the same layer. How many pixels does one cell of the last layer see? Set the stride to 2: the "
                  "jump doubles with each layer, and the field grows much faster."))  # fmt: skip
    with st.columns([4, 11])[0]:
        layers = bounded(_("Layers"), range(1, 6), 4, key="conv_layers")
    detail, seen_by = field_detail(crop.small, crop.corner, crop.pixels.shape[:2], everywhere, kernel.size, layers)
    pictures = [Map(detail, f"{_('Layer')} {n}", role="input", frame=f.frame) for n, f in enumerate(seen_by, 1)]
    maps(pictures, key="conv_fields", columns=5, height=150, size="small")
    st.markdown(field_table(seen_by))
    st.latex(field_formula(setup, kernel.size, layers))

if typed is None:
    lines = [crop.source, f"x = torch.from_numpy(photo_channels(pixels, {inputs}))[None]"]
else:
    lines = [f'x = torch.from_numpy(parse_table("""{format_table(typed)}"""))[None]']
page.code(snippet(*lines, kernel.snippet(inputs, outputs, groups, transposed), call_source(setup)), result)
page.sources(
    [
        ("Dumoulin & Visin 2016: A guide to convolution arithmetic for deep learning", "https://arxiv.org/abs/1603.07285"),
        ("PyTorch: nn.Conv2d, with all its settings", "https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html"),
        (
            "PyTorch: nn.ConvTranspose2d",
            "https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html",
        ),
        ("Araujo, Norris & Sim 2019: Computing receptive fields of convolutional neural networks", "https://distill.pub/2019/computing-receptive-fields/"),
    ]
)  # fmt: skip
