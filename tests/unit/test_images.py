from __future__ import annotations

import io
import random
import re
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngImageFile

from explorer.errors import UserError
from explorer.images import MAX_FRAMES, ImageError, Photo, fit, read_photo, to_grey, to_png, window

# Pillow warns of damaged files; explorer.images turns that off for the app, but pytest turns it on again.
pytestmark = pytest.mark.filterwarnings(
    "ignore:::PIL.TiffImagePlugin", "ignore:::PIL.PngImagePlugin", "ignore:::PIL.Image"
)

H, W = 24, 40
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (H, W, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (H, W), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (H, W), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (H, W), dtype=np.uint16)
TRANSPARENT = "Transparent parts are laid over white."
SIXTEEN = "16-bit values are reduced to 8 bits."


def file(picture: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG file with these raw rows, each of which begins with its filter byte."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(values: np.ndarray, order: str, kind: int, *, compressed: bool, white_is_zero: bool = False) -> bytes:
    """A one-strip grey TIFF of values in the byte order "<" or ">". kind: 1 unsigned, 2 signed, 3 floating point."""
    strip = values.astype(values.dtype.newbyteorder(order)).tobytes()
    strip = zlib.compress(strip) if compressed else strip
    strip += b"\0" * (len(strip) % 2)
    tags = {256: values.shape[1], 257: values.shape[0], 258: 8 * values.itemsize, 259: 8 if compressed else 1}
    tags |= {262: 0 if white_is_zero else 1, 273: 8, 277: 1, 278: values.shape[0], 279: len(strip), 339: kind}
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags.items())
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(strip))
    return header + strip + struct.pack(f"{order}H", len(tags)) + entries + b"\0\0\0\0"


def over_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha[..., None] / 255
    return np.rint(colour * share + 255 * (1 - share)).astype(np.uint8)


def rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[..., None], 3, axis=2)


def palette_picture() -> tuple[Image.Image, np.ndarray]:
    """A picture of 16 colours in mode P, and its RGB pixels."""
    colours = RNG.integers(0, 256, (16, 3), dtype=np.uint8)
    indices = GREY // 16
    picture = Image.fromarray(indices).convert("P")
    picture.putpalette(colours.tobytes())
    return picture, colours[indices]


def assert_sentence(error: Exception) -> None:
    text = str(error)
    assert re.fullmatch(r"[A-Z][^\n]{20,180}[^.\n]\.", text), text
    assert not re.search(r"Error|Exception|Traceback|PIL|0x|\. [A-Z]", text), text


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        read_photo(data, "upload")
    assert_sentence(caught.value)
    return str(caught.value)


# Formats and modes

BILEVEL = GREY > 127
PALETTE, PALETTE_RGB = palette_picture()
EXACT = {
    **{
        f"{kind} {options}": (file(RGB, kind, **options), RGB)
        for kind, options in [
            ("PNG", {}),
            ("WEBP", {"lossless": True}),
            ("BMP", {}),
            *(("TIFF", {"compression": c}) for c in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd")),
        ]
    },
    **{f"{kind} grey": (file(GREY, kind), rgb(GREY)) for kind in ("PNG", "BMP", "TIFF", "GIF")},
    **{
        f"{kind} bilevel": (file(Image.fromarray(BILEVEL), kind), rgb(BILEVEL * np.uint8(255)))
        for kind in ("PNG", "BMP", "TIFF")
    },
    **{f"{kind} palette": (file(PALETTE, kind), PALETTE_RGB) for kind in ("PNG", "BMP", "TIFF", "GIF")},
    "GIF interlaced": (file(PALETTE, "GIF", interlace=1), PALETTE_RGB),
    "TIFF YCbCr": (
        file(Image.fromarray(RGB).convert("YCbCr"), "TIFF"),
        np.array(Image.fromarray(RGB).convert("YCbCr").convert("RGB")),
    ),
    **{
        f"cv2 {name}": (cv2.imencode(name, RGB[..., ::-1], options)[1].tobytes(), RGB)
        for name, options in [(".png", []), (".bmp", []), (".tiff", []), (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101])]
    },
}


@pytest.mark.parametrize(("data", "expected"), EXACT.values(), ids=EXACT)
def test_lossless_files_are_read_exactly(data: bytes, expected: np.ndarray):
    photo = read_photo(data, "a.file")
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.flags.c_contiguous
    assert (photo.name, photo.original_size, photo.notes) == ("a.file", (W, H), ())
    np.testing.assert_array_equal(photo.pixels, expected)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0, "quality": 95}])
