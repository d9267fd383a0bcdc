"""A file server on loopback that answers well or badly, as the path says."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Serves one body.

    /whole/x: all of it; /unsized/x: without its length; /slow/x: in pieces, as release() lets it; /cut/x: half of it;
    /stall/x: half of it, then nothing; /silent/x: no answer; /<number>/x: that status.
    """

    daemon_threads = True

    def __init__(self, body: bytes):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = body
        self.requests: Counter[str] = Counter()
        self.released = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that hangs up is part of the tests
            super().handle_error(request, client_address)

    def url(self, way: str, file: str = "weights.pth") -> str:
        return f"http://127.0.0.1:{self.server_port}/{way}/{file}"


class Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        way, body = self.path.split("/")[1], self.server.body
        self.server.requests[way] += 1
        if way == "silent":
            self.server.released.wait(20)
            return
        if way.isdigit():
            self.send_error(int(way))
            return
        self.send_response(200)
        if way != "unsized":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if way in ("whole", "unsized"):
            self.wfile.write(body)
            return
        self.wfile.write(body[: len(body) // 2])
        if way != "cut":
            self.wfile.flush()
            self.server.released.wait(20)
        if way == "slow":
            self.wfile.write(body[len(body) // 2 :])

    def log_message(self, *_message: object) -> None:
        pass


@contextmanager
def serving(body: bytes) -> Iterator[FileServer]:
    server = FileServer(body)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
