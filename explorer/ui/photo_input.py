"""One photo for all pages: a sample, an upload or the camera. Whatever goes wrong, the last good photo stays."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

import streamlit as st

from explorer.errors import UserError
from explorer.gallery import credit, load_sample, samples
from explorer.images import Photo, read_photo
from explorer.text import _

SAMPLE, UPLOAD, CAMERA = "sample", "upload", "camera"


@st.cache_data(max_entries=8, show_spinner=False)
def _sample(file: str) -> Photo:
    return load_sample(file)


@st.cache_data(max_entries=8, show_spinner=False)
def _read(digest: str, _data: bytes, name: str) -> Photo:
    return read_photo(_data, name)


def photo_input(default: str) -> Photo:
    """The control, and the photo that it stands at. default: file name of the sample that the page opens on.

    The choice is in the URL for samples; an uploaded photo is kept for the session and used on every page.
    """
    ways = {SAMPLE: _("Sample"), UPLOAD: _("Upload"), CAMERA: _("Camera")}
    way = st.segmented_control(
        _("Photo"),
        list(ways),
        default=UPLOAD if "own_photo" in st.session_state else SAMPLE,
        required=True,
        format_func=ways.__getitem__,
        key="photo_from",
        persist_state="session",
    )
    if way == SAMPLE:
        return _choose_sample(default)
    if way == UPLOAD:
        data = st.file_uploader(
            _("Your photo"), type=["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"], key="photo_upload"
        )
    else:
        data = st.camera_input(_("Your camera"), key="photo_camera")
    if data is not None:
        _keep(data.getvalue(), data.name)
    photo = st.session_state.get("own_photo")
    if photo is None:
        photo = _sample(default)
        st.caption(_("Until then you see a sample photo."))
    else:
        st.text(f"{photo.name} · {photo.original_size[0]} × {photo.original_size[1]}")
        for note in photo.notes:
            st.caption(note)
    return photo


def _choose_sample(default: str) -> Photo:
    known = {sample.file: sample for sample in samples()}
    file = st.selectbox(
        _("Sample photo"),
        list(known),
        index=list(known).index(default),
        format_func=lambda name: name.rsplit(".", 1)[0].replace("coco_", "").replace("_", " ").capitalize(),
        key="photo",
        bind="query-params",
        label_visibility="collapsed",
    )
    st.caption(_short_links(credit(known[file])))
    return _sample(file)


def _short_links(text: str) -> str:
    """Plain text as Markdown with its addresses as links of one word each, so that they do not fill the column."""
    return re.sub(r"\(?(https?://[^\s,)]+)\)?", lambda found: f"[{urlsplit(found[1]).netloc}]({found[1]})", text)


def _keep(data: bytes, name: str) -> None:
    """Make this the session's photo; if it cannot be read, say why and keep the one before."""
    try:
        st.session_state["own_photo"] = _read(hashlib.sha256(data).hexdigest(), data, name)
    except UserError as error:
        st.error(str(error), icon=":material/broken_image:")


def photo_source(photo: Photo) -> str:
    """The lines of a snippet that read this photo into `photo`."""
    if any(sample.file == photo.name for sample in samples()):
        return f'from explorer.gallery import load_sample\nphoto = load_sample("{photo.name}")'
    lines = ("from pathlib import Path", "from explorer.images import read_photo")
    return "\n".join(lines) + f"\nphoto = read_photo(Path({photo.name!r}).read_bytes())"
