"""Segmentation: the class of every pixel, objects told apart, and what U-Net's skip connections are for."""

import streamlit as st

from explorer.components.maps import maps
from explorer.errors import UserError
from explorer.text import _
from explorer.ui import page
from explorer.ui import segmentation_controls as choose
from explorer.ui import segmentation_instances as instances
from explorer.ui import segmentation_pictures as show
from explorer.ui import segmentation_results as results
from explorer.ui import segmentation_sections as sections
from explorer.ui import segmentation_unet as unet
from explorer.ui.photo_input import photo_input, photo_source
from explorer.ui.segmenters import bundled, choose_segmenter, kept_segmenter, look_at, look_or_stay, telling

page.header(
    _("Segmentation"),
    _("A segmentation network gives every pixel of a photo a class: road, sky, car. It answers as a classifier does, once for "
      "each pixel. Give it a photo, see which classes it finds, and cut the connections that make its borders sharp."),
    rf"\begin{{aligned}} {page.tex('output', 'p')}_c[y, x] &= e^{{z_c[y, x]}} \div \textstyle\sum_k e^{{z_k[y, x]}} \\ "
    rf"{page.tex('output', 'mask')}[y, x] &= \text{{argmax}}_c\; {page.tex('output', 'p')}_c[y, x] \end{{aligned}}",
    more="segmentation",
)  # fmt: skip

controls, picture = page.play()
try:
    with controls:
        photo = photo_input("coco_street_bus_cars.jpg")
        segmenter = choose_segmenter("seg_model")
        opacity = st.slider(_("Opacity"), 0.0, 1.0, 0.55, 0.05, key="seg_opacity", bind="query-params")
        seen = look_or_stay(segmenter, photo)
        more = st.expander(_("More"))
except UserError as error:
    st.error(str(error), icon=":material/broken_image:")
    seen = None
if seen is None:
    st.stop()

choose.follow_clicks(seen)
with picture:
    pictures, legend = st.container(), st.container()
with legend:
    hidden = choose.choose_classes(seen)
pixel = choose.pixel_of(seen)
with more:
    label = choose.choose_class(seen.segmentation.classes, int(seen.segmentation.mask[pixel.y, pixel.x]))
with pictures:
    shown = show.play_maps(seen, opacity, hidden, label, pixel, page.theme())
    maps(shown, key=choose.PICTURES, columns=2, height=300, pick=True)

sections.one_pixel(seen, pixel)

opened, other = None, None
with telling():
    opened = seen if seen.maps else look_at(kept_segmenter(bundled()), seen.photo)
    other, cut = unet.opened(opened)
    if opened is not seen:
        st.caption(_("{name} is no U-Net, so this is {bundled}.").format(
            name=seen.segmenter.model.name, bundled=opened.segmenter.model.name))  # fmt: skip
    sections.two_ways(seen, opened)
with telling():
    sections.compare_masks(seen)
found = instances.beside_instances(seen, opacity)
if opened is not None and other is not None:
    height, width = seen.segmentation.mask.shape
    unet.step_through(opened, other, cut, (pixel.y / height, pixel.x / width))
results.files(seen, found)
results.about(seen)

page.code(
    f"""
from explorer.segmentations import mask_png
from pretrained.segmentation import load_segmenter, segment
{photo_source(seen.photo)}
segmenter = load_segmenter("{seen.segmenter.model.key}")
made = segment(segmenter, photo.pixels)
for name, share in zip(made.classes, made.areas):
    print(f"{{share:6.1%}} {{name}}")
png = mask_png(made)
result = made.mask
""",
    seen.segmentation.mask,
)
page.sources(
    [
        ("Long, Shelhamer & Darrell 2015: Fully convolutional networks for semantic segmentation",
         "https://arxiv.org/abs/1411.4038"),
        ("Ronneberger, Fischer & Brox 2015: U-Net", "https://arxiv.org/abs/1505.04597"),
        ("He, Gkioxari, Dollár & Girshick 2017: Mask R-CNN", "https://arxiv.org/abs/1703.06870"),
        ("Chen, Papandreou, Schroff & Adam 2017: Rethinking atrous convolution for semantic image segmentation (DeepLabV3)",
         "https://arxiv.org/abs/1706.05587"),
        ("torchvision: semantic segmentation", "https://docs.pytorch.org/vision/stable/models.html#semantic-segmentation"),
        ("PyTorch: nn.ConvTranspose2d", "https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html"),
    ]
)  # fmt: skip
