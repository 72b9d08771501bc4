"""Build the one extension module; everything else is in pyproject.toml.

Switches, by environment variable set to 1:

GOTRACE_SANITIZE  AddressSanitizer and UndefinedBehaviorSanitizer, -O1 -g
GOTRACE_TRACE     Cython line tracing, for coverage of the .pyx and .pxi files
GOTRACE_PROFILE   -g -fno-inline, so that perf and callgrind see every function
"""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup


def switch(name: str) -> bool:
    """Whether the environment switch is on."""
    return os.environ.get(name, "") not in ("", "0")


sanitize, trace, profile = map(switch, ("GOTRACE_SANITIZE", "GOTRACE_TRACE", "GOTRACE_PROFILE"))

# What is inline in a .pxd is so for speed, and a compiler that counts lines leaves it out of the
# one loop that matters.
macros: list[tuple[str, str | None]] = []
link: list[str] = []
if sys.platform == "win32":
    compile_args = ["/O2", "/fp:precise"]
else:
    # Times are Go's only without contraction of a*b+c.
    macros += [("CYTHON_INLINE", "inline __attribute__((always_inline))")]
    compile_args = ["-O3", "-ffp-contract=off", "-fvisibility=hidden", "-Wno-unreachable-code"]
    if sanitize:
        flags = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
        compile_args += ["-O1", "-g", *flags]
        link += flags
    if profile:
        compile_args += ["-g", "-fno-inline"]
if trace:
    macros += [("CYTHON_TRACE", "1"), ("CYTHON_TRACE_NOGIL", "1")]
    macros += [("CYTHON_USE_SYS_MONITORING", "0")]

core = Extension(
    "gotrace._core",
    ["src/gotrace/_core.pyx"],
    include_dirs=["src/gotrace/_core", "src"],
    define_macros=macros,
    extra_compile_args=compile_args,
    extra_link_args=link,
)

setup(
    ext_modules=cythonize(
        [core],
        include_path=["src"],
        emit_linenums=sanitize or profile,
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "binding": True,
            "auto_pickle": False,
            "autotestdict": False,
            "linetrace": trace,
            "freethreading_compatible": True,
        },
    ),
)
