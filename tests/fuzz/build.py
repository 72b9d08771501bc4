"""Build a fuzzer: the core and one target, with clang's libFuzzer, ASan and UBSan.

python -m tests.fuzz.build trace            # build/fuzz/trace
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OUT = ROOT / "build" / "fuzz"

#: What can be fuzzed; each has a NAME_target.pyx here.
TARGETS = tuple(sorted(path.stem.removesuffix("_target") for path in HERE.glob("*_target.pyx")))

SANITIZERS = "address,undefined"
#: Null plus 0 is everywhere, in Cython's glue too, and means no harm.
STRICT = ("-fno-sanitize-recover=undefined", "-fno-sanitize=pointer-overflow")
#: Edges only: comparisons cost a third of the speed, and our mutators know what is compared.
COVERAGE = ("-fsanitize-coverage=inline-8bit-counters,pc-table",)
#: Of the core alone: what fails on demand, and what is not worth it otherwise.
FUZZED = ("-include", str(HERE / "failing_alloc.h"), "-DGOTRACE_WORTH_A_THREAD=1")
COMPILE = ("-O2", "-g", "-fno-omit-frame-pointer", "-ffp-contract=off", "-Wno-everything")
INSTALL_HINT = "clang with libFuzzer is missing: make fuzz-tools"


class BuildError(RuntimeError):
    """A fuzzer cannot be built; the message says what is missing or what the compiler said."""


def build(target: str) -> Path:
    """Build what is not up to date; the path of the executable."""
    if target not in TARGETS:
        raise BuildError(f"there is no target {target!r}, only {', '.join(TARGETS)}")
    clang = shutil.which("clang")
    if clang is None:
        raise BuildError(INSTALL_HINT)
    OUT.mkdir(parents=True, exist_ok=True)
    core_sources = [*_core_sources(), HERE / "failing_alloc.h", *HERE.glob("quick_*.pxi")]
    core = _object(clang, _core_with_entry(), core_sources, instrumented=True)
    source = HERE / f"{target}_target.pyx"
    driver = _object(clang, source, [source, *_core_sources(), *HERE.glob("*.px?")])
    embed = OUT / f"{target}_embed.o"
    if _is_stale(embed, [HERE / "embed.c", Path(__file__)]):
        defines = (f'-DFUZZ_TARGET="{source.stem}"', f"-DFUZZ_INIT=PyInit_{source.stem}")
        _run(clang, *COMPILE, *_includes(), *defines, "-c", HERE / "embed.c", "-o", embed)
    program = OUT / target
    if _is_stale(program, [core, driver, embed]):
        sanitize = f"-fsanitize=fuzzer,{SANITIZERS}"
        _run(clang, sanitize, core, driver, embed, *_python_libraries(), "-o", program)
    return program


def _core_sources() -> list[Path]:
    core = ROOT / "src" / "gotrace" / "_core"
    return [core.with_suffix(".pyx"), *core.rglob("*.px?"), *core.rglob("*.h")]


def _core_with_entry() -> Path:
    """The core with a native way in, for what must be quick."""
    source = ROOT / "src" / "gotrace" / "_core.pyx"
    made = OUT / source.name
    text = source.read_text(encoding="utf-8")
    for entry in sorted(HERE.glob("quick_*.pxi")):
        text += f'\ninclude "{entry.name}"\n'
    if not made.exists() or made.read_text(encoding="utf-8") != text:
        made.write_text(text, encoding="utf-8")
    return made


def _object(
    clang: str, source: Path, sources: Iterable[Path], *, instrumented: bool = False
) -> Path:
    """Cython, then clang; the checks of a target are sanitized, but are no coverage."""
    code = OUT / f"{source.stem}.c"
    made = OUT / f"{source.stem}.o"
    if _is_stale(made, [*sources, Path(__file__)]):
        cython = (sys.executable, "-m", "cython", "-3", "-I", ROOT / "src")
        name = ("--module-name", f"gotrace.{source.stem}") if instrumented else ()
        paths = (ROOT / "src/gotrace", ROOT / "src/gotrace/_core", HERE)
        includes = (part for path in paths for part in ("-I", path))
        _run(*cython, *includes, *name, source, "-o", code)
        coverage = (*COVERAGE, *FUZZED) if instrumented else ()
        sanitize = (f"-fsanitize={SANITIZERS}", *STRICT, *coverage)
        _run(clang, *COMPILE, *sanitize, *_includes(), "-c", code, "-o", made)
    return made


def _includes() -> Sequence[str]:
    source = ROOT / "src"
    return (f"-I{sysconfig.get_path('include')}", f"-I{source}", f"-I{source}/gotrace/_core")


def _python_libraries() -> Sequence[str]:
    """What links Python, shared or static, into a program."""
    names = ("LIBDIR", "LIBPL", "LDVERSION", "LIBS", "SYSLIBS", "LINKFORSHARED")
    libdir, libpl, version, libs, syslibs, shared = (
        str(sysconfig.get_config_var(name) or "") for name in names
    )
    return (
        *(f"-L{libdir}", f"-L{libpl}", f"-Wl,-rpath,{libdir}", f"-lpython{version}"),
        *(*libs.split(), *syslibs.split(), *shared.split()),
    )


def _is_stale(made: Path, sources: Iterable[Path]) -> bool:
    if not made.exists():
        return True
    built = made.stat().st_mtime
    return any(source.stat().st_mtime > built for source in sources)


def _run(*command: str | Path) -> None:
    line = [str(part) for part in command]
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise BuildError(f"{' '.join(line)}\n{done.stdout}{done.stderr}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.build")
    parser.add_argument("targets", nargs="*", metavar="target")
    parser.add_argument("--list", action="store_true", help="print the names of all targets")
    options = parser.parse_args()
    if options.list:
        print(*TARGETS)
        return 0
    try:
        for target in options.targets or TARGETS:
            print(build(target))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
