"""Fetch one file of weights: torch.hub's own downloader, with a deadline, a progress report and a stop button.

torch.hub.download_url_to_file writes to a temporary file, checks the hash and renames; it knows no timeout, reports to
stderr only, cannot be stopped, and calls a download that broke off a wrong hash. It reaches the network and its
progress bar by two names of its module, `urlopen` and `tqdm`. `_library_downloader` runs the library's code object with
names of ours in those two places. Nothing shared is patched (neither torch.hub nor the socket default timeout), so
other sessions in this process see no change, and there is no thread or process that must be killed to stop.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import shutil
import ssl
import threading
import time
import types
from collections.abc import Callable
from concurrent import futures
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import filelock
import torch.hub

from explorer.text import _
from pretrained import LoadError

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all (None: the server did not say)
Cancelled = Callable[[], bool]

ANSWER_SECONDS = 6.0  # for looking up the name, connecting and the first line of the answer, together
SILENCE_SECONDS = 15.0  # between two packets, once it runs
REPORT_SECONDS = 0.1  # between two progress reports
CHUNK_BYTES = 32 * 1024  # read at a time; the stop button is looked at after each
STALE_SECONDS = 3600.0  # a temporary file untouched for so long belongs to a process that died


def fetch(
    url: str,
    destination: Path,
    *,
    name: str,
    sha256: str,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Path:
    """Download url to destination, unless another session has just done so; → destination.

    name: of the model, for messages; sha256: the whole hash in hex, or its first digits ("" checks nothing).
    progress is called in the caller's thread, at most every REPORT_SECONDS, at last with (total, total); an exception
    from it (a page that is being left) stops the download. Whatever happens, destination is either whole or as it was,
    and no temporary file stays. LoadError: one sentence on what went wrong.
    """
    progress = progress or (lambda done, total: None)
    cancelled = cancelled or (lambda: False)
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with _lock(destination, progress, cancelled):
            if destination.exists() and is_intact(destination, sha256):
                size = _size(destination)
                progress(size, size)
                return destination
            _remove_stale(destination)
            download = _library_downloader(
                functools.partial(_open, folder=destination.parent, name=name, cancelled=cancelled),
                functools.partial(_Meter, name, progress, cancelled),
            )
            download(url, str(destination), hash_prefix=sha256 or None)
    except filelock.Timeout as error:
        raise _stopped(name) from error
    except (OSError, HTTPException, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "hash" not in str(error):
            raise
        raise LoadError(_sentence(error, name, urlsplit(url).hostname or url, destination.parent)) from error
    return destination


def is_intact(path: Path, sha256: str) -> bool:
    """Whether the file's SHA-256 starts with these hex digits. OSError: it cannot be read."""
    if not sha256:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(sha256)


def _library_downloader(open_url: Callable, meter: Callable) -> Callable[..., None]:
    """torch.hub.download_url_to_file, seeing open_url for urlopen and meter for tqdm."""
    function = torch.hub.download_url_to_file
    names = {**vars(torch.hub), "urlopen": open_url, "tqdm": meter, "READ_DATA_CHUNK": CHUNK_BYTES}
    return types.FunctionType(function.__code__, names, function.__name__, function.__defaults__)


class _Meter:
    """Stands where torch.hub expects tqdm: reports, stops, and notices a download that ended too soon."""

    def __init__(self, name: str, progress: Progress, cancelled: Cancelled, total: int | None, **_style: object):
        self.name, self.progress, self.cancelled, self.total = name, progress, cancelled, total
        self.done = 0
        self.reported = -1
        self.next_report = 0.0

    def __enter__(self) -> _Meter:
        self.update(0)
        return self

    def update(self, count: int) -> None:
        """Count so many more bytes."""
        if self.cancelled():
            raise _stopped(self.name)
        self.done += count
        if time.monotonic() >= self.next_report:
            self._report(self.total)

    def _report(self, total: int | None) -> None:
        self.next_report = time.monotonic() + REPORT_SECONDS
        self.reported = self.done
        self.progress(self.done, total)

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is not None:
            return
        if self.total is not None and self.done < self.total:
            raise IncompleteRead(b"", self.total - self.done)
        if self.reported < self.done or self.total is None:
            self._report(self.done)


