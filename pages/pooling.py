"""Pooling and layers: windows of a map become numbers, and maps become classes."""

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.convnet_views import flatten_head, layers, pooled_head, run_convnet, standardise
from explorer.images import fit, to_grey, to_png
from explorer.plots.curves import noise_change
from explorer.pooling_views import (
    CHANGED,
    NOISE_SEEDS,
    add_noise,
    call_source,
    change,
    changes,
    most_times,
    noise_curves,
    padded,
    pool,
    pool_colours,
    shifted,
    stepped,
    steps,
)
from explorer.text import _
from explorer.ui import page
from explorer.ui import pooling_controls as choose
from explorer.ui import pooling_pictures as show
from explorer.ui.bounded import bounded
from explorer.ui.crop_input import choose_crop
from explorer.ui.photo_input import photo_input
from explorer.ui.steps import show_steps

SHOWN = 440  # longer side of the photo at scale, pixels
MOST_TIMES = 6
NOISE_STRENGTHS = np.arange(0, 51, 2)  # percent
ROLES = {
    **dict.fromkeys("x padded bands windows cells numbers padded_numbers".split(), "input"),
    **dict.fromkeys("inside counted counts n winner places positions".split(), "mask"),
    **dict.fromkeys("maps1 active1 pooled1 maps2 active2 pooled2 features".split(), "hidden"),
    **dict.fromkeys("values total pooled".split(), "output"),
}

window = rf"{page.tex('input', 'padded')}[s \cdot y + i,\; s \cdot x + j]"
page.header(
    _("Pooling and layers"),
    _("A window moves over a map, and each window becomes one number: its largest, or its mean. The map gets smaller and "
      "forgets where exactly a thing was. At the end of a network a fully connected layer turns what is left into classes. "
      "In the formulas, s is the stride and n the number of cells in the window."),
    rf"\begin{{aligned}} {page.tex('output', 'out')}[y, x] &= \max_{{i, j}}\; {window} \\ "
    rf"{page.tex('output', 'out')}[y, x] &= \frac{{1}}{{n}} \sum_{{i, j}} {window} \end{{aligned}}",
    more="pooling",
)  # fmt: skip

controls, picture = page.play()
with controls:
    visible = st.container()
    photo_box = st.expander(_("Photo"))
    more = st.expander(_("More"))
with photo_box:
    photo = photo_input("flower.jpg")
    crop = choose_crop(photo, key="pool", sides=range(24, 37, 4), preview=64, start=(47, 55))
image = to_grey(crop.pixels)
size = (image.shape[0], image.shape[1])
with visible:
    setup = choose.choose_setup(size, more)
result = pool(image, setup)
with more:
    row, column = choose.choose_place(setup.output(size), setup)

with picture:
    shown = show.pooled_maps(image, padded(image, setup), result, setup, (row, column))
    maps(shown, key="pool_maps", columns=2, height=400, pick=True)
    st.markdown(show.pooled_text(result, setup, size, (row, column)))
    st.caption(show.what_is_dropped(setup, size))

st.subheader(_("What noise does"), anchor=False)
controls, picture = page.play()
with controls:
    st.markdown(_("Max pooling keeps the most prominent value, and a white speck is just that. Average pooling keeps "
                  "everything, and a part of every speck. Choose pepper: which of the two does not mind?"))  # fmt: skip
    noise, strength = choose.choose_noise()
    if setup.kind == "global":
        st.caption(_("Max and average pooling keep their window and stride here."))
with picture:
    noisy = add_noise(image, noise, strength)
    shown = show.noise_maps(image, noisy, setup, changes(image, noisy, setup))
    maps(shown, key="pool_noise_maps", columns=3, height=260)
    curves = noise_curves(image, setup, noise, NOISE_STRENGTHS / 100)
    finding = show.noise_finding(curves)
    named = {show.NAMES[kind]: curve for kind, curve in curves.items()}
    figure = noise_change(NOISE_STRENGTHS, named, 100 * strength, page.theme())
    page.chart(figure, key="pool_noise_curve", alt=finding)
    st.caption(f"{finding} " + _("Each point is the mean over {n} pictures of noise.").format(n=NOISE_SEEDS))

st.subheader(_("A small shift"), anchor=False)
controls, picture = page.play()
with controls:
    st.markdown(_("Move the map to the right; what leaves there comes back on the left. How many cells notice? Make the "
                  "window and the stride larger, and compare."))  # fmt: skip
    shift = bounded(_("Shift, cells"), range(choose.MOST_SHIFT + 1), 1, key="pool_shift")
with picture:
    moved = shifted(image, shift)
    by_shift = changes(image, moved, setup)
    maps(show.shift_maps(change(image, moved), by_shift), key="pool_shift_maps", columns=3, height=220)
    text = _("Shown is how far each cell changed; above {limit} it counts as changed, where black to white is 1. "
             "The mean of the whole map changes by {mean}: it does not know where anything stands.")  # fmt: skip
    st.caption(text.format(limit=CHANGED, mean=show.number(by_shift["global"].mean)))

