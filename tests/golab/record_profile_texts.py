"""Records the small real profiles in `tests/data/profile_texts`: each as profile.proto and as text.

    python -m tests.golab.record_profile_texts

The program `programs/profiles` runs once with every Go version; its head says what it does.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.golab.toolchain import VERSIONS, Toolchain

PROGRAM = Path(__file__).with_name("programs") / "profiles"
RECORDED = Path(__file__).parents[1] / "data" / "profile_texts"
WITH_TEXT = ("1.21.13", *VERSIONS)
"""Go versions whose profiles are recorded: the text form changed little, but it did."""


def recorded() -> Iterator[tuple[Path, Path]]:
    """The recorded profiles, each as text and as profile.proto."""
    for text in sorted(RECORDED.glob("*.txt.gz")):
        yield text, text.with_name(text.name.replace(".txt.gz", ".pb.gz"))


def record(toolchain: Toolchain) -> None:
    """Run the program and keep what it writes; texts are compressed, for they say all twice."""
    with tempfile.TemporaryDirectory(prefix="gotrace-record-") as scratch:
        toolchain.run(toolchain.build_cached(PROGRAM), "-o", scratch)
        for path in sorted(Path(scratch).iterdir()):
            name, _, ending = path.name.partition(".")
            kept = RECORDED / f"{name}-go1.{toolchain.minor}.{ending.removesuffix('.gz')}.gz"
            content = path.read_bytes()
            plain = gzip.decompress(content) if ending.endswith(".gz") else content
            kept.write_bytes(gzip.compress(plain, mtime=0))


def main() -> None:
    RECORDED.mkdir(parents=True, exist_ok=True)
    for version in WITH_TEXT:
        toolchain = Toolchain(version)
        toolchain.install()
        record(toolchain)
    total = sum(path.stat().st_size for path in RECORDED.iterdir())
    print(f"{len(list(RECORDED.iterdir()))} files, {total} bytes")


if __name__ == "__main__":
    main()
