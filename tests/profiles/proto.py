"""profile.proto by the protobuf library, with no code of gotrace's."""

from __future__ import annotations

import random
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_MESSAGES = {
    "Profile": "sample_type:1:*ValueType sample:2:*Sample mapping:3:*Mapping location:4:*Location"
    " function:5:*Function string_table:6:*text drop_frames:7:int64 keep_frames:8:int64"
    " time_nanos:9:int64 duration_nanos:10:int64 period_type:11:ValueType period:12:int64"
    " comment:13:*int64 default_sample_type:14:int64 doc_url:15:int64",
    "ValueType": "type:1:int64 unit:2:int64",
    "Sample": "location_id:1:*uint64 value:2:*int64 label:3:*Label",
    "Label": "key:1:int64 str:2:int64 num:3:int64 num_unit:4:int64",
    "Mapping": "id:1:uint64 memory_start:2:uint64 memory_limit:3:uint64 file_offset:4:uint64"
    " filename:5:int64 build_id:6:int64 has_functions:7:bool has_filenames:8:bool"
    " has_line_numbers:9:bool has_inline_frames:10:bool",
    "Location": "id:1:uint64 mapping_id:2:uint64 address:3:uint64 line:4:*Line is_folded:5:bool",
    "Line": "function_id:1:uint64 line:2:int64 column:3:int64",
    "Function": "id:1:uint64 name:2:int64 system_name:3:int64 filename:4:int64 start_line:5:int64",
}
"""name:number:type of every field; `*` is repeated."""


def profile_class(*, packed: bool, text: str) -> Any:
    """Make the class of profiles; `text` is string, or bytes, which nobody checks."""
    kinds = descriptor_pb2.FieldDescriptorProto
    package = f"gotrace.test.{'packed' if packed else 'unpacked'}.{text}"
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for described in fields.split():
            field, number, kind = described.split(":")
            made = message.field.add(name=field, number=int(number))
            repeated, kind = kind.startswith("*"), kind.removeprefix("*")
            kind = text if kind == "text" else kind
            made.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            if kind in _MESSAGES:
                made.type, made.type_name = kinds.TYPE_MESSAGE, f".{package}.{kind}"
            else:
                made.type = getattr(kinds, f"TYPE_{kind.upper()}")
                if repeated and kind.endswith("int64"):
                    made.options.packed = packed
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.Profile"))


Packed = profile_class(packed=True, text="bytes")
Unpacked = profile_class(packed=False, text="bytes")


def random_profile(seed: int, *, samples: int = 40) -> Any:
    """Make a profile that has everything real ones seldom have together."""
    rng = random.Random(seed)
    p = rng.choice([Packed, Unpacked])()
    words = [b"", b"cpu", b"ns", b"main.main", b"a\xffb", "größe".encode(), b"x[go.shape.int]", b""]
    p.string_table.extend(words)

    def word() -> int:
        return rng.randrange(len(words))

    for _ in range(rng.randrange(1, 4)):
        p.sample_type.add(type=word(), unit=word())
    wide = (1 << 64) - 1
    for id in rng.sample([1, 2, 77, 1 << 40, wide], 3):
        start = rng.choice([0, 0x400000, 1 << 63])
        p.mapping.add(id=id, memory_start=start, memory_limit=wide, file_offset=rng.randrange(9))
        p.mapping[-1].filename, p.mapping[-1].build_id = word(), word()
        p.mapping[-1].has_functions, p.mapping[-1].has_inline_frames = rng.random() < 0.5, True
    for id in rng.sample([3, 4, 5, 1 << 33, wide - 1], 4):
        p.function.add(id=id, name=word(), system_name=word(), filename=word(), start_line=-3)
    for id in rng.sample([*range(1, 30), wide, 1 << 63], 20):
        mapping = rng.choice([0, *(m.id for m in p.mapping)])
        made = p.location.add(id=id, mapping_id=mapping, address=rng.randrange(wide))
        made.is_folded = rng.random() < 0.2
        for _ in range(rng.choice([0, 1, 1, 3])):
            function = rng.choice(p.function).id
            made.line.add(function_id=function, line=rng.choice([-1, 0, 88, 1 << 40]), column=2)
    for _ in range(samples):
        depth = rng.choice([0, 1, 2, 3, 9])
        sample = p.sample.add(location_id=[rng.choice(p.location).id for _ in range(depth)])
        sample.value.extend(rng.choice([0, 5, -7, -(1 << 63)]) for _ in p.sample_type)
        for _ in range(rng.choice([0, 0, 1, 3])):
            sample.label.add(key=word(), str=rng.choice([0, word()]), num=rng.choice([0, -9, 64]))
            sample.label[-1].num_unit = word()
    p.time_nanos, p.duration_nanos, p.period = 1_700_000_000_123_456_789, 5, 10_000_000
    p.period_type.type, p.period_type.unit = 1, 2
    p.comment.extend([3, 5])
    p.drop_frames, p.keep_frames, p.default_sample_type, p.doc_url = word(), word(), 1, word()
    return p
