"""Reading uploaded pictures safely: any bytes in, upright opaque 8-bit RGB pixels or one clear sentence out."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
import PIL
from PIL import ExifTags, Image, ImageCms, ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from explorer.errors import UserError
from explorer.text import _

MIN_SIDE = 8  # pixels; below it no filter window fits and nothing can be seen
MAX_RATIO = 64  # longer to shorter side: fit(…, 512) then still leaves MIN_SIDE pixels
MAX_FILE_PIXELS = 64_000_000  # width · height of the file; a larger one is refused before it is decoded
MAX_WEBP_PIXELS = 32_000_000  # Pillow holds a WebP file's pixels four times while it decodes them
MAX_SCAN_PIXELS = 2_000_000_000  # scans · width · height of a JPEG: a small file can ask for hours of scans
MAX_FRAMES = 500  # frames are counted no further
BAND_PIXELS = 1_000_000  # pixels converted at a time, so that a large picture is never in memory twice

_READERS: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (rb"\xff\xd8\xff", JpegImageFile),
    (rb"\x89PNG\r\n\x1a\n", PngImageFile),
    (rb"RIFF....WEBP", WebPImageFile),
    (rb"GIF8[79]a", GifImageFile),
    (rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", BmpImageFile),
    (rb"II[*+]\0|MM\0[*+]", TiffImageFile),
)
_OTHER_KINDS = (
    (rb"(?i)(\xef\xbb\xbf)?\s*<(svg|.{0,4000}<svg)", "SVG"),
    (rb".{0,1000}%PDF-", "PDF"),
    (rb"....ftyp(avif|avis)", "AVIF"),
    (rb"....ftyp(hei|hev|mif1|msf1)", "HEIC"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000"),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "JPEG XL"),
    (rb"8BPS", "PSD"),
    (rb"\0\0\x01\0", "ICO"),
)

# What Pillow has to say about a damaged file is said to the visitor, once; the server's log needs no copy.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())


class ImageError(UserError):
    """A picture that cannot be read or shown."""


@dataclass(frozen=True)
class Photo:
    """An uploaded or sample picture, ready to be shown and computed with."""

    pixels: np.ndarray = field(repr=False, compare=False)
    """uint8 (H, W, 3), RGB in sRGB, upright, opaque; C-contiguous."""
    name: str
    """The file's name, as given."""
    original_size: tuple[int, int]
    """(width, height) of the file in pixels, upright, before any scaling down."""
    notes: tuple[str, ...]
    """Sentences for the page: what was left out or changed on the way in."""
    digest: str
    """SHA-256 of the file's bytes, 64 hex digits: the key to cache by."""


def read_photo(data: bytes, name: str = "", max_pixels: int = 1_500_000) -> Photo:
    """The picture in a JPEG, PNG, WebP, GIF, BMP or TIFF file, averaged down to at most max_pixels.

    Raises ImageError, and nothing else, whatever the bytes are. Its size is checked before anything is decoded.
    """
    reader = _reader(data)
    try:
        return _read(reader, data, name, max_pixels)
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        pixels = re.search(r"\d+", str(error))  # Pillow's own limit, met inside the reader: it tells the product only
        raise _too_large(f"{int(pixels[0]):,}" if pixels else "…", _limit(reader)) from error
    except MemoryError as error:
        raise ImageError(
            _("There is not enough memory to open this picture: scale it down in another program and try again.")
        ) from error
    except Exception as error:
        # What a decoder may raise on damaged bytes is open-ended: OSError, SyntaxError, struct.error, IndexError …
        raise ImageError(
            _(
                "This {kind} file is damaged, cut short or stored in an unusual way: "
                "save it again as PNG or JPEG, or choose another picture."
            ).format(kind=reader.format)
        ) from error


