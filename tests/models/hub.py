"""A stand-in for Hugging Face's hub on the loopback interface: the endpoints that a download uses, and their faults."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SHA = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """One repository, `name`, with the files of `folder` and some that nobody needs; counts what was asked for."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        self.files["original/model.safetensors"] = self.files["pytorch_model.bin"] = b"not needed"
        self.claimed: dict[str, int] = {}
        """Sizes that are told in place of the true ones."""
        self.cut: dict[str, int] = {}
        """After how many bytes of a file the connection breaks, once."""
        self.broken: set[str] = set()
        """Files that always fail."""
        self.stalled: set[str] = set()
        """Files of which half comes, and the rest only once `let` is set."""
        self.let = threading.Event()
        self.half = threading.Event()
        """Set as soon as half of a stalled file was sent."""
        self.got: list[tuple[str, str | None]] = []
        """Each GET of a file, with its Range."""
        self.url = ""

    def size(self, name: str) -> int:
        return self.claimed.get(name, len(self.files[name]))

    def etag(self, name: str) -> str:
        return hashlib.sha256(self.files[name]).hexdigest()


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serves it at `hub.url` while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Tests print nothing."""

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            path = self.path.partition("?")[0]
            if re.fullmatch(f"/api/models/{hub.name}(/revision/.+)?", path):
                files = [{"rfilename": name, "size": hub.size(name)} for name in hub.files]
                self.json({"id": hub.name, "modelId": hub.name, "sha": SHA, "siblings": files})
            elif re.fullmatch(f"/api/models/{hub.name}/tree/{SHA}", path):
                self.json(
                    [
                        {"type": "file", "path": name, "size": hub.size(name), "oid": hub.etag(name)}
                        for name in hub.files
                    ]
                )
            elif (found := re.fullmatch(f"/{hub.name}/resolve/{SHA}/(.+)", path)) and found[1] in hub.files:
                self.file(found[1], body)
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def json(self, value: object) -> None:
            text = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def file(self, name: str, body: bool) -> None:
            content, wanted = hub.files[name], self.headers.get("Range")
            if body:
                hub.got.append((name, wanted))
            if body and name in hub.broken:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            begin = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
            self.send_response(206 if wanted else 200)
            self.send_header("ETag", f'"{hub.etag(name)}"')
            self.send_header("X-Repo-Commit", SHA)
            self.send_header("Accept-Ranges", "bytes")
            if wanted:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            if body:
                end = hub.cut.pop(name, len(content))
                if name in hub.stalled:
                    middle = (begin + end) // 2
                    self.wfile.write(content[begin:middle])
                    self.wfile.flush()
                    hub.half.set()
                    hub.let.wait()
                    begin = middle
                with suppress(ConnectionError):  # who asked may have been ended meanwhile
                    self.wfile.write(content[begin:end])
                if end < len(content):
                    self.wfile.flush()
                    self.close_connection = True

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Who asked may have been ended in the middle of it."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        hub.let.set()
        server.shutdown()
        server.server_close()
        thread.join()
