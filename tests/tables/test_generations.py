"""The index of generations says the same as decoding them does."""

import pytest

import gotrace


@pytest.mark.parametrize("name", ["blocking-generations-go1.22", "blocking-generations-go1.27"])
def test_index_equals_the_decoded_table(real, name):
    trace = gotrace.open(real(name))
    decoded = trace.table("generations").to_pylist()
    indexed = trace.generations()
    assert len(indexed) > 1
    for ours, row in zip(indexed, decoded, strict=True):
        for key in ("number", "offset", "bytes", "batches", "freq_hz", "complete"):
            assert getattr(ours, key) == row[key], key
    assert indexed[0].start_ns == decoded[0]["start_ns"]
    assert sum(g.bytes for g in indexed) == trace.info().trace_bytes - 16


def test_a_cut_trace_raises_or_is_indexed_as_far_as_it_goes(real):
    data = gotrace.open(real("blocking-generations-go1.27"))
    whole = data.generations()
    import zstandard

    plain = (
        zstandard.ZstdDecompressor()
        .decompressobj()
        .decompress(real("blocking-generations-go1.27").read_bytes())
    )
    cut = plain[: whole[-1].offset + 10]
    with pytest.raises(gotrace.TruncatedError):
        gotrace.open(cut).generations()
    assert gotrace.open(cut, on_error="salvage").generations() == whole[:-1]
