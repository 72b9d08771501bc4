"""The corpora that are committed: tests/data/fuzz/TARGET.zip, one member an input."""

from __future__ import annotations

import zipfile
from pathlib import Path

HOME = Path(__file__).parents[1] / "data" / "fuzz"
MOST_PACKED_BYTES = 500_000


def inputs(target: str) -> dict[str, bytes]:
    """All inputs by name; none if no corpus was kept yet."""
    path = HOME / f"{target}.zip"
    if not path.exists():
        return {}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def unpack(target: str, folder: Path) -> None:
    """Write the inputs into a folder, one file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in inputs(target).items():
        (folder / name).write_bytes(data)


def pack(target: str, folder: Path) -> None:
    """Make the corpus of the files in a folder, the same bytes for the same files."""
    files = sorted(folder.iterdir(), key=lambda path: (path.stat().st_size, path.name))
    HOME.mkdir(parents=True, exist_ok=True)
    packed = HOME / f"{target}.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED)
    print(f"{packed}: {len(files)} inputs, {packed.stat().st_size:,} bytes")
    if packed.stat().st_size > MOST_PACKED_BYTES:
        print(f"that is more than {MOST_PACKED_BYTES:,}: keep fewer")
