from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import UserError
from explorer.gallery import PHOTOS, Sample, credit, load_sample, samples


def test_the_records_and_the_files_are_the_same_set():
    files = [sample.file for sample in samples()]
    assert sorted(files) == sorted(path.name for path in PHOTOS.glob("*.jpg"))
    assert len({sample.title for sample in samples()}) == len(files) >= 20


def test_the_photos_together_stay_small():
    assert sum(path.stat().st_size for path in PHOTOS.iterdir()) <= 3_000_000


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.file)
def test_a_sample_is_free_to_share_credited_and_readable(sample: Sample):
    assert sample.licence in ("CC0", "CC BY 2.0") or sample.licence.startswith("Public domain")
    line = credit(sample)
    assert "\n" not in line
    assert all(part in line for part in (sample.title, sample.source, sample.licence))
    if sample.licence == "CC BY 2.0":
        assert "Flickr" in sample.source
        assert "https://creativecommons.org/licenses/by/2.0/" in line

    photo = load_sample(sample.file)
    height, width, channels = photo.pixels.shape
    assert (photo.name, photo.original_size, photo.notes, channels) == (sample.file, (width, height), (), 3)
    assert 300 <= min(height, width) <= max(height, width) <= 720
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.std() > 20


def test_the_first_photo_has_strong_edges():
    grey = load_sample(samples()[0].file).pixels.mean(axis=2)
    assert (np.abs(np.diff(grey, axis=1)) > 30).mean() > 0.05


@pytest.mark.parametrize("file", ["", "nothing.jpg", "../gallery.py", "credits.json", "/etc/passwd"])
def test_any_other_name_is_a_clear_sentence(file: str):
    with pytest.raises(UserError, match=r"^There is no sample photo .*\.$"):
        load_sample(file)