@pytest.mark.parametrize("grey", [False, True])
def test_jpeg_is_read_as_opencv_reads_it(options: dict[str, object], grey: bool):
    smooth = np.array(Image.fromarray(RGB).resize((160, 96), Image.Resampling.BICUBIC))
    data = file(Image.fromarray(smooth).convert("L" if grey else "RGB"), "JPEG", **options)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_allclose(read_photo(data).pixels.astype(int), expected.astype(int), atol=4)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_laid_over_white(kind: str):
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    photo = read_photo(file(np.dstack([RGB, ALPHA]), kind, **options))
    np.testing.assert_allclose(photo.pixels.astype(int), over_white(RGB, ALPHA).astype(int), atol=1)
    assert photo.notes == (TRANSPARENT,)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_with_alpha_is_laid_over_white(kind: str):
    photo = read_photo(file(Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)]), kind))
    np.testing.assert_allclose(photo.pixels.astype(int), over_white(rgb(GREY), ALPHA).astype(int), atol=1)
    assert photo.notes == (TRANSPARENT,)


def test_a_full_alpha_channel_is_not_worth_a_note():
    photo = read_photo(file(np.dstack([RGB, np.full_like(ALPHA, 255)]), "PNG"))
    assert photo.notes == ()
    np.testing.assert_array_equal(photo.pixels, RGB)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_one_transparent_palette_entry(kind: str):
    photo = read_photo(file(PALETTE, kind, transparency=3))
    np.testing.assert_array_equal(photo.pixels, np.where(rgb(GREY // 16) == 3, 255, PALETTE_RGB))
    assert photo.notes == (TRANSPARENT,)


def test_a_palette_with_an_alpha_for_each_entry():
    alphas = np.arange(16, dtype=np.uint8) * 17
    photo = read_photo(file(PALETTE, "PNG", transparency=alphas.tobytes()))
    expected = over_white(PALETTE_RGB, alphas[GREY // 16])
    np.testing.assert_allclose(photo.pixels.astype(int), expected.astype(int), atol=1)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_grey_in_a_png_of_any_depth(depth: int):
    levels = np.arange(8 * 16).reshape(8, 16) % 2**depth
    if depth == 16:
        packed = levels.astype(">u2").view(np.uint8)
    else:
        bits = (levels[..., None] >> np.arange(depth)[::-1]) & 1
        packed = np.packbits(bits.reshape(8, -1), axis=1)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    photo = read_photo(png(16, 8, depth, 0, rows, chunk(b"tRNS", struct.pack(">H", 1))))
    expected = np.where(levels == 1, 255, np.rint(levels * 255 / (2**depth - 1)))
    np.testing.assert_array_equal(photo.pixels, rgb(expected))
    assert TRANSPARENT in photo.notes


def test_a_transparent_colour_in_a_png_of_16_bits():
    colours = np.zeros((8, 16, 3), dtype=">u2")
    colours[2:4] = [1000, 50_000, 65_535]
    rows = b"".join(b"\0" + row.tobytes() for row in colours)
    photo = read_photo(png(16, 8, 16, 2, rows, chunk(b"tRNS", struct.pack(">HHH", 1000, 50_000, 65_535))))
    assert (photo.pixels[2:4] == 255).all()
    assert (photo.pixels[:2] == 0).all()
    assert photo.notes == (TRANSPARENT, SIXTEEN)


# More than 8 bits


@pytest.mark.parametrize(
    "data",
    [
        file(DEEP, "PNG"),
        file(DEEP, "TIFF"),
        file(DEEP, "TIFF", compression="tiff_lzw"),
        cv2.imencode(".png", DEEP)[1].tobytes(),
        cv2.imencode(".tiff", DEEP)[1].tobytes(),
        *(tiff(DEEP, order, 1, compressed=compressed) for order in "<>" for compressed in (False, True)),
        tiff(65535 - DEEP, "<", 1, compressed=False, white_is_zero=True),
    ],
)
def test_16_bit_grey_is_scaled_by_a_257th(data: bytes):
    photo = read_photo(data)
    np.testing.assert_array_equal(photo.pixels, rgb(np.rint(DEEP / 257)))
    assert photo.notes == (SIXTEEN,)


def test_16_bit_colour():
    colours = RNG.integers(0, 65536, (H, W, 3), dtype=np.uint16)
    photo = read_photo(cv2.imencode(".png", colours[..., ::-1])[1].tobytes())
    np.testing.assert_allclose(photo.pixels, colours / 257, atol=1)
    assert photo.notes == (SIXTEEN,)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("kind", "values", "black", "white"),
    [
        (3, RNG.random((H, W), dtype=np.float32), 0, 1),
        (3, np.linspace(-40, 3000, H * W, dtype=np.float32).reshape(H, W), -40, 3000),
        (2, DEEP.astype(np.int32) * 1000 - 2**25, None, None),
        (2, (DEEP.astype(np.int32) - 2**15).astype(np.int16), None, None),
    ],
    ids=["0 to 1", "float", "int32", "int16"],
)
def test_floats_and_signed_integers(
    kind: int, values: np.ndarray, black: float | None, white: float | None, order: str, compressed: bool
):
    low, high = (values.min(), values.max()) if black is None else (black, white)
    photo = read_photo(tiff(values, order, kind, compressed=compressed))
    expected = (values.astype(np.float64) - low) / (float(high) - low) * 255
    np.testing.assert_allclose(photo.pixels, rgb(expected), atol=0.51)
    assert f"{8 * values.itemsize}-bit values are reduced to 8 bits." in photo.notes
    assert any("shown from black to white" in note for note in photo.notes) == ((low, high) != (0, 1))


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_the_range_of_floats_is_said_and_what_is_no_number_is_black():
    values = np.linspace(-40, 3000, H * W, dtype=np.float32).reshape(H, W)
    values[3, 4:6] = [np.nan, -np.inf]
    values.view(np.uint32)[3, 6] = 0x7FA00000  # a signalling NaN
    photo = read_photo(file(values, "TIFF"))
    assert "Values run from -40 to 3000, shown from black to white." in photo.notes
    assert (photo.pixels[3, 4:7] == 0).all()
    assert (photo.pixels[-1, -1] == 255).all()


def test_a_flat_float_picture_is_black():
    assert (read_photo(file(np.full((H, W), 7.5, dtype=np.float32), "TIFF")).pixels == 0).all()


# Colour spaces


def cmyk_to_rgb(inks: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 4) inks, 255 = full, to uint8 (H, W, 3): each colour is what its ink and black leave of white."""
    inks = inks / 255
    return np.rint(255 * (1 - inks[..., :3]) * (1 - inks[..., 3:])).astype(np.uint8)


INKS = np.repeat(np.repeat(RNG.integers(0, 256, (3, 5, 4), dtype=np.uint8), 8, axis=0), 8, axis=1)


def test_cmyk_tiff_and_jpeg():
    picture = Image.fromarray(INKS, "CMYK")
    for data, tolerance in [(file(picture, "TIFF"), 1), (file(picture, "JPEG", quality=100), 4)]:
        photo = read_photo(data)
        np.testing.assert_allclose(photo.pixels.astype(int), cmyk_to_rgb(INKS).astype(int), atol=tolerance)
        assert photo.notes == ("Printing inks (CMYK) are converted to RGB without a colour profile.",)


def test_ycck_jpeg_of_adobe():
    # A decoder turns YCC into RGB and takes 255 − RGB for CMY, which Adobe stores inverted: RGB are the inks.
    stored = np.dstack([np.array(Image.fromarray(INKS[..., :3]).convert("YCbCr")), 255 - INKS[..., 3]])
    data = file(Image.fromarray(255 - stored, "CMYK"), "JPEG", quality=100)
    transform = data.index(b"Adobe") + 11
    assert data[transform] == 0  # plain CMYK
    data = data[:transform] + b"\2" + data[transform + 1 :]
    pixels = read_photo(data).pixels.astype(int)
    np.testing.assert_allclose(pixels, cmyk_to_rgb(INKS).astype(int), atol=6)
    opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_allclose(pixels, opencv.astype(int), atol=4)


def test_lab_tiff():
    lab = ImageCms.profileToProfile(
        Image.fromarray(RGB), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    difference = np.abs(read_photo(file(lab, "TIFF")).pixels.astype(int) - RGB)
    assert np.median(difference) <= 2  # LAB in 8 bits is coarse


def swapped_profile() -> bytes:
    """An ICC profile that is sRGB with red and green exchanged, under another name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    for a, b in [(b"rXYZ", b"gXYZ"), (b"rTRC", b"gTRC")]:
        profile = profile.replace(a, b"****").replace(b, a).replace(b"****", b)
    return profile


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_colour_profile_is_applied(kind: str):
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = read_photo(file(RGB, kind, icc_profile=swapped_profile(), **options))
    np.testing.assert_allclose(photo.pixels.astype(int), RGB[..., [1, 0, 2]].astype(int), atol=2)
    assert photo.notes == ("Colours are converted from the file's own profile to sRGB.",)


@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        swapped_profile()[:200],
        b"no profile",
    ],
    ids=["sRGB", "for other channels", "cut short", "not a profile"],
)
def test_a_colour_profile_without_use_changes_nothing(profile: bytes):
    photo = read_photo(file(RGB, "PNG", icc_profile=profile))
    np.testing.assert_array_equal(photo.pixels, RGB)
    assert photo.notes == ()


# Orientation and frames

STORED = {  # how a camera stores the upright picture under each EXIF orientation (EXIF 2.3, table 6)
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF LZW"])
def test_every_exif_orientation_is_turned_upright(kind: str, orientation: int):
    upright = np.repeat(np.repeat(RGB[:3, :5], 16, axis=0), 16, axis=1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {
        "JPEG": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True},
        "TIFF LZW": {"compression": "tiff_lzw"},
    }
    stored = np.ascontiguousarray(STORED[orientation](upright))
    data = file(stored, kind.split()[0], exif=exif, **options.get(kind, {}))
    photo = read_photo(data)
    assert photo.original_size == (80, 48)
    np.testing.assert_allclose(photo.pixels.astype(int), upright.astype(int), atol=6 if kind == "JPEG" else 0)
    if kind == "JPEG":  # OpenCV, too, applies the orientation of a JPEG
        expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        np.testing.assert_allclose(photo.pixels.astype(int), expected.astype(int), atol=4)

    small = read_photo(data, max_pixels=960)
    assert small.pixels.shape == (24, 40, 3)
    assert small.original_size == (80, 48)
    assert small.notes == ("The picture is scaled down from 80 × 48 to 40 × 24 pixels.",)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0junk", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_damaged_exif_data_does_not_matter(exif: bytes):
    np.testing.assert_array_equal(read_photo(file(RGB, "WEBP", lossless=True, exif=exif)).pixels, RGB)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_frames_is_shown_and_said(kind: str):
    frames = [Image.fromarray(np.full((H, W, 3), level, np.uint8)) for level in (40, 120, 200)]
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = read_photo(file(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert photo.notes == ("Only the first of 3 frames is shown.",)
    assert (photo.pixels == 40).all()


def test_frames_are_not_counted_forever():
    two = file(Image.new("P", (16, 16)), "GIF", save_all=True, append_images=[Image.new("P", (16, 16), 1)])
    tiny = b"\x2c\0\0\0\0\1\0\1\0\0\2\1\x44\0"
    start = time.process_time()
    photo = read_photo(two[:-1] + tiny * 300_000 + b";")
    assert time.process_time() - start < 1
    assert photo.notes == (f"Only the first of at least {MAX_FRAMES} frames is shown.",)


# Size


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("TIFF", "CMYK"), ("JPEG", "RGB"), ("JPEG", "L")]
)
def test_a_large_picture_is_averaged_down_and_the_page_says_so(kind: str, mode: str):
    large = cv2.GaussianBlur(RNG.integers(0, 256, (1200, 1736, 3), dtype=np.uint8), (0, 0), 9)
    large = np.clip((large.astype(int) - 128) * 8 + 128, 0, 255).astype(np.uint8)
    data = file(Image.fromarray(large).convert(mode), kind)
    photo = read_photo(data, max_pixels=100_000)
    height, width = photo.pixels.shape[:2]
    assert 99_000 <= width * height <= 100_000
    assert photo.notes[0] == f"The picture is scaled down from 1,736 × 1,200 to {width} × {height} pixels."
    assert photo.original_size == (1736, 1200)
    if kind == "JPEG":
        large = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    expected = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA).astype(int)
    difference = np.abs(photo.pixels.astype(int) - expected)
    assert difference.max() <= 4
    assert difference.mean() <= 0.6


@settings(max_examples=60, deadline=None)
@given(st.integers(8, 300), st.integers(8, 300), st.integers(64, 20_000))
def test_the_cap_holds_for_any_size(width: int, height: int, cap: int):
    photo = read_photo(file(Image.new("RGB", (width, height), "teal"), "PNG", compress_level=1), max_pixels=cap)
    assert photo.pixels.shape[0] * photo.pixels.shape[1] <= max(cap, 1)
    assert (photo.pixels == (0, 128, 128)).all()
    assert bool(photo.notes) == (width * height > cap)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 7), (2000, 1), (1, 2000), (7, 400)])
