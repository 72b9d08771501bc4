"""Go's text form, both ways; in doubt Go's own tool says what is right."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gotrace.errors import FormatError
from gotrace.spec.trace_events import HEADERS, header
from gotrace.wire import (
    TextReader,
    WireReader,
    WireTextError,
    bytes_to_text,
    encode,
    text_to_bytes,
    uvarint,
)
from gotrace.wire.quoting import quote, unquote
from tests.golab import peers, toolchain
from tests.wire.test_binary import REAL, traces

GOLDEN_TEXT = """\
Trace Go1.26
EventBatch gen=1 m=18446744073709551615 time=9 size=00000000016
Sync
Frequency freq=1000000000
ClockSnapshot dt=1 mono=99 sec=1740755049 nsec=123
EventBatch gen=1 m=1 time=15 size=4
ProcStatus dt=1 p=0 pstatus=1
EventBatch gen=1 m=1 time=16 size=12
Stacks
Stack id=1 nframes=2
\tpc=1 func=1 file=2 line=3
\tpc=04 func=5 file=6 line=7
EventBatch gen=1 m=1 time=16 size=9
Strings
String id=1
\tdata="a\\x00\\xff☺"
ExperimentalBatch exp=1 gen=1 m=1 time=9
\t# len=00000000
\tdata=""
EndOfGeneration
"""


def binary(text: str | bytes, **options: bool) -> bytes:
    return b"".join(text_to_bytes(text, **options))


def text_of(data: bytes, **options: str) -> str:
    return "".join(bytes_to_text(data, **options))


def test_text_comes_back() -> None:
    assert text_of(binary(GOLDEN_TEXT)) == GOLDEN_TEXT


def test_no_zeros_make_more_than_ten_bytes() -> None:
    assert binary(f"Trace Go1.26\nProcStop dt={'0' * 70}5\n")[16:] == b"\x0b" + uvarint(5, 9)


def test_zeros_are_padding_and_go_ignores_them() -> None:
    plain = binary("Trace Go1.26\nProcStart dt=1 p=2 p_seq=3\n")
    padded = binary("Trace Go1.26\nProcStart dt=1 p=0002 p_seq=3\n")
    assert plain[16:] == b"\x0a\x01\x02\x03"
    assert padded[16:] == b"\x0a\x01\x82\x80\x80\x00\x03"


@given(traces)
def test_any_records_come_back_through_text(trace) -> None:
    data = b"".join(encode(*trace))
    text = text_of(data)
    assert binary(text) == data
    assert text_of(binary(text)) == text
    assert list(TextReader(text)) == list(WireReader(data))


@given(st.sampled_from(sorted(HEADERS)), st.binary(max_size=200))
def test_any_bytes_come_back_through_salvaged_text(minor: int, body: bytes) -> None:
    data = header(minor) + body
    assert binary(text_of(data, on_error="salvage")) == data


@given(traces, st.lists(st.integers(1, 30), max_size=40))
def test_chunks_of_text_do_not_matter(trace, sizes: list[int]) -> None:
    data = text_of(b"".join(encode(*trace))).encode()
    chunks, position = [], 0
    for size in sizes:
        chunks.append(data[position : position + size])
        position += size
    assert list(TextReader([*chunks, data[position:]])) == list(TextReader(data))


@pytest.mark.parametrize("path", REAL[::7], ids=lambda path: path.name)
def test_real_traces_come_back_through_text(path: Path) -> None:
    data = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    assert binary(text_of(data)) == data


def test_a_damaged_trace_raises_by_default() -> None:
    with pytest.raises(FormatError, match="no event has the number 200"):
        text_of(header(26) + b"\x0b\x01\xc8")


# --- what Go tolerates ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Trace Go1.26\r\nProcStop dt=1\r\n",
        "\n# first\n\u00a0Trace\u2003Go1.026 # second\n\t ProcStop\u3000dt=1# third\n\n#",
        "Trace Go1.26\nProcStop dt=00000000001\n",
        b"Trace Go1.26\nProcStop dt=1 # \xff\xfe",
    ],
)
def test_spaces_comments_and_line_ends(text: str | bytes) -> None:
    assert [record.args for record in TextReader(text)] == [(1,)]


@pytest.mark.parametrize(
    ("quoted", "data"),
    [
        ('data="a\\x00\\377\\u263a\\U0001F600\\"\\a\\b\\f\\n\\r\\t\\v\\\\"', None),
        ("  data =  `raw \\x00`  ", b"raw \\x00"),
        ("data='x'", b"x"),
        ("data='\\''", b"'"),
        ('data=""', b""),
    ],
)
def test_quotes(quoted: str, data: bytes | None) -> None:
    (record,) = TextReader(f"Trace Go1.26\nString id=1\n{quoted}\n")
    expected = b'a\0\xff\xe2\x98\xba\xf0\x9f\x98\x80"\a\b\f\n\r\t\v\\' if data is None else data
    assert record.data == expected


def test_a_lying_size_stays_as_it_is() -> None:
    text = "Trace Go1.22\nEventBatch gen=1 m=1 time=1 size=9999999\nProcStop dt=1\n"
    assert text_of(binary(text)) == text


def test_events_are_known_under_every_header() -> None:
    text = "Trace Go1.22\nGoSwitch dt=1 g=2 g_seq=3\n"
    assert text_of(binary(text)) == text


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 0, "empty"),
        ("# nothing\n", 1, "empty"),
        ("Tracy Go1.26", 1, "begins with"),
        ("Trace 1.26", 1, "begins with"),
        ("Trace Go1.x", 1, "begins with"),
        ("Trace Go1.24", 1, "no trace of format v2"),
        ("Trace Go1.26 more", 1, "more than was expected"),
        ("Trace Go1.26\n\nGoWalk dt=1", 3, "no event has the name 'GoWalk'"),
        ("Trace Go1.26\nProcStop", 2, "'dt' is missing"),
        ("Trace Go1.26\nProcStop 1", 2, "not an argument"),
        ("Trace Go1.26\nProcStop dt=-1", 2, "not an argument"),
        ("Trace Go1.26\nProcStop dt=1_0", 2, "not an argument"),
        ("Trace Go1.26\nProcStop dt=\u0661", 2, "not an argument"),
        ("Trace Go1.26\nProcStop p=1", 2, "'p' where 'dt'"),
        ("Trace Go1.26\nProcStop dt=1 p=1", 2, "more than was expected"),
        ("Trace Go1.26\nProcStop dt=18446744073709551616", 2, "64 bits"),
        ("Trace Go1.26\nStack id=1 nframes=2\n\tpc=1 func=1 file=1 line=1", 3, "ends inside"),
        ("Trace Go1.26\nStack id=1 nframes=99999", 2, "99999 frames"),
        ("Trace Go1.26\nStack id=1 nframes=1\npc=1 func=1 file=1", 3, "'line' is missing"),
        ("Trace Go1.26\nString id=1", 2, "ends inside"),
        ("Trace Go1.26\nString id=1\nProcStop dt=1", 3, "was expected"),
        ('Trace Go1.26\nString id=1\ndata="a', 3, "quoted"),
        ('Trace Go1.26\nString id=1\ndata="\\q"', 3, "no such escape"),
        ('Trace Go1.26\nString id=1\ndata="\\ud800"', 3, "no such character"),
        ('Trace Go1.26\nString id=1\ndata="\\400"', 3, "no such byte"),
        ("Trace Go1.26\nString id=1\ndata='ab'", 3, "single quotes"),
        ("Trace Go1.26\nString id=1\ndata='\\\"'", 3, "no such escape"),
        ('Trace Go1.26\nString id=1\ndata="a"b"', 3, "quotation mark"),
    ],
)
def test_faults_name_the_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(WireTextError, match=reason) as error:
        binary(text)
    assert error.value.line == line
    assert str(error.value).startswith(f"line {line}: ")


def test_faults_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(WireTextError("why", 7, "x.test")))
    assert (str(error), error.line) == ("x.test: line 7: why", 7)


def test_any_version_on_demand() -> None:
    assert binary("Trace Go1.24\n", any_version=True) == header(24)


# --- Go's quotes ------------------------------------------------------------------------------


@given(st.binary(max_size=100))
def test_quoted_bytes_come_back(data: bytes) -> None:
    quoted = quote(data)
    assert unquote(quoted) == data
    assert "\n" not in quoted


def test_quote_escapes_what_go_escapes() -> None:
    assert quote(b'"\\\n\x00\x7f\x80\xed\xa0\x80') == '"\\"\\\\\\n\\x00\\x7f\\x80\\xed\\xa0\\x80"'
    assert quote("é☺\u00ad\u2028\U000e0001".encode()) == '"é☺\\u00ad\\u2028\\U000e0001"'


# --- against Go's raw tool --------------------------------------------------------------------


@pytest.mark.go
def test_goldens_of_go_are_read_as_go_reads_them() -> None:
    toolchain.require()
    cases = peers.golden_cases()
    assert len(cases) >= 22
    for case in cases:
        assert binary(case.text) == case.trace, case.name
        assert text_of(case.trace).encode() == peers.text_from_wire(case.trace), case.name


@pytest.mark.go
def test_go_reads_our_text_with_its_padding() -> None:
    toolchain.require()
    ours = text_of(binary(GOLDEN_TEXT))
    minimal = binary("".join(_without_padding(line) for line in ours.splitlines(keepends=True)))
    assert peers.wire_from_text(ours.encode()) == minimal


def _without_padding(line: str) -> str:
    return re.sub(r"=0+(?=[0-9])", "=", line)
