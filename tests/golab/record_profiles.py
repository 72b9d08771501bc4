"""Records the real profiles in `tests/data/profiles`, every kind with every Go that we read.

    python -m tests.golab.record_profiles              # all of them, and the README there
    python -m tests.golab.record_profiles --readme     # only the README, from the files

All of one version come from one run of `programs/spend`. They are never the same twice, so
whatever is pinned about them has to be pinned anew after this.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.golab.toolchain import VERSIONS, Toolchain
from tests.profiles.proto import Packed

PROGRAM = Path(__file__).parent / "programs" / "spend"
PROFILES = Path(__file__).parents[1] / "data" / "profiles"

#: Go 1.21 writes traces in the old format, but profiles like all others.
PROFILE_VERSIONS: tuple[str, ...] = ("1.21.13", *VERSIONS)

KINDS = ("cpu", "heap", "allocs", "block", "mutex", "goroutine", "threadcreate", "goroutineleak")

MIN_CPU_SAMPLES = 20
MAX_ATTEMPTS = 10


@dataclass(frozen=True)
class RealProfile:
    """A committed profile: its kind, and the Go that wrote it."""

    kind: str
    toolchain: Toolchain

    @property
    def path(self) -> Path:
        return PROFILES / f"{self.kind}-go1.{self.toolchain.minor}.pb.gz"


def real_profiles() -> Iterator[RealProfile]:
    """All profiles that are recorded, whether or not their files exist."""
    for version in PROFILE_VERSIONS:
        for kind in KINDS:
            toolchain = Toolchain(version)
            if kind != "goroutineleak" or toolchain.minor >= 27:
                yield RealProfile(kind, toolchain)


def record(toolchain: Toolchain) -> None:
    """Run the program with one Go and keep its profiles."""
    binary = Path(tempfile.gettempdir()) / "spend"  # profiles name the path of their program
    shutil.copy(toolchain.build_cached(PROGRAM), binary)
    for _attempt in range(MAX_ATTEMPTS):
        with tempfile.TemporaryDirectory(prefix="gotrace-record-") as scratch:
            toolchain.run(binary, scratch, "5s")
            cpu = Packed.FromString(gzip.decompress((Path(scratch) / "cpu.pb.gz").read_bytes()))
            if len(cpu.sample) < MIN_CPU_SAMPLES:  # a busy machine
                continue
            PROFILES.mkdir(parents=True, exist_ok=True)
            for profile in real_profiles():
                if profile.toolchain == toolchain:
                    found = Path(scratch) / f"{profile.kind}.pb.gz"
                    profile.path.write_bytes(found.read_bytes())
            return
    raise SystemExit(f"go {toolchain.version}: too few CPU samples in {MAX_ATTEMPTS} attempts")


README_HEAD = """\
# Real profiles

Written by `python -m tests.golab.record_profiles`; don't edit. All of one version of Go are from
one run of `tests/golab/programs/spend` (its head says what it does), as the runtime wrote them.

| file | Go | bytes | samples | locations | functions |
|---|---|---|---|---|---|
"""


def readme_row(profile: RealProfile) -> str:
    raw = profile.path.read_bytes()
    found = Packed.FromString(gzip.decompress(raw))
    counts = (len(raw), len(found.sample), len(found.location), len(found.function))
    cells = (profile.path.name, profile.toolchain.version, *map(str, counts))
    return f"| {' | '.join(cells)} |\n"


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.golab.record_profiles", description="Record the real profiles."
    )
    parser.add_argument("--readme", action="store_true", help="only write the README")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if not options.readme:
        for version in PROFILE_VERSIONS:
            toolchain = Toolchain(version)
            toolchain.install()
            record(toolchain)
            print(f"go {version}: recorded")
    rows = "".join(map(readme_row, real_profiles()))
    (PROFILES / "README.md").write_text(README_HEAD + rows, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
