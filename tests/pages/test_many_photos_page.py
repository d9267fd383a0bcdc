"""The page Many photos: samples at once, uploads in slices that can be stopped, and a bad photo among good ones."""

from __future__ import annotations

import csv
import io

import pytest
import streamlit as st
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, visit

from explorer.gallery import load_sample
from explorer.images import to_png
from explorer.ui import batch_job, many_photos
from explorer.ui.pages import topics
from pretrained import classification
from pretrained.classification import classify, load_classifier

pytestmark = pytest.mark.skipif(
    all(topic.file != "many_photos" for topic in topics()), reason="the app has no such page yet"
)
NAMES = ("coffee.jpg", "flower.jpg")


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    """What the bundled classifier says of each photo, as the table has it."""
    classifier = load_classifier("resnet18-photos110")
    found = {}
    for name in (*many_photos.SAMPLES, *NAMES):
        made = classify(classifier, load_sample(name).pixels)
        found[name] = f"{made.labels[0]} {100 * float(made.probabilities[0]):.0f}\u202f%"
    return found


@pytest.fixture
def slices(monkeypatch):
    """One photo for each run of the page."""
    monkeypatch.setattr(batch_job, "SLICE", 0.0)


def upload(name: str) -> tuple[str, bytes, str]:
    return name, to_png(load_sample(name).pixels), "image/png"


def rows(app) -> list[list]:
    return app.dataframe[0].value.values.tolist()


def test_it_opens_on_samples_that_are_looked_at_already(expected):
    app = visit("many_photos", timeout=200)
    expect_no_fault(app)
    assert [row[:2] for row in rows(app)] == [[name, expected[name]] for name in many_photos.SAMPLES]
    assert app.button(key="many_stop").disabled
    expect_the_code_computes_what_is_shown(app)
    app.select_slider(key="many_shown").set_value(3).run()
    expect_no_fault(app)


def test_a_bad_photo_is_a_row_and_the_others_go_on(expected, slices):
    app = visit("many_photos", timeout=200)
    files = [upload(NAMES[0]), ("broken.jpg", b"\xff\xd8\xff no picture", "image/jpeg"), upload(NAMES[1])]
    app.file_uploader(key="many_upload").set_value(files).run()
    assert not app.exception
    first, second, third = rows(app)
    assert [first[1], third[1]] == [expected[name] for name in NAMES]
    assert second[0] == "broken.jpg"
    assert "damaged" in second[1]
    assert any("1 of 3 photos could not be used" in one.value for one in app.caption)
    assert [error.value for error in app.error] == []
    app.select_slider(key="many_shown").set_value(2).run()
    (error,) = [one.value for one in app.error]
    assert error.startswith("broken.jpg: ")
    app.file_uploader(key="many_upload").set_value(None).run()
    expect_no_fault(app)
    assert len(rows(app)) == len(many_photos.SAMPLES)


def test_it_stops_where_it_is_and_goes_on(expected, slices, monkeypatch):
    app = visit("many_photos", timeout=200)
    looked, real = [], classification.classify

    def classify_and_stop(*args):
        looked.append(1)
        if len(looked) == 1:  # as a click on Stop while the first photo is looked at
            st.session_state[batch_job.JOB].stopped = True
        return real(*args)

    monkeypatch.setattr(classification, "classify", classify_and_stop)
    app.file_uploader(key="many_upload").set_value([upload(name) for name in NAMES]).run()
    assert [row[0] for row in rows(app)] == [NAMES[0]]
    assert app.button(key="many_stop").label == "Go on"
    app.run()
    assert len(looked) == 1
    app.button(key="many_stop").click().run()
    expect_no_fault(app)
    assert [row[1] for row in rows(app)] == [expected[name] for name in NAMES]
    assert len(looked) == 2
    app.select_slider(key="many_shown").set_value(2).run()
    assert len(looked) == 2


def test_the_table_as_a_file_has_a_line_for_each_photo(expected):
    from explorer.batches import Source, process, table_csv

    look = many_photos.partial(many_photos._labels, load_classifier("resnet18-photos110"))
    sources = [Source.of(NAMES[0], upload(NAMES[0])[1]), Source.of("empty.png", b"")]
    lines = list(csv.DictReader(io.StringIO(table_csv(list(process(sources, look))))))
    assert lines[0]["result"] == expected[NAMES[0]]
    assert lines[1]["error"].startswith("This file is empty")