def _open(request: Request, *, folder: Path, name: str, cancelled: Cancelled) -> HTTPResponse:
    """urlopen with a deadline over all of it, and a look at the room on the disk before the first byte.

    A socket's timeout bounds one wait: not the look-up of the name, and each of a host's addresses anew, which without
    a network adds up to a minute. So the opening runs in a thread of its own, left to end by itself if it is too late.
    """
    opened: futures.Future[HTTPResponse] = futures.Future()

    def ask() -> None:
        try:
            opened.set_result(urlopen(request, timeout=SILENCE_SECONDS))  # noqa: S310 — the catalogue's own https address
        except BaseException as error:
            opened.set_exception(error)

    threading.Thread(target=ask, name="open download", daemon=True).start()
    deadline = time.monotonic() + ANSWER_SECONDS
    while not futures.wait([opened], timeout=0.05).done:
        stopped = cancelled()
        if stopped or time.monotonic() > deadline:
            opened.add_done_callback(_close_late_answer)
            raise _stopped(name) if stopped else URLError("no answer in time")
    try:
        response = opened.result()
    except TimeoutError as error:
        raise URLError(error) from error
    size = response.headers.get("Content-Length", "")
    if size.isdigit() and int(size) > shutil.disk_usage(folder).free:
        response.close()
        raise OSError(errno.ENOSPC, "not enough room")
    return response


def _close_late_answer(opened: futures.Future[HTTPResponse]) -> None:
    if opened.exception() is None:
        opened.result().close()


def _lock(destination: Path, progress: Progress, cancelled: Cancelled) -> filelock.AcquireReturnProxy:
    """Held while one session fetches this file; the others wait, and see it grow. filelock.Timeout: cancelled."""

    def look() -> bool:
        if sizes := [_size(path) for path in _partials(destination)]:
            progress(max(sizes), None)
        return cancelled()

    # The lock stays as an empty hidden file: removing it would let two waiting sessions lock two different files.
    lock = filelock.FileLock(destination.with_name(f".{destination.name}.lock"))
    return lock.acquire(poll_interval=0.1, cancel_check=look)


def _partials(destination: Path) -> list[Path]:
    """The temporary files that torch.hub's downloader makes beside destination."""
    start = destination.name + "."
    return [path for path in destination.parent.glob("*.partial") if path.name.startswith(start)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # renamed in this moment
        return 0


def _remove_stale(destination: Path) -> None:
    """Remove what a process that was killed has left. Other programs also download here, so only old files."""
    for path in _partials(destination):
        if time.time() - path.stat().st_mtime > STALE_SECONDS:
            path.unlink(missing_ok=True)


def _stopped(name: str) -> LoadError:
    return LoadError(_("The download of {name} was stopped, and nothing of it was kept.").format(name=name))


def _sentence(error: Exception, name: str, host: str, folder: Path) -> str:
    """What the visitor reads. error: as raised by urllib, the file system or torch.hub."""
    match error:
        case HTTPError(code=404 | 410):
            message = _(
                "{name} could not be downloaded because {host} does not have it any more ({code}); "
                "use a bundled model instead."
            )
        case HTTPError(code=code) if code >= 500:
            message = _(
                "{name} could not be downloaded because {host} has a fault of its own ({code}); "
                "try again later, or use a bundled model."
            )
        case HTTPError():
            message = _(
                "{name} could not be downloaded because {host} refused it ({code}); "
                "try again later, or use a bundled model."
            )
        case URLError(reason=ssl.SSLError()) | ssl.SSLError():
            message = _(
                "{name} could not be downloaded because the connection to {host} is not safe; "
                "log in to the network if it asks for it, or use a bundled model."
            )
        case URLError():
            message = _(
                "{name} could not be downloaded because {host} cannot be reached; "
                "check the network and try again, or use a bundled model."
            )
        case TimeoutError() | ConnectionError() | HTTPException():
            message = _(
                "The download of {name} broke off before its end, so nothing of it was kept; "
                "try again, or use a bundled model."
            )
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            message = _("{name} does not fit on the disk; make room in {folder} and try again, or use a bundled model.")
        case OSError():
            message = _(
                "{name} cannot be saved because {folder} cannot be written to; "
                "allow it and try again, or use a bundled model."
            )
        case _:  # torch.hub's RuntimeError
            message = _(
                "What {host} sent is not the {name} that its makers published (the checksum differs), "
                "so it was deleted; try again, or use a bundled model."
            )
    return message.format(name=name, host=host, folder=folder, code=getattr(error, "code", ""))
