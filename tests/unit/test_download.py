from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import threading
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch

from pretrained import LoadError, download
from tests.unit.fileserver import FileServer, serving

BODY = np.random.default_rng(0).bytes(700_000)
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def server():
    with serving(BODY) as running:
        yield running


@pytest.fixture
def destination(tmp_path) -> Path:
    return tmp_path / "cache" / "weights.pth"


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(download, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(download, "SILENCE_SECONDS", 0.5)


def fetch(url: str, destination: Path, sha256: str = SHA256[:8], **how) -> Path:
    return download.fetch(url, destination, name="ResNet-18", sha256=sha256, **how)


def left(folder: Path) -> list[str]:
    """The files in it, but for the empty hidden ones that sessions lock."""
    files = [path for path in folder.iterdir() if not (path.suffix == ".lock" and path.stat().st_size == 0)]
    return sorted(path.name for path in files)


@pytest.mark.parametrize(("way", "total"), [("whole", len(BODY)), ("unsized", None)])
def test_a_download_arrives_and_reports_its_way(server, destination, monkeypatch, way, total):
    monkeypatch.setattr(download, "REPORT_SECONDS", 0.0)
    reports = []
    fetch(server.url(way), destination, progress=lambda done, all_: reports.append((done, all_)))
    assert destination.read_bytes() == BODY
    assert left(destination.parent) == ["weights.pth"]
    done = [report[0] for report in reports]
    assert done == sorted(done)
    assert done[0] == 0
    assert len(set(done)) > 5
    assert reports[-1] == (len(BODY), len(BODY))
    assert {all_ for _, all_ in reports[:-1]} == {total}


def test_reports_are_not_more_frequent_than_promised(server, destination):
    reports = []
    fetch(server.url("whole"), destination, progress=lambda done, all_: reports.append(time.monotonic()))
    gaps = np.diff(reports[:-1])
    assert (gaps >= download.REPORT_SECONDS).all()


def test_two_sessions_at_once_fetch_once_and_both_see_it_grow(server, destination, monkeypatch):
    monkeypatch.setattr(download, "REPORT_SECONDS", 0.0)
    reports: dict[str, list[int]] = {"first": [], "second": []}
    results = []

    def session(name: str) -> None:
        report = reports[name].append
        results.append(fetch(server.url("slow"), destination, progress=lambda done, all_: report(done)))

    threads = [threading.Thread(target=session, args=(name,)) for name in reports]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while not all(any(done) for done in reports.values()) and time.monotonic() < deadline:
        time.sleep(0.01)
    server.released.set()
    for thread in threads:
        thread.join()
    assert results == [destination, destination]
    assert destination.read_bytes() == BODY
    assert server.requests["slow"] == 1
    assert {done[-1] for done in reports.values()} == {len(BODY)}
    assert left(destination.parent) == ["weights.pth"]


def test_a_damaged_file_is_replaced(server, destination):
    destination.parent.mkdir()
    destination.write_bytes(BODY[:1000])
    fetch(server.url("whole"), destination)
    assert destination.read_bytes() == BODY


def test_nothing_shared_is_patched(server, destination):
    before = torch.hub.tqdm, torch.hub.urlopen, torch.hub.READ_DATA_CHUNK, socket.getdefaulttimeout()
    during = []

    def look(done: int, total: int | None) -> None:
        during.append((torch.hub.tqdm, torch.hub.urlopen, torch.hub.READ_DATA_CHUNK, socket.getdefaulttimeout()))

    fetch(server.url("whole"), destination, progress=look)
    assert set(during) == {before}


def test_only_old_partial_files_are_cleared_away(server, destination):
    destination.parent.mkdir()
    old, new, other = (destination.parent / f"{name}.partial" for name in ("weights.pth.1", "weights.pth.2", "a.pth.3"))
    for path in (old, new, other):
        path.write_bytes(b"x")
    for path in (old, other):
        os.utime(path, times=(0, 0))
    fetch(server.url("whole"), destination)
    assert left(destination.parent) == sorted([new.name, other.name, "weights.pth"])


@pytest.mark.parametrize("before", [None, b"an older, damaged copy"])
@pytest.mark.parametrize(
    ("way", "sha256", "sentence"),
    [
        ("cut", SHA256, "The download of ResNet-18 broke off before its end, so nothing of it was kept; try again"),
        ("stall", SHA256, "The download of ResNet-18 broke off before its end, so nothing of it was kept; try again"),
        ("silent", SHA256, "ResNet-18 could not be downloaded because 127.0.0.1 cannot be reached; check the network"),
        ("404", SHA256, "ResNet-18 could not be downloaded because 127.0.0.1 does not have it any more (404); use a"),
        ("500", SHA256, "ResNet-18 could not be downloaded because 127.0.0.1 has a fault of its own (500); try again"),
        ("403", SHA256, "ResNet-18 could not be downloaded because 127.0.0.1 refused it (403); try again later, or"),
        ("whole", "00000000", "What 127.0.0.1 sent is not the ResNet-18 that its makers published (the checksum diff"),
    ],
    ids=["cut", "stall", "silent", "404", "500", "403", "wrong-hash"],
)
def test_a_failure_is_one_sentence_and_leaves_nothing(server, destination, impatient, way, sha256, sentence, before):
    if before is not None:
        destination.parent.mkdir()
        destination.write_bytes(before)
    started = time.monotonic()
    with pytest.raises(LoadError) as caught:
        fetch(server.url(way), destination, sha256)
    assert time.monotonic() - started < 2
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith("a bundled model.") or way == "404"
    assert str(caught.value).count(". ") == 0
    assert "weights.pth" not in str(caught.value)
    assert left(destination.parent) == ([] if before is None else ["weights.pth"])
    assert before is None or destination.read_bytes() == before


def test_an_unplugged_machine_answers_at_once(destination):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        started = time.monotonic()
        with pytest.raises(LoadError, match=r"because 127\.0\.0\.1 cannot be reached"):
            fetch(f"http://127.0.0.1:{closed.getsockname()[1]}/weights.pth", destination)
    assert time.monotonic() - started < 2
    assert left(destination.parent) == []


def test_looking_up_the_name_has_a_deadline_too(destination, impatient, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(10) and [])
    started = time.monotonic()
    with pytest.raises(LoadError, match=r"because weights\.invalid cannot be reached"):
        fetch("http://weights.invalid/weights.pth", destination)
    assert time.monotonic() - started < 2
    over.set()


def test_an_unsafe_connection_is_said(server, destination):
    with pytest.raises(LoadError, match=r"the connection to 127\.0\.0\.1 is not safe"):
        fetch(server.url("whole").replace("http:", "https:"), destination)
    assert left(destination.parent) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_midway(server, destination, monkeypatch, code):
    def full(file, buffer):
        raise OSError(code, os.strerror(code))

    real_open = open

    def open_(path, mode="r", *rest, **named):
        file = real_open(path, mode, *rest, **named)
        if not str(path).endswith(".partial"):
            return file
        return type("FullDisk", (), {"write": full, "close": lambda self: file.close(), "name": path})()

    monkeypatch.setattr("builtins.open", open_)
    with pytest.raises(LoadError, match=r"^ResNet-18 does not fit on the disk; make room in .*cache and try again"):
        fetch(server.url("whole"), destination)
    monkeypatch.undo()
    assert left(destination.parent) == []


def test_a_disk_with_too_little_room_is_noticed_before_the_first_byte(server, destination, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, len(BODY) - 1))
    reports = []
    with pytest.raises(LoadError, match="does not fit on the disk"):
        fetch(server.url("whole"), destination, progress=lambda done, total: reports.append(done))
    assert reports == []
    assert left(destination.parent) == []


