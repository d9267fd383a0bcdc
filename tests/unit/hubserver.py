"""The hub's stand-in on loopback: models as folders, served by their ids."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar


class Handler(SimpleHTTPRequestHandler):
    """/<owner>/<name>/resolve/main/<file> from <folder>/<owner>/<name>/<file>; "private" models are not shown.

    asked: how often each file was asked for, by its name.
    """

    asked: ClassVar[Counter[str]] = Counter()

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.replace("/resolve/main", ""))

    def do_GET(self) -> None:
        self.asked[self.path.rsplit("/", 1)[-1]] += 1
        if "private" in self.path:
            self.send_error(401)
            return
        super().do_GET()

    def log_message(self, *_message: object) -> None:
        pass


@contextmanager
def serving_models(folder: Path) -> Iterator[str]:
    """The server's address, while it serves the models in the folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    Handler.asked.clear()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