def test_too_small_is_a_clear_sentence(width: int, height: int):
    text = refusal(file(Image.new("RGB", (width, height)), "PNG"))
    assert text.startswith(f"This picture is {width:,} × {height:,} pixels, too small to show anything")
    assert "8 × 8" in text


def test_too_narrow_is_a_clear_sentence():
    assert "too narrow to show" in refusal(file(Image.new("RGB", (8, 513)), "PNG"))
    assert read_photo(file(Image.new("RGB", (8, 512)), "PNG")).original_size == (8, 512)


def bomb(kind: str, side: int) -> bytes:
    """A small file whose header promises side × side pixels."""
    if kind == "PNG":
        return png(side, side, 8, 2, b"\0" * 100)
    if kind == "TIFF":
        data = tiff(GREY, "<", 1, compressed=True)
        for tag in (256, 257):
            at = data.index(struct.pack("<HHI", tag, 4, 1)) + 8
            data = data[:at] + struct.pack("<I", side) + data[at + 4 :]
        return data
    if kind == "WEBP" and side <= 2**14:
        data = bytearray(file(RGB, kind, lossless=True))
        data[21:25] = (side - 1 | side - 1 << 14).to_bytes(4, "little")
        return bytes(data)
    data = bytearray(file(RGB, kind, **({"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"} if kind == "WEBP" else {})))
    if kind == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", side, side)
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", side, side)
    elif kind == "BMP":
        data[18:26] = struct.pack("<II", side, side)
    elif kind == "WEBP":
        data[24:30] = (side - 1).to_bytes(3, "little") * 2
    return bytes(data)


KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


@pytest.mark.parametrize("side", [20_000, 10_000])
@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_is_refused_at_once(kind: str, side: int):
    data = bomb(kind, side)
    start = time.process_time()
    text = refusal(data)
    assert time.process_time() - start < 0.2
    assert f"{side:,} × {side:,}" in text or f"{side * side:,}" in text
    assert f"above the limit of {32 if kind == 'WEBP' else 64} million" in text


def test_a_frame_larger_than_its_screen_is_refused():
    data = bytearray(file(PALETTE, "GIF"))
    at = data.index(b"\x2c", 13 + 48) if data[10] & 7 == 3 else data.index(b"\x2c")
    data[at + 5 : at + 9] = struct.pack("<HH", 60_000, 60_000)
    assert "3,600,000,000 pixels" in refusal(bytes(data))


def test_a_jpeg_of_thousands_of_scans_is_refused():
    data = file(Image.new("L", (2000, 2000), 128), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    start = time.process_time()
    assert "too many for its size" in refusal(data[:-2] + last * 20_000 + data[-2:])
    assert time.process_time() - start < 0.2


# What is no picture

NO_PICTURES = {
    "empty": (b"", "This file is empty"),
    "text": (b"Dear Sir, this is no picture at all.\n" * 9, "not a picture in a format that is read here"),
    "BM text": (b"BMW drivers, read this: it begins as a bitmap does.", "not a picture in a format that is read here"),
    "zeros": (bytes(1000), "not a picture in a format that is read here"),
    "SVG": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><path/></svg>', "the SVG format"),
    "bare SVG": (b'\n <SVG width="10"></SVG>', "the SVG format"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "the PDF format"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "the HEIC format"),
    "AVIF": (file(RGB, "AVIF"), "the AVIF format"),
    "JPEG 2000": (file(RGB, "JPEG2000"), "the JPEG 2000 format"),
    "ICO": (file(RGB, "ICO"), "the ICO format"),
    "TGA": (file(RGB, "TGA"), "not a picture in a format that is read here"),
    "EPS": (file(RGB, "EPS"), "not a picture in a format that is read here"),
    "PPM": (file(RGB, "PPM"), "not a picture in a format that is read here"),
}


@pytest.mark.parametrize(("data", "words"), NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_named(data: bytes, words: str):
    text = refusal(data)
    assert words in text
    assert text.endswith("choose a JPEG, PNG, WebP, GIF, BMP or TIFF picture.")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_file_is_refused(kind: str, share: float):
    data = file(RGB, kind, **({"compression": "tiff_lzw"} if kind == "TIFF" else {}))
    text = refusal(data[: max(16, int(len(data) * share))])
    assert text.startswith(f"This {kind} file is damaged") or "not a picture" in text


def test_missing_memory_is_a_clear_sentence(monkeypatch: pytest.MonkeyPatch):
    def load(self: PngImageFile) -> None:
        raise MemoryError

    data = file(RGB, "PNG")
    monkeypatch.setattr(PngImageFile, "load", load)
    assert "not enough memory" in refusal(data)


def test_an_image_error_is_a_user_error():
    assert issubclass(ImageError, UserError)


# Mutated files


def seeds() -> dict[str, bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    smooth = Image.fromarray(RGB).resize((120, 80), Image.Resampling.BICUBIC)
    frames = {"save_all": True, "append_images": [smooth.rotate(90), smooth.rotate(180)]}
    alpha = smooth.copy()
    alpha.putalpha(128)
    return {
        "JPEG": file(smooth, "JPEG", exif=exif, icc_profile=swapped_profile()),
        "JPEG progressive": file(smooth, "JPEG", progressive=True),
        "JPEG CMYK": file(smooth.convert("CMYK"), "JPEG"),
        "PNG": file(smooth, "PNG", icc_profile=swapped_profile()),
        "PNG palette": file(PALETTE, "PNG", transparency=3),
        "PNG 16": file(DEEP, "PNG"),
        "PNG animated": file(smooth, "PNG", **frames),
        "WEBP": file(smooth, "WEBP", exif=exif),
        "WEBP lossless": file(alpha, "WEBP", lossless=True),
        "WEBP animated": file(smooth, "WEBP", **frames),
        "GIF": file(PALETTE, "GIF", transparency=3),
        "GIF animated": file(smooth, "GIF", **frames),
        "BMP": file(smooth, "BMP"),
        "BMP palette": file(PALETTE, "BMP"),
        "TIFF": file(smooth, "TIFF", exif=exif, icc_profile=swapped_profile()),
        "TIFF LZW": file(alpha, "TIFF", compression="tiff_lzw"),
        "TIFF JPEG": file(smooth, "TIFF", compression="jpeg"),
        "TIFF float": tiff(DEEP.astype(np.float32), ">", 3, compressed=True),
        "TIFF pages": file(smooth, "TIFF", **frames),
    }


SEEDS = seeds()


def repaired(data: bytes) -> bytes:
    """The PNG file with right checksums, so that its mutations are not all refused by them."""
    out, at = data[:8], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        out += chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length])
        at += 12 + length
    return out + data[at:]


def mutant(data: bytes, dice: random.Random) -> bytes:
    """The file with bytes flipped, cut out, doubled or inserted, or under another file's header."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        # Headers decide most; half of all changes go there.
        at = dice.randrange(min(len(out), 64) if dice.random() < 0.5 else len(out)) if out else 0
        length = dice.choice((1, 2, 4, 16, 200))
        match dice.randrange(7):
            case 0 | 1:
                out[at : at + 1] = dice.randbytes(1)
            case 2:
                out[at : at + 4] = dice.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\xff\xff"))
            case 3:
                del out[at : at + length]
            case 4:
                out[at:at] = dice.randbytes(length)
            case 5:
                out[at:at] = out[at : at + length]
            case 6 if dice.random() < 0.3:
                del out[at:]
    if dice.random() < 0.1:
        other = dice.choice(list(SEEDS.values()))
        cut = dice.choice((4, 8, 16, 64))
        out[:cut] = other[:cut]
    if out.startswith(b"\x89PNG") and dice.random() < 0.8:
        return repaired(bytes(out))
    return bytes(out)


def outcome(data: bytes) -> str:
    """ "photo" or "refused"; anything but these two, or more than 2 s, fails the test."""
    start = time.process_time()
    try:
        photo = read_photo(data, "mutant")
    except ImageError as error:
        assert_sentence(error)
        result = "refused"
    else:
        assert isinstance(photo, Photo)
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.ndim == 3
        assert photo.pixels.shape[2] == 3
        assert 64 <= photo.pixels.size // 3 <= 1_500_000
        result = "photo"
    assert time.process_time() - start < 2
    return result


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mutated_file_is_a_photo_or_a_clear_sentence(seed: str):
    dice = random.Random(seed)
    outcomes = [outcome(mutant(SEEDS[seed], dice)) for _ in range(100)]
    assert set(outcomes) == {"photo", "refused"}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([data[:n] for data in SEEDS.values() for n in (0, 12, 40)]), st.binary(max_size=200))
def test_any_bytes_after_any_header(header: bytes, rest: bytes):
    outcome(header + rest)


QUIET = """
import io, random, resource, sys
sys.path.insert(0, {tests!r})
import test_images as t
from explorer.images import ImageError, read_photo
bombs = [t.bomb(kind, 20_000) for kind in t.KINDS]
dice = random.Random(1)
mutants = [t.mutant(data, dice) for data in t.SEEDS.values() for _ in range(30)]
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
for data in bombs:
    try:
        read_photo(data)
    except ImageError:
        continue
    raise SystemExit("a bomb was read")
print(peak() - before)
for data in mutants:
    try:
        read_photo(data)
    except ImageError:
        pass
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only, and libtiff is a file of its own"
)
def test_bombs_take_no_memory_and_nothing_is_printed_about_damaged_files():
    code = QUIET.format(tests=str(Path(__file__).parent))
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert int(run.stdout) < 8 * 1024  # KiB


