"""Filters: a kernel slides over the visitor's photo."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

from explorer.components.maps import Map, maps
from explorer.filtering import fast_filter, fast_gradient
from explorer.images import fit, to_grey, to_png
from explorer.kernels import KERNELS, Kernel, gradient_angle_error, rank, separable
from explorer.models.filters import filter_image, gradient
from explorer.palette import Theme, hue_wheel
from explorer.plots.curves import angle_error
from explorer.text import _
from explorer.trace import trace
from explorer.ui import page
from explorer.ui.own_kernel import type_kernel
from explorer.ui.photo_input import photo_input, photo_source
from explorer.ui.steps import show_steps

SHOWN = 440  # longer side of the live picture, pixels
WINDOW = 9  # side of the window that is stepped through, pixels
OWN = "own"
ROLES = {
    "image": "input",
    "channels": "input",
    "padded": "input",
    "kernel": "weight",
    "kernel_x": "weight",
    "kernel_y": "weight",
    "weight": "weight",
    "filtered": "output",
    "magnitude": "output",
    "direction": "output",
    "gx": "output",
    "gy": "output",
}
BORDERS = {
    "reflect_101": _("mirror (edge pixel once)"),
    "reflect": _("mirror (edge pixel twice)"),
    "replicate": _("repeat the edge pixel"),
    "constant": _("zeros"),
    "wrap": _("wrap around"),
}


def choose_kernel() -> Kernel:
    """The kernel control; a typed kernel that cannot be used is explained, and the last good one stays."""
    names = {key: family().name for key, family in KERNELS.items()} | {OWN: _("Your own")}
    key = st.selectbox(_("Kernel"), list(names), index=list(KERNELS).index("scharr"), format_func=names.__getitem__,
                       key="kernel", bind="query-params")  # fmt: skip
    if key != OWN:
        sizes = KERNELS[key].sizes
        size = sizes[0]
        if len(sizes) > 1:
            size = st.select_slider(_("Kernel size"), sizes, key=f"size_{key}", bind="query-params")
        return KERNELS[key](size)
    return type_kernel()


@st.cache_data(show_spinner=False)
def angle_errors(theme: Theme) -> tuple[dict[str, float], go.Figure]:
    """The largest error of each filter's direction, degrees, and the curves."""
    pairs = (KERNELS["sobel"](), KERNELS["scharr"]())
    errors = {kernel.name: gradient_angle_error(kernel.x, kernel.y)[1] for kernel in pairs}
    worst = {name: float(np.abs(error).max()) for name, error in errors.items()}
    return worst, angle_error(np.arange(0.0, 91.0), errors, theme)


page.header(
    _("Filters"),
    _("A small table of numbers, the kernel, slides over the picture. At each place it multiplies and adds: that sum is one "
      "pixel of the answer. Which numbers it holds decides whether you see edges, a blur, or a sharper picture."),
    rf"{page.tex('output', 'filtered')}[y, x] = \sum_{{i, j}} {page.tex('weight', 'kernel')}[i, j] \cdot "
    rf"{page.tex('input', 'image')}[y + i - r,\; x + j - r]",
    more="filters",
)  # fmt: skip

controls, picture = page.play()
with controls:
    photo = photo_input("china_temple.jpg")
    kernel = choose_kernel()
    answer = "x"
    if kernel.y is not None:
        answers = {"x": "x", "y": "y", "magnitude": _("Size"), "direction": _("Direction")}
        answer = st.segmented_control(_("Derivative"), list(answers), default="magnitude", required=True,
                                      format_func=answers.__getitem__, key="answer", bind="query-params")  # fmt: skip
    with st.expander(_("More")):
        border = st.selectbox(_("Beyond the border"), list(BORDERS), format_func=BORDERS.__getitem__, key="border",
                              bind="query-params")  # fmt: skip
        channels = {"grey": _("Grey"), "rgb": _("Each colour")}
        colour = st.segmented_control(_("Channels"), list(channels), default="grey", required=True,
                                      format_func=channels.__getitem__, key="channels", bind="query-params")  # fmt: skip
        looks = {"signed": _("Signed"), "absolute": _("Absolute"), "clamped": _("Clamped 0–1")}
        look = st.segmented_control(_("Values"), list(looks), default="signed", required=True,
                                    format_func=looks.__getitem__, key="values", bind="query-params")  # fmt: skip

pixels = fit(photo.pixels, SHOWN)
image = to_grey(pixels) if colour == "grey" else pixels.astype(np.float32) / 255
if kernel.y is None:
    results = {"x": fast_filter(image, kernel.x, border)}
else:
    results = dict(
        zip(("x", "y", "magnitude", "direction"), fast_gradient(image, kernel.x, kernel.y, border), strict=True)
    )
result = results[answer]


def shown(values: np.ndarray) -> np.ndarray:
    """The values under the chosen reading of signs."""
    return {"signed": values, "absolute": np.abs(values), "clamped": values.clip(0, 1)}[look]