step_box = st.container()

page.at_scale(_("Networks pool again and again. Do so with the whole photo, each colour on its own: what does max pooling "
                "do to the highlights, and average pooling to fine lines?"))  # fmt: skip
whole = fit(photo.pixels, max(SHOWN, *crop.small.shape[:2]))
most = most_times((whole.shape[0], whole.shape[1]), setup, MOST_TIMES)
with page.play()[0]:
    times = bounded(_("Pooled so many times"), range(1, most + 1), 3, key="pool_times")
pooled = {kind: pool_colours(whole, setup.of(kind), times) for kind in show.WINDOWED}
maps(show.photo_maps(whole, pooled), key="pool_photo_maps", columns=3, height=330)
if setup.kind == "global":
    red, green, blue = pool_colours(whole, setup)[0, 0]
    st.markdown(_("The global average of the whole photo is one colour: red {red}, green {green}, blue {blue} of 255.")
                .format(red=red, green=green, blue=blue))  # fmt: skip
else:
    st.download_button(
        _("Save the pooled photo at full size"),
        lambda: to_png(pool_colours(photo.pixels, setup, times)),
        file_name=f"{setup.kind}_pooled.png",
        mime="image/png",
        icon=":material/download:",
    )

st.subheader(_("From maps to classes"), anchor=False)
rows, columns = size if setup.kind == "global" else result.shape
st.markdown(_("Say a network gives so many maps of {rows} × {columns} cells, the size above. Flatten them, and the fully "
              "connected layer has a weight for each cell and class. Average each map first, and one for each map and class "
              "is enough. What does a larger stride above save?").format(rows=rows, columns=columns))  # fmt: skip
left, right = st.columns(2, gap="medium")
with left:
    channels = bounded(_("Maps"), (1, 8, 64, 256, 512, 2048), 64, key="pool_channels")
with right:
    classes = bounded(_("Classes"), (2, 10, 100, 1000), 10, key="pool_classes")
flat, averaged = flatten_head(channels, (rows, columns), classes), pooled_head(channels, classes)
left, right = st.columns(2, gap="medium")
left.markdown(show.head_text(_("Flatten → linear"), flat))
right.markdown(show.head_text(_("Global average → linear"), averaged))

st.subheader(_("A ConvNet, end to end"), anchor=False)
st.markdown(_("Convolution, ReLU, pooling, twice; then flatten and one linear layer, on your part of the photo. **Its weights "
              "are random**, so its ten answers mean nothing yet; shapes and costs are those of a trained network. A MAC "
              "is one multiplication with its addition."))  # fmt: skip
with page.play()[0]:
    seed = bounded(_("Seed of the random weights"), range(10), 0, key="pool_seed")
x = standardise(image)
run = run_convnet(x, seed)
network = layers(run)
left, right = st.columns(2, gap="medium")
left.markdown(show.layer_table(network))
right.markdown(show.layer_formulas(network))
first, second, (features, logits) = network[:3], network[3:6], network[6:]
left, right = st.columns([1, 4], gap="small")
with left:
    maps([Map(x, "x", _("Standardised."), role="input")], key="pool_net_input", columns=1, height=130, size="small")
with right:
    maps(show.layer_maps(first), key="pool_net_first", columns=4, height=130, size="small")
maps(show.layer_maps(second), key="pool_net_second", columns=8, height=130, size="small")
maps(show.end_maps(len(second[-1].output), features, logits), key="pool_net_end", columns=1, height=150)

with step_box:
    page.step_through()
    codes = {"line": _("One line"), "hand": _("By hand"), "convnet": _("ConvNet")}
    code = st.segmented_control(_("Code"), list(codes), default="line", required=True, format_func=codes.__getitem__,
                                key="pool_code", bind="query-params")  # fmt: skip
    part = stepped(image, setup, (row * setup.stride, column * setup.stride)) if code == "hand" else image
    if part.shape != size:
        st.caption(_("Here a part of the map: all windows together hold too many numbers to follow."))
    walk, start = (run, 0) if code == "convnet" else steps(part, setup, code == "hand")
    show_steps(walk, key=f"pool_stepper_{code}", roles=ROLES, start=start)

name, call = call_source(setup)
page.code(
    f"""
import torch
from explorer.images import fit, to_grey, window
from explorer.models.pooling import {name}
{crop.source}
x = torch.from_numpy(to_grey(pixels))[None, None]
{call}
""",
    result,
)
page.sources(
    [
        (
            "LeCun, Bottou, Bengio & Haffner 1998: Gradient-based learning applied to document recognition",
            "https://doi.org/10.1109/5.726791",
        ),
        ("Lin, Chen & Yan 2013: Network in Network, with global average pooling", "https://arxiv.org/abs/1312.4400"),
        ("Zhang 2019: Making convolutional networks shift-invariant again", "https://arxiv.org/abs/1904.11486"),
        ("PyTorch: nn.MaxPool2d", "https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html"),
        ("PyTorch: nn.AvgPool2d", "https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html"),
    ]
)