def to_png(pixels: np.ndarray) -> bytes:
    """A PNG file of uint8 pixels, (H, W, 3) RGB or (H, W) grey."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def fit(pixels: np.ndarray, max_side: int) -> np.ndarray:
    """The picture averaged down until its longer side is max_side; as it is where it is smaller already.

    pixels: uint8 (H, W, 3) or (H, W). Each pixel of the result is the mean of the area that it covers.
    """
    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return _averaged(pixels, *size)


def window(pixels: np.ndarray, x: int, y: int, size: int) -> np.ndarray:
    """A copy of the size × size square from column x, row y on: moved to lie inside the picture, and cut to fit it."""
    height, width = pixels.shape[:2]
    left = min(max(x, 0), max(width - size, 0))
    top = min(max(y, 0), max(height - size, 0))
    return pixels[top : top + size, left : left + size].copy()


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """Luma of uint8 (H, W, 3) RGB as float32 (H, W), 0–1: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32) / 255
    return np.minimum(pixels.astype(np.float32) @ weights, 1)


def _reader(data: bytes) -> type[ImageFile]:
    """The class that reads files that begin as this one does."""
    choose = _("choose a JPEG, PNG, WebP, GIF, BMP or TIFF picture.")
    if not data:
        raise ImageError(_("This file is empty: {choose}").format(choose=choose))
    for signature, reader in _READERS:
        if re.match(signature, data, re.DOTALL):
            return reader
    for signature, kind in _OTHER_KINDS:
        if re.match(signature, data, re.DOTALL):
            other = _("This file is in the {kind} format, which is not read here: {choose}")
            raise ImageError(other.format(kind=kind, choose=choose))
    raise ImageError(_("This file is not a picture in a format that is read here: {choose}").format(choose=choose))


def _read(reader: type[ImageFile], data: bytes, name: str, max_pixels: int) -> Photo:
    if reader is TiffImageFile:
        _silence_libtiff()
    source = reader(BytesIO(data))
    width, height = source.size
    _check_size(width, height, _limit(reader))
    if reader is JpegImageFile:
        _check_scans(width * height, data.count(b"\xff\xda"))

    scale = min(1.0, math.sqrt(max_pixels / (width * height)))
    size = max(1, int(width * scale)), max(1, int(height * scale))
    if scale < 1:
        source.draft(None, size)  # a JPEG is decoded at 1/2, 1/4 or 1/8 where that leaves enough
    bits = _bits(source, data)
    if isinstance(source, TiffImageFile):
        _expect_native_order(source)
    source.load()

    notes: list[str] = []
    picture = _eight_bits(source, size, bits, notes)
    orientation = _orientation(source)
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    pixels = np.array(_srgb(ImageOps.exif_transpose(picture), source.info.get("icc_profile"), notes))

    original = (height, width) if orientation >= 5 else (width, height)
    if scale < 1:
        scaled = _("The picture is scaled down from {before} to {after} pixels.")
        notes.insert(0, scaled.format(before=_size(*original), after=_size(pixels.shape[1], pixels.shape[0])))
    frames = _frames(reader, data)
    if frames > 1:
        count = f"{frames:,}" if frames < MAX_FRAMES else _("at least {count}").format(count=f"{frames:,}")
        notes.insert(0, _("Only the first of {count} frames is shown.").format(count=count))
    return Photo(pixels, name, original, tuple(notes), hashlib.sha256(data).hexdigest())


def _size(width: int, height: int) -> str:
    return f"{width:,} × {height:,}"


def _limit(reader: type[ImageFile]) -> int:
    return MAX_WEBP_PIXELS if reader is WebPImageFile else MAX_FILE_PIXELS


def _check_size(width: int, height: int, limit: int) -> None:
    if width * height > limit:
        raise _too_large(_size(width, height), limit)
    if min(width, height) < MIN_SIDE:
        small = _("This picture is {size} pixels, too small to show anything: choose one of at least {least}.")
        raise ImageError(small.format(size=_size(width, height), least=_size(MIN_SIDE, MIN_SIDE)))
    if max(width, height) > MAX_RATIO * min(width, height):
        narrow = _(
            "This picture is {size} pixels, too narrow to show: "
            "cut it so that its longer side is at most {ratio} times the shorter."
        )
        raise ImageError(narrow.format(size=_size(width, height), ratio=MAX_RATIO))