def result_maps() -> list[Map]:
    """The answer: one map, or one for each colour channel."""
    caption = kernel.note if answer in {"x", "y"} else ""
    if answer == "direction":
        caption = _("The hue says which way the picture gets brighter; where nothing changes it fades to the page.")
        strength = results["magnitude"]
    elif answer == "magnitude":
        caption = _("How fast the picture gets brighter or darker, whatever the direction.")
    layers = [result] if result.ndim == 2 else list(np.moveaxis(result, 2, 0))
    names = [""] if len(layers) == 1 else [_("red"), _("green"), _("blue")]
    made = []
    for k, (layer, name) in enumerate(zip(layers, names, strict=True)):
        title = f"{kernel.name} {answer if kernel.y is not None else ''} {name}".strip()
        if answer == "direction":
            size = strength if strength.ndim == 2 else strength[..., k]
            rgb = hue_wheel(layer, size / max(float(size.max()), 1e-9), page.theme())
            made.append(Map(np.degrees(layer), title, caption, rgb=rgb, unit="°"))
        else:
            made.append(Map(shown(layer), title, caption, share="answer"))
        caption = ""
    return made


with picture:
    side = min(WINDOW, *pixels.shape[:2])
    default = (pixels.shape[1] * 5 // 12, pixels.shape[0] * 5 // 12)
    column, row = st.session_state.get("filter_window", default)
    column, row = min(column, pixels.shape[1] - side), min(row, pixels.shape[0] - side)
    seen = pixels if colour == "rgb" else np.repeat((image * 255).round().astype(np.uint8)[..., None], 3, axis=2)
    caption = _("Click to choose the window that you step through below.")
    first = Map(seen, _("Your picture"), caption, role="input", frame=(column, row, side, side))
    picked = maps([first, *result_maps()], key="filter_maps", columns=2, height=330, pick=True)
    if picked is not None and picked.map == 0:
        chosen = (
            int(np.clip(picked.column - side // 2, 0, pixels.shape[1] - side)),
            int(np.clip(picked.row - side // 2, 0, pixels.shape[0] - side)),
        )
        if chosen != st.session_state.get("filter_window"):
            st.session_state["filter_window"] = chosen
            st.rerun()
    parts = [Map(kernel.x, _("Kernel") if kernel.y is None else _("Kernel for x"), role="weight")]
    if kernel.y is not None:
        parts.append(Map(kernel.y, _("Kernel for y"), role="weight"))
    factors = separable(kernel.x)
    if factors is not None and kernel.size > 1:
        parts += [
            Map(factors[0][:, None], _("= column"), role="weight"),
            Map(factors[1][None, :], _("× row"), role="weight"),
        ]
    maps(parts, key="kernel_maps", columns=4, height=150, size="small")
    k = kernel.size
    if factors is not None:
        st.caption(_("This kernel has rank 1: a column times a row. Filtering twice costs {two} multiplications a pixel "
                     "instead of {all}.").format(two=2 * k, all=k * k))  # fmt: skip
    else:
        st.caption(_("This kernel has rank {rank}: no single column times row gives it.").format(rank=rank(kernel.x)))

page.step_through()
patch = torch.from_numpy(np.ascontiguousarray(image[row : row + side, column : column + side]))
patch = patch[None] if patch.ndim == 2 else patch.permute(2, 0, 1).contiguous()
weights = [torch.from_numpy(kernel.x.copy())] + ([] if kernel.y is None else [torch.from_numpy(kernel.y.copy())])
steps = trace(filter_image if kernel.y is None else gradient, patch, *weights, border)
show_steps(steps, key="filter_stepper", roles=ROLES, start=steps.first("conv2d"))

worst, figure = angle_errors(page.theme())
page.at_scale(
    _(
        "Why does Scharr exist? Turn a pattern of known direction, and ask each filter which way it points: measured here, "
        "Sobel is off by up to {Sobel:.2f}°, Scharr by up to {Scharr:.2f}°."
    ).format(**worst)
)
page.chart(
    figure,
    key="angle_error",
    alt=_("Sobel's direction error swings with the direction of the edge, Scharr's stays close to zero."),
)
full = to_grey(photo.pixels)
st.download_button(
    _("Save the filtered photo at full size"),
    lambda: to_png(
        np.abs(fast_filter(full, kernel.x, border) * 255 / max(kernel.scale, 1e-9)).clip(0, 255).astype(np.uint8)
    ),
    file_name=f"{kernel.key}.png",
    mime="image/png",
    icon=":material/download:",
)

page.code(
    f"""
import numpy as np
import torch
from explorer.images import fit, to_grey
from explorer.models.filters import {"filter_image" if kernel.y is None else "gradient"}
{photo_source(photo)}
pixels = fit(photo.pixels, {SHOWN})
image = {"torch.from_numpy(to_grey(pixels))[None]" if colour == "grey" else "torch.from_numpy(pixels).permute(2, 0, 1) / 255"}
kernel_x = torch.tensor({kernel.x.tolist()})
"""
    + (
        f'filtered = filter_image(image, kernel_x, "{border}")'
        if kernel.y is None
        else f"kernel_y = torch.tensor({kernel.y.tolist()})\n"
        f'x, y, magnitude, direction = gradient(image, kernel_x, kernel_y, "{border}")'
    )
    + f"\nresult = {'filtered' if kernel.y is None else answer}.numpy()",
    result[None] if result.ndim == 2 else np.moveaxis(result, 2, 0),
)
page.sources(
    [
        (
            "Sobel & Feldman 1968, as told by Sobel 2014: An isotropic 3×3 image gradient operator",
            "https://www.researchgate.net/publication/239398674",
        ),
        (
            "Scharr 2000: Optimale Operatoren in der Digitalen Bildverarbeitung",
            "https://doi.org/10.11588/heidok.00000962",
        ),
        (
            "OpenCV: cv2.filter2D, cv2.Sobel, cv2.Scharr",
            "https://docs.opencv.org/4.x/d4/d86/group__imgproc__filter.html",
        ),
    ]
)