def test_a_folder_that_cannot_be_written_to(server, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(LoadError, match=r"^ResNet-18 cannot be saved because .*file cannot be written to"):
        fetch(server.url("whole"), tmp_path / "file" / "weights.pth")


@pytest.mark.parametrize(("way", "after"), [("slow", 1), ("silent", 0)])
def test_a_visitor_can_stop_it(server, destination, way, after):
    reports = []

    def cancelled() -> bool:
        if len(reports) >= after:
            server.released.set()  # what was under way may go on; it is not waited for
            return True
        return False

    with pytest.raises(LoadError, match=r"^The download of ResNet-18 was stopped, and nothing of it was kept\.$"):
        fetch(server.url(way), destination, progress=lambda done, total: reports.append(done), cancelled=cancelled)
    assert left(destination.parent) == []


def test_a_visitor_can_stop_waiting_for_another_session(server, destination):
    destination.parent.mkdir()
    held, over = threading.Event(), threading.Event()

    def session() -> None:
        with download._lock(destination, lambda *_: None, lambda: False):
            held.set()
            over.wait(10)

    other = threading.Thread(target=session)
    other.start()
    held.wait(10)
    with pytest.raises(LoadError, match="was stopped"):
        fetch(server.url("whole"), destination, cancelled=lambda: True)
    assert server.requests["whole"] == 0
    over.set()
    other.join()
    fetch(server.url("whole"), destination)  # the lock is free again


@pytest.mark.parametrize("exception", [KeyboardInterrupt, RuntimeError])
def test_a_page_that_is_left_midway_ends_the_download(server, destination, exception):
    def leave(done: int, total: int | None) -> None:
        raise exception("rerun")

    with pytest.raises(exception, match="rerun"):
        fetch(server.url("whole"), destination, progress=leave)
    assert left(destination.parent) == []
    fetch(server.url("whole"), destination)


def test_the_file_server_fails_as_it_claims(server: FileServer):
    with socket.create_connection(server.server_address) as connection:
        connection.sendall(b"GET /cut/x HTTP/1.0\r\n\r\n")
        received = b""
        while part := connection.recv(1 << 16):
            received += part
    head, body = received.split(b"\r\n\r\n", 1)
    assert f"Content-Length: {len(BODY)}".encode() in head
    assert body == BODY[: len(BODY) // 2]
