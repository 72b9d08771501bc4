"""Streams are decoded as their bytes arrive."""

from __future__ import annotations

import http.server
import io
import os
import socket
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard

import gotrace
from gotrace.sources.local import MemorySource, patience
from tests.soak.results import record
from tests.soak.traces import write_fat
from tests.timing import within

REAL = Path(__file__).parents[1] / "data" / "real"
PATIENCE_S = 2.0


BATCH_HEADER_BYTES = 32  #: at most, and a byte of what is in it


@pytest.fixture(scope="module", params=["go1.27", "go1.25", "go1.22", "long"])
def data(request) -> bytes:
    """Traces whose generations end with a marker (1.26), or where the next begins; 12 MB in one."""
    if request.param == "long":
        file = io.BytesIO()
        write_fat(file, 12)
        return file.getvalue()
    packed = (REAL / f"blocking-generations-{request.param}.trace.zst").read_bytes()
    return zstandard.ZstdDecompressor().decompressobj().decompress(packed)


class Writer(threading.Thread):
    """Writes the first generation, and the rest when it is told that rows came, or gives up."""

    def __init__(self, write, close, data: bytes) -> None:
        super().__init__(daemon=True)
        self._write, self._close, self._data = write, close, data
        self._split = 16 + gotrace.open(data).generations()[0].bytes
        if data < b"go 1.26":
            self._split += BATCH_HEADER_BYTES
        self.go_on = threading.Event()
        self.proved_at = float("inf")

    def run(self) -> None:
        # The last byte comes alone: it is the end marker, which proves the generation.
        self._write(self._data[: self._split - 1])
        time.sleep(0.05)
        self.proved_at = time.monotonic()
        self._write(self._data[self._split - 1 : self._split])
        self.go_on.wait(PATIENCE_S)
        step = max(1000, len(self._data) // 1000)
        for start in range(self._split, len(self._data), step):
            self._write(self._data[start : start + step])
        self._close()


def latency(source, writer: Writer, expected) -> float:
    """Read it all; seconds from the byte that proves the first generation to its first row."""
    writer.start()
    with source:
        reader = gotrace.open(source).reader("events")
        batches = [reader.read_next_batch()]
        came_at = time.monotonic()
        writer.go_on.set()
        batches += list(reader)
    writer.join()
    assert pa.Table.from_batches(batches).equals(expected)
    return came_at - writer.proved_at


def over_a_pipe(data: bytes):
    reading, writing = os.pipe()
    source, sink = os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=0)
    return source, Writer(sink.write, sink.close, data)


def over_a_socket(data: bytes):
    ours, theirs = socket.socketpair()
    with ours:  # the file keeps it open
        return ours.makefile("rb"), Writer(theirs.sendall, theirs.close, data)


@pytest.mark.parametrize("connect", [over_a_pipe, over_a_socket])
def test_the_first_rows_come_as_soon_as_they_can(data, connect):
    expected = gotrace.open(data).table("events")
    gotrace.open(data[:]).reader("events").read_next_batch()  # all is imported
    best = min(latency(*connect(data), expected) for _ in range(3))
    way = connect.__name__.removeprefix("over_").replace("_", " ")
    # A byte of the next batch's header proves it already: rows may be there before all of it is.
    record(
        f"first rows through {way}, trace of {len(data)} bytes",
        milliseconds=round(max(best, 0) * 1000, 1),
    )
    assert best < within(0.05), f"{best * 1000:.1f} ms"


def test_http_is_read_as_it_arrives(data):
    expected = gotrace.open(data).table("events")
    proved: list[Writer] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            writer = Writer(self.wfile.write, lambda: None, data)
            proved.append(writer)
            writer.run()

        def log_message(self, *_):
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        trace = gotrace.open(f"http://127.0.0.1:{server.server_port}/app.trace")
        proved[0].go_on.set()  # that was the look at the header
        reader = trace.reader("events")
        batches = [reader.read_next_batch()]
        waited = time.monotonic() - proved[-1].proved_at
        proved[-1].go_on.set()
        table = pa.Table.from_batches([*batches, *reader])
        server.shutdown()
    assert table.equals(expected)
    assert waited < PATIENCE_S / 2


def test_cancel_ends_a_reader_that_waits_for_an_http_server(data):
    silent = threading.Event()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            silent.wait(30)

        def log_message(self, *_):
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        trace = gotrace.open(f"http://127.0.0.1:{server.server_port}/app.trace")
        rows = []
        reader = threading.Thread(
            target=lambda: rows.extend(batch.num_rows for batch in trace.reader("events"))
        )
        reader.start()
        time.sleep(0.3)
        trace.cancel()
        began = time.monotonic()
        reader.join(20)
        waited = time.monotonic() - began
        silent.set()
        server.shutdown()
    assert not reader.is_alive()
    assert waited < within(1)


def test_the_end_of_an_answer_is_the_end_also_where_the_server_stays(data):
    """The connection stays open behind the last byte."""
    done = threading.Event()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()
            done.wait(10)

        def log_message(self, *_):
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        began = time.monotonic()
        table = gotrace.open(f"http://127.0.0.1:{server.server_port}/app.trace").table("events")
        waited = time.monotonic() - began
        done.set()
        server.shutdown()
    assert table.equals(gotrace.open(data).table("events"))
    assert waited < 9


def test_a_server_that_says_nothing_is_not_waited_for_for_ever():
    reading, writing = os.pipe()
    wait = patience(MemorySource(b""), reading, 0.2)
    with pytest.raises(TimeoutError, match="no bytes"):
        wait()
    os.close(writing)
    assert wait()  # there is an end to be read
    os.close(reading)
