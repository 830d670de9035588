"""Build the compiled core: every .pyx below jubatus/_core is one extension, all with one set of flags.

Before that the stubs of the clients are written (jubatus/stubs.py), which every way of installing takes along.
JUBATUS_DEBUG=1 builds with bounds checks, assertions and no optimisation, for hunting a memory error. JUBATUS_CORE=0
leaves the core out, for an editable install: that would compile it in a folder of its own, one file after the other.
"""

import os
import subprocess
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("JUBATUS_DEBUG") == "1"
CORE = Path("jubatus/_core")

# Without contraction a * b + c rounds twice on every machine, as it did in the original on x86-64.
FLAGS = ["-std=c++17", "-O0" if DEBUG else "-O3", "-g1", "-ffp-contract=off", "-fno-strict-aliasing"]
DIRECTIVES = {
    "language_level": 3,
    "embedsignature": True,
    "boundscheck": DEBUG,
    "wraparound": False,
    "initializedcheck": DEBUG,
    "cdivision": True,
}

subprocess.run([sys.executable, "-m", "jubatus.stubs"], check=True)

setup(
    ext_modules=cythonize(
        [
            Extension(
                ".".join(source.with_suffix("").parts),
                [str(source)],
                include_dirs=[str(CORE)],
                depends=sorted(map(str, CORE.rglob("*.h"))),
                language="c++",
                extra_compile_args=FLAGS,
                libraries=["dl"] if source.stem == "regex" else [],
            )
            for source in sorted(CORE.rglob("*.pyx"))
            if os.environ.get("JUBATUS_CORE") != "0"
        ],
        compiler_directives=DIRECTIVES,
        build_dir="build/cython",
        nthreads=os.cpu_count() or 1,
    )
)