def test_reading_imports_neither_streamlit_nor_torch_nor_opencv():
    code = "import sys, explorer.images, explorer.gallery; print({'streamlit', 'torch', 'cv2'} & set(sys.modules))"
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert run.stdout == "set()\n"


# Pixels


def test_a_photo_is_known_by_its_bytes():
    a, b = read_photo(file(RGB, "PNG"), "a"), read_photo(file(RGB, "PNG"), "a")
    other = RGB.copy()
    other[0, 0, 0] ^= 1
    assert a == b
    assert hash(a) == hash(b)
    assert len(a.digest) == 64
    assert a != read_photo(file(other, "PNG"), "a")


@pytest.mark.parametrize("pixels", [RGB, GREY])
def test_to_png_is_read_back(pixels: np.ndarray):
    decoded = cv2.imdecode(np.frombuffer(to_png(pixels), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded[..., ::-1] if pixels.ndim == 3 else decoded, pixels)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 45), st.booleans())
def test_fit_is_the_mean_of_areas_and_never_enlarges(width: int, height: int, max_side: int, grey: bool):
    pixels = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels = pixels[..., 0] if grey else pixels
    small = fit(pixels, max_side)
    if max(width, height) <= max_side:
        np.testing.assert_array_equal(small, pixels)
        return
    scale = max_side / max(width, height)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    assert small.shape == (rows, columns, *pixels.shape[2:])
    assert max(rows, columns) == max_side
    fine = np.repeat(np.repeat(pixels, rows, axis=0), columns, axis=1)
    expected = fine.reshape(rows, height, columns, width, -1).mean(axis=(1, 3)).reshape(small.shape)
    np.testing.assert_allclose(small, expected, atol=0.51)


@given(st.integers(-50, 80), st.integers(-50, 80), st.integers(1, 60))
def test_window_lies_inside_the_picture(x: int, y: int, size: int):
    cut = window(RGB, x, y, size)
    assert cut.shape == (min(size, H), min(size, W), 3)
    left, top = min(max(x, 0), W - cut.shape[1]), min(max(y, 0), H - cut.shape[0])
    np.testing.assert_array_equal(cut, RGB[top : top + cut.shape[0], left : left + cut.shape[1]])
    assert not np.shares_memory(cut, RGB)


def test_to_grey_is_opencvs_grey():
    grey = to_grey(RGB)
    assert (grey.dtype, grey.shape) == (np.float32, (H, W))
    np.testing.assert_allclose(grey, cv2.cvtColor(RGB.astype(np.float32) / 255, cv2.COLOR_RGB2GRAY), atol=1e-6)
    np.testing.assert_allclose(grey * 255, cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY), atol=0.51)
    assert to_grey(np.full((2, 2, 3), 255, np.uint8)).max() == pytest.approx(1)
    assert to_grey(np.full((2, 2, 3), 255, np.uint8)).max() <= 1
