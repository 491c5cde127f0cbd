"""The page of an adapter that is not there: its files, and a document that a test has made.

    with Canned(document) as canned:
        browser.show(canned.url)
        canned.document = another"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "integration"))

import health  # noqa: E402

FILES = health.SCHEMA.parent / "page"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
JSON_TYPE = "application/health+json"


class Canned:
    """document must be as the schema has it. Paths in broken are answered with words."""

    def __init__(self, document):
        self.document = document
        self.broken = set()

    @property
    def document(self):
        return self._document

    @document.setter
    def document(self, document):
        self._document = json.dumps(document)
        health.parse_document(self._document)

    def answer(self, path):
        """The type and the text of what is there."""
        if path in self.broken:
            return "text/plain", "upstream connect error"
        if path == "/status":
            return JSON_TYPE, self._document
        file = FILES / ("page.html" if path == "/" else path[1:])
        document = self._document.replace("<", "\\u003c")
        text = file.read_text().replace("{{table}}", "").replace("{{document}}", document)
        return TYPES[file.suffix], text

    def __enter__(self):
        canned = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                kind, text = canned.answer(self.path.partition("?")[0])
                self.send_response(200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