def _check_scans(pixels: int, scans: int) -> None:
    if pixels * scans > MAX_SCAN_PIXELS:
        passes = _("This JPEG is stored in {scans} passes, too many for its size: save it again as JPEG or PNG.")
        raise ImageError(passes.format(scans=f"{scans:,}"))


def _too_large(size: str, limit: int) -> ImageError:
    large = _(
        "This picture has {size} pixels, above the limit of {limit} million: scale it down in another program first."
    )
    return ImageError(large.format(size=size, limit=limit // 1_000_000))


def _bits(source: ImageFile, data: bytes) -> int:
    """The bits of one value in the file. Also puts a PNG's transparent colour on the scale of the decoded pixels."""
    if isinstance(source, TiffImageFile):
        return min(source.tag_v2.get(BITSPERSAMPLE, (1,)))
    if not isinstance(source, PngImageFile):
        return 8
    depth, key = data[24], source.info.get("transparency")
    if source.mode == "L" and isinstance(key, int):
        source.info["transparency"] = key * 255 // (2**depth - 1)
    elif source.mode == "RGB" and depth == 16 and key:
        source.info["transparency"] = tuple(value >> 8 for value in key)
    return depth


def _expect_native_order(source: TiffImageFile) -> None:
    """libtiff delivers numbers in the machine's byte order, where Pillow expects the file's for I and F."""
    if source.use_load_libtiff and source.mode in ("I", "F"):
        tile = source.tile[0]
        rawmode, *rest = cast(tuple[Any, ...], tile.args)
        source.tile = [tile._replace(args=(rawmode.replace("B", "N"), *rest))]


def _orientation(source: ImageFile) -> int:
    """The EXIF orientation, 1–8. Pillow has turned a TIFF file upright already, and answers 1."""
    try:
        orientation = int(source.getexif()[ExifTags.Base.Orientation])
    except Exception:  # there is none, or it is damaged, which is no reason to refuse the picture
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def _frames(reader: type[ImageFile], data: bytes) -> int:
    """How many frames or pages the file has, counted up to MAX_FRAMES."""
    source: Any = reader(BytesIO(data))
    if not getattr(source, "is_animated", False):
        return 1
    if not isinstance(source, GifImageFile | TiffImageFile):
        return min(source.n_frames, MAX_FRAMES)
    frames = 1
    with suppress(Exception):  # EOFError at the end; a damaged later frame ends the count as well
        while frames < MAX_FRAMES:
            # n_frames knows no limit, and the public seek of a GIF decodes all that it passes.
            source._seek(frames, False) if isinstance(source, GifImageFile) else source.seek(frames)
            frames += 1
    return frames


def _eight_bits(source: ImageFile, size: tuple[int, int], bits: int, notes: list[str]) -> Image.Image:
    """The decoded picture averaged down to size = (width, height), as an opaque L, RGB, CMYK or LAB image."""
    deep = source.mode.startswith(("I", "F"))
    black, white = _black_and_white(source, bits, notes) if deep else (0.0, 255.0)
    factor = max(1, min(source.width // size[0], source.height // size[1]) // 2)  # quicker than averaging over areas
    mode, rows, least_alpha = "", [], 255
    for band in _bands(source, factor):
        levels = _grey_levels(band, black, white) if deep else band
        opaque, alpha = _over_white(levels) if levels.has_transparency_data else (_plain(levels), 255)
        mode, least_alpha = opaque.mode, min(least_alpha, alpha)
        part = np.asarray(opaque.reduce(factor))
        rows.append(_averaged(part, size[0], part.shape[0]))
    if least_alpha < 255:
        notes.append(_("Transparent parts are laid over white."))
    if bits > 8:
        notes.append(_("{bits}-bit values are reduced to 8 bits.").format(bits=bits))
    return Image.frombytes(mode, size, _averaged(np.concatenate(rows), *size).tobytes())


def _averaged(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8 (H, W, …) averaged over areas down to (height, width, …); no copy where that is its size."""
    if pixels.shape[:2] == (height, width):
        return pixels
    import cv2  # not above, so that pages without a picture start without it

    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def _bands(source: Image.Image, factor: int = 1) -> Iterator[Image.Image]:
    """The picture from top to bottom in bands of its full width, about BAND_PIXELS each and a multiple of factor high."""
    rows = factor * max(1, BAND_PIXELS // (source.width * factor))
    for top in range(0, source.height, rows):
        yield source.crop((0, top, source.width, min(top + rows, source.height)))


def _plain(band: Image.Image) -> Image.Image:
    if band.mode in ("L", "RGB", "CMYK", "LAB"):
        return band
    return band.convert("L" if band.mode == "1" else "RGB")


def _over_white(band: Image.Image) -> tuple[Image.Image, int]:
    """The band, in L or RGB, with its transparent parts laid over white; and its least alpha, 0–255."""
    if band.mode == "La":
        band = band.convert("LA")
    elif band.mode != "LA":
        band = band.convert("RGBA")
    alpha = band.getchannel("A")
    opaque = Image.new("L" if band.mode == "LA" else "RGB", band.size, "white")
    opaque.paste(band.convert(opaque.mode), mask=alpha)
    return opaque, int(np.asarray(alpha).min())


def _black_and_white(source: ImageFile, bits: int, notes: list[str]) -> tuple[float, float]:
    """The values to show black and white in a grey picture of more than 8 bits or of floating point numbers."""
    if source.mode.startswith("I;16"):
        black, white = 0.0, 2.0**bits - 1
    else:
        black, white = _range(source)
        if source.mode == "F" and black >= 0 and white <= 1:
            black, white = 0.0, 1.0
        else:
            shown = _("Values run from {low} to {high}, shown from black to white.")
            notes.append(shown.format(low=f"{black:.6g}", high=f"{white:.6g}"))
    white_is_zero = isinstance(source, TiffImageFile) and source.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0
    return (white, black) if white_is_zero else (black, white)  # Pillow inverts them up to 8 bits only


def _range(source: Image.Image) -> tuple[float, float]:
    """The least and the greatest finite value of a picture in mode I or F; (0, 1) where there is none."""
    low, high = math.inf, -math.inf
    for band in _bands(source):
        values = np.asarray(band)
        values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    return (low, high) if low <= high else (0.0, 1.0)


def _grey_levels(band: Image.Image, black: float, white: float) -> Image.Image:
    """The band with black … white spread over 0 … 255, in L, or in LA where one value means transparent."""
    with np.errstate(invalid="ignore"):  # a NaN is shown black
        values = np.asarray(band).astype(np.float64)
        levels = np.nan_to_num((values - black) * (255 / ((white - black) or 1)))
    grey = Image.fromarray(np.rint(levels.clip(0, 255)).astype(np.uint8))
    key = band.info.get("transparency")
    if key is not None:
        grey.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
    return grey


def _srgb(picture: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """The picture in RGB, through the file's colour profile where it has one that can be used."""
    converted = _through_profile(picture, profile) if profile else None
    if converted:
        notes.append(_("Colours are converted from the file's own profile to sRGB."))
    elif picture.mode == "CMYK":
        notes.append(_("Printing inks (CMYK) are converted to RGB without a colour profile."))
    elif picture.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(picture, lab, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return converted or picture.convert("RGB")


def _through_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture in sRGB; None where the profile is sRGB itself, damaged, or made for other channels."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if picture.mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
            return None
        return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except Exception:  # littlecms refuses it; the pixels are good without
        return None


@cache
def _silence_libtiff() -> None:
    """Stop Pillow's libtiff from printing to stderr, from C, about damaged files. Its errors still become exceptions.

    Pillow itself has no switch for it. Where libtiff is not a file of its own (on Windows) it goes on printing.
    """
    package = Path(PIL.__file__).parent
    for library in [*package.parent.glob("pillow.libs/libtiff*"), *package.glob(".dylibs/libtiff*")]:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(str(library)).TIFFSetErrorHandler(None)
