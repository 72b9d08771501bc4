"""Thrift's compact protocol: what is written is what Parquet's readers take."""

import pytest

from gotrace.sinks.thrift import I16, I32, I64, Raw, Struct, encode, fields


def test_bytes_as_the_protocol_has_them():
    inner = Struct(((1, I16(-1)), (15, b"ab")))
    assert encode(inner) == b"\x14\x01" + b"\xe8\x02ab" + b"\0"
    struct = Struct(
        ((1, True), (2, False), (3, None), (4, I32(300)), (5, [I64(1), I64(-2)]), (6, inner))
    )
    assert encode(struct) == (
        b"\x11\x12\x25\xd8\x04" + b"\x19\x26\x02\x03" + b"\x1c" + encode(inner) + b"\0"
    )


def test_lists_have_two_lengths_of_their_length():
    assert encode(Struct(((1, [I32(0)] * 14),))) == b"\x19\xe5" + bytes(14) + b"\0"
    assert encode(Struct(((1, [I32(0)] * 15),))) == b"\x19\xf5\x0f" + bytes(15) + b"\0"
    assert encode(Struct(((1, [True, False]),))) == b"\x19\x21\x01\x02\0"
    assert encode(Struct(((1, []),))) == b"\x19\x0c\0"


def test_fields_are_found_and_go_in_as_they_are():
    inner = Struct(((1, I64(-(2**40))), (2, [b"x"] * 20), (3, True)))
    struct = Struct(((1, I32(7)), (2, inner), (3, [inner, inner]), (9, b"end"), (10, False)))
    found = fields(encode(struct))
    assert list(found) == [1, 2, 3, 9, 10]
    assert encode(Struct(found.items())) == encode(struct)
    assert found[2] == Raw.of(inner)


def test_a_field_by_the_long_form():
    far = b"\x05\xc8\x01\x0e" + b"\x18\x01z" + b"\0"  # 100: an I32 of 7; 101: bytes
    assert fields(far) == {100: Raw(5, b"\x0e"), 101: Raw(8, b"\x01z")}


def test_fields_rise():
    with pytest.raises(ValueError, match="field 1 after 2"):
        encode(Struct(((2, I32(0)), (1, I32(0)))))
