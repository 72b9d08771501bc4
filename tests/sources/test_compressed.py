"""gzip and zstd: many members, padding, cuts, damage, limits."""

import gzip
import random

import pytest
import zstandard

from gotrace import FormatError, LimitError, Limits, TruncatedError
from gotrace.sources.compressed import Plain, take

TEXT = random.Random(1).randbytes(3000) + b"gotrace" * 700_000


def read(data, piece=1 << 20, limits=None):
    pieces = (data[i : i + piece] for i in range(0, len(data), piece))
    return b"".join(bytes(chunk) for chunk in Plain(pieces, limits or Limits(), "x"))


def zstd(data):
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


@pytest.mark.parametrize("piece", [1 << 20, 1000, 7])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
def test_round_trip(pack, piece):
    text = TEXT if piece > 7 else TEXT[:5000]
    assert read(pack(text), piece) == text


@pytest.mark.parametrize("piece", [1 << 20, 3])
def test_members_one_behind_the_other(piece):
    assert (
        read(gzip.compress(b"one") + gzip.compress(b"") + gzip.compress(b"two"), piece) == b"onetwo"
    )
    assert read(gzip.compress(b"one") + bytes(1000), piece) == b"one"
    assert read(gzip.compress(b"one") + bytes(9) + gzip.compress(b"two"), piece) == b"onetwo"
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    assert read(skippable + zstd(b"one") + skippable + zstd(b"two"), piece) == b"onetwo"


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_a_cut_gives_what_was_whole_and_then_says_so(pack):
    packed = pack(TEXT)
    plain = Plain(iter([packed[: len(packed) - 30]]), Limits(), "cut.gz")
    got = b""
    with pytest.raises(TruncatedError) as caught:
        for chunk in plain:
            got += chunk
    assert TEXT.startswith(got)
    assert caught.value.offset == len(got)
    assert caught.value.source == "cut.gz"


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_damage_is_a_format_error(pack):
    packed = bytearray(pack(TEXT))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(FormatError, match=r"damaged|ends in the middle"):
        read(bytes(packed))
    with pytest.raises(FormatError, match="damaged"):
        read(pack(b"fine") + b"garbage behind")


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_a_bomb_is_stopped(pack):
    bomb = pack(bytes(300 << 20))
    with pytest.raises(LimitError, match="inflate_ratio"):
        read(bomb, limits=Limits(inflate_ratio=100))
    with pytest.raises(LimitError, match="decompressed_bytes"):
        read(bomb, limits=Limits(decompressed_bytes=10 << 20))


@pytest.mark.parametrize("magic", [b"BZh9", b"\xfd7zXZ\x00", b"PK\x03\x04"])
def test_other_compressions_are_named(magic):
    with pytest.raises(FormatError, match="decompress it first"):
        read(magic + bytes(20))


def test_take_keeps_everything():
    head, chunks = take(iter([b"ab", b"", b"cdef", b"g"]), 3)
    assert head == b"abc"
    assert b"".join(chunks) == b"abcdefg"
    head, chunks = take(iter([b"ab"]), 3)
    assert (head, b"".join(chunks)) == (b"ab", b"ab")
