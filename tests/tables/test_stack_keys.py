"""The content hashes: pinned values, folding, trimming, sites."""

import pytest

from gotrace.tables import stack_keys as keys

POLL = [
    ("runtime.gopark", "/go/src/runtime/proc.go", 402),
    ("internal/poll.(*FD).Read", "/go/src/internal/poll/fd_unix.go", 165),
    ("net.(*conn).Read", "/go/src/net/net.go", 189),
    ("example.com/a/b%2ev2.Map[go.shape.int,example.com/x/y.T].func1", "/src/b/map.go", 88),
    ("main.main", "/src/main.go", 10),
    ("runtime.main", "/go/src/runtime/proc.go", 283),
    ("runtime.goexit", "/go/src/runtime/asm_amd64.s", 1700),
]


def stack_of(frames):
    rows = [keys.frame_row(*frame) for frame in frames]
    return keys.stack_row(
        [row.frame_id for row in rows],
        [row.function for row in rows],
        [file for _, file, _ in frames],
        [line for _, _, line in frames],
    )


def test_golden_values():
    """These never change: lakes and other tools hold them."""
    assert keys.frame_id("main.main", "/src/main.go", 10) == 8505077180998490130
    assert keys.frame_id("", "", 0) == 3365392326928586569
    assert keys.stack_id([1, 2, 3]) == 300805215671236202
    assert keys.stack_id([]) == 3048636075347514769
    assert keys.fingerprint(["main.main"]) == 5749542115183595916
    assert keys.address_id("abc", 4096) == 6835829006353984860


def test_hash_follows_its_specification():
    import hashlib
    import struct

    function, file = b"main.f", b"/x.go"
    content = b"gotrace.frame.v1\0" + struct.pack("<I", 6) + function
    content += struct.pack("<I", 5) + file + struct.pack("<q", -1)
    value = int.from_bytes(hashlib.sha256(content).digest()[:8], "big") & (2**63 - 1)
    assert keys.frame_id("main.f", "/x.go", -1) == value
    assert keys.frame_id("main.f", "/x.go", 2**64 - 1) == value


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("main.main", "main.main"),
        ("main.Map[go.shape.int]", "main.Map[...]"),
        ("main.Map[...]", "main.Map[...]"),
        ("main.(*Tree[go.shape.[]uint8,x/y.T]).Walk.func1", "main.(*Tree[...]).Walk.func1"),
        ("main.F[a].g[b]", "main.F[...].g[...]"),
        ("main.broken[", "main.broken["),
        ("main.odd]", "main.odd]"),
    ],
)
def test_fold(name, folded):
    assert keys.fold(name) == folded


@pytest.mark.parametrize(
    ("name", "package", "short", "is_std", "is_runtime"),
    [
        ("main.main", "main", "main.main", False, False),
        ("net/http.(*Server).Serve", "net/http", "http.(*Server).Serve", True, False),
        ("runtime.gopark", "runtime", "runtime.gopark", True, True),
        ("internal/runtime/maps.(*Map).Put", "internal/runtime/maps", "maps.(*Map).Put", True, 1),
        ("gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.v3", "yaml%2ev3.Unmarshal", False, False),
        ("a/b.F[x/y.T]", "a/b", "b.F[...]", False, False),
        ("vendor/golang.org/x/text/unicode/norm.f", "vendor/golang.org/x/text/unicode/norm",
         "norm.f", True, False),
        ("type:.eq.main.T", "", "type:.eq.main.T", False, False),
        ("memmove", "", "memmove", False, False),
        ("", "", "", False, False),
    ],
)  # fmt: skip
def test_function_name(name, package, short, is_std, is_runtime):
    said = keys.function_name(name)
    assert (said.package, said.short) == (package, short)
    assert (said.is_std, said.is_runtime) == (is_std, is_runtime)


def test_tools_that_show_other_frames_agree_on_the_site_keys():
    profile = stack_of(POLL)
    trace = stack_of(POLL[1:-1])
    dump = stack_of(POLL[1:-2])
    assert len({profile.stack_id, trace.stack_id, dump.stack_id}) == 3
    assert profile.site_stack_id == trace.site_stack_id == dump.site_stack_id
    assert profile.fingerprint == trace.fingerprint == dump.fingerprint


def test_fingerprint_ignores_lines_and_files():
    moved = [(function, "/elsewhere" + file, line + 7) for function, file, line in POLL]
    assert stack_of(moved).fingerprint == stack_of(POLL).fingerprint
    assert stack_of(moved).site_stack_id != stack_of(POLL).site_stack_id


def test_stack_of_the_runtime_alone_keeps_its_frames():
    frames = [("runtime.gopark", "p.go", 1), ("runtime.bgsweep", "s.go", 2)]
    row = stack_of([*frames, ("runtime.goexit", "a.s", 3)])
    assert row.site_stack_id == stack_of(frames).stack_id
    assert (row.leaf, row.root, row.site) == ("runtime.gopark", "runtime.bgsweep", None)


def test_site_is_the_first_frame_outside_the_standard_library():
    row = stack_of(POLL)
    assert row.site == "b%2ev2.Map[...].func1 map.go:88"
    assert row.site_function == "example.com/a/b%2ev2.Map[...].func1"
    assert (row.site_file, row.site_line) == ("/src/b/map.go", 88)


def test_unknown_and_empty():
    assert stack_of([]).root == ""
    assert stack_of([("", "", 0)]).site is None
    assert keys.frame_row("", "", 0).package == ""
