"""What can be opened, again or once, and how it is told apart."""

import gzip
import io
import os
import threading

import pytest

from gotrace import (
    ConsumedError,
    FormatError,
    GotraceError,
    Limits,
    TruncatedError,
    UnsupportedVersionError,
)
from gotrace.sources.input import Input, source_of
from gotrace.sources.sniff import check_version, sniff

TRACE = b"go 1.26 trace\0\0\0" + bytes(range(256)) * 20000


def read(given):
    return b"".join(bytes(chunk) for chunk in Input(source_of(given), Limits()).open().chunks)


def test_every_way_in(tmp_path):
    path = tmp_path / "a.trace"
    path.write_bytes(gzip.compress(TRACE))
    assert read(path) == read(str(path)) == TRACE
    assert read(path.as_uri()) == TRACE
    assert read(TRACE) == read(bytearray(TRACE)) == read(memoryview(TRACE)) == TRACE
    assert read(io.BytesIO(TRACE)) == TRACE
    with path.open("rb") as file:
        assert read(file) == TRACE
    with pytest.raises(TypeError, match="binary mode"):
        source_of(io.StringIO("x"))
    with pytest.raises(TypeError, match="int"):
        source_of(3)
    with pytest.raises(IsADirectoryError):
        source_of(tmp_path)
    with pytest.raises(FileNotFoundError):
        source_of(tmp_path / "none")


def test_a_pipe_is_read_once():
    reading, writing = os.pipe()

    def write():
        with open(writing, "wb") as file:
            file.write(TRACE)

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb") as file:
        given = Input(source_of(file), Limits())
        assert given.peek()[0].minor == 26
        assert not given.consumed
        assert b"".join(bytes(chunk) for chunk in given.open().chunks) == TRACE
        assert given.consumed
        with pytest.raises(ConsumedError):
            given.open()
    thread.join()


def test_files_and_bytes_are_read_as_often_as_one_likes(tmp_path):
    file = io.BytesIO(b"xx" + TRACE)
    file.seek(2)
    for _ in range(2):
        given = Input(source_of(file), Limits())
        assert given.peek() == given.peek()
        assert b"".join(bytes(c) for c in given.open().chunks) == TRACE
        assert b"".join(bytes(c) for c in given.open().chunks) == TRACE
        file.seek(2)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"go 1.26 trace\0\0\0", "trace"),
        (b"go 1.5 trace\0\0\0\0", "trace"),
        (b"goroutine 1 [running]:\nmain.main()\n", "dump"),
        (b"panic: boom\n\ngoroutine 1 [running]:\n", "dump"),
        (b"goroutine profile: total 4\n", "profile"),
        (b'{"Alloc": 1, "HeapAlloc": 3}', "memstats"),
        (b"\x0a\x04\x08\x01\x10\x02\x0a\x04\x08\x03\x10\x04", "profile"),
    ],
)
def test_kinds(head, kind):
    assert sniff(head, "x").kind == kind


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"<!DOCTYPE html><title>404 Not Found</title>", 'web page.*"404 Not Found"'),
        (b"{\"error\": \"no\"}", "JSON"),
        (b"Not Found\n", 'text.*"Not Found"'),
        (b"\x7fELF\x02\x01", "ELF program"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"\x00\x01\x02\x03", "00 01 02 03"),
        ("\u202eevil\x1b[31m".encode(), "not a Go trace"),
        (b"go 1.26 trace\0\0x", "not a Go trace"),
    ],
)  # fmt: skip
def test_everything_else_is_refused_and_quoted(head, says):
    with pytest.raises(FormatError, match=says) as caught:
        sniff(head, "page")
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)


@pytest.mark.parametrize("length", range(16))
def test_parts_of_a_header_are_truncated(length):
    with pytest.raises(TruncatedError):
        sniff(TRACE[:length], "x")


@pytest.mark.parametrize("minor", [5, 11, 19, 21, 24, 27, 99])
def test_versions_that_are_not_read(minor):
    with pytest.raises(UnsupportedVersionError, match=rf"Go 1\.{minor}"):
        check_version(minor, "x")
    if minor > 26:
        check_version(minor, "x", lenient=True)
    else:
        with pytest.raises(UnsupportedVersionError):
            check_version(minor, "x", lenient=True)


def test_http(tmp_path):
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from urllib.error import HTTPError

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    (tmp_path / "a.trace").write_bytes(gzip.compress(TRACE))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        given = Input(source_of(f"{url}/a.trace"), Limits())
        assert given.peek()[1] == "gzip"
        assert b"".join(bytes(chunk) for chunk in given.open().chunks) == TRACE
        with pytest.raises(HTTPError) as caught:
            read(f"{url}/none")
        caught.value.close()
        assert isinstance(caught.value, OSError)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_addresses_of_no_known_kind():
    with pytest.raises(GotraceError, match="kind of address"):
        read("nope://bucket/key")
