# SPDX-License-Identifier: Apache-2.0
"""everyday.py - programs of the host's distribution, outside and inside: the
whole of `ampoule run` (packing, start, program, end), and what of it is the
program's own time."""
import json
import os
import shutil

from process import Failed, Run, Sample

PATH = "/usr/bin:/bin"
GCC = "/usr/lib/gcc/x86_64-linux-gnu/12"
LIB = "/usr/lib/x86_64-linux-gnu"
PYTHON = ("/usr/lib/python3.11",)
LINK = tuple(f"{LIB}/{name}" for name in (
    "crt1.o", "Scrt1.o", "crti.o", "crtn.o", "libc.so", "libc_nonshared.a"))
HELLO = ("#include <stdio.h>\n"
         "int main(void) { puts(\"hello\"); return 0; }\n")
COMPILE = f"printf %s '{HELLO}' > h.c && gcc -O2 -o h h.c && ./h"

# What, what has to come out, the files it needs inside, its memory, argv.
PROGRAMS = (
    ("bash -c true", "", (), "128M", ("bash", "-c", "true")),
    ("python3 -c pass", "", PYTHON, "256M", ("python3", "-c", "pass")),
    ("python3 -c 'print(1)'", "1\n", PYTHON, "256M",
     ("python3", "-c", "print(1)")),
    ("sha256 of 256 MiB",
     "a6d72ac7690f53be6ae46ba88506bd97302a093f7108472bd9efc3cefda06484  -\n",
     ("/usr/bin/dd", "/usr/bin/sha256sum"), "256M",
     ("bash", "-c", "dd if=/dev/zero bs=1M count=256 status=none | sha256sum")),
    ("gcc -O2 of a hello", "hello\n",
     ("/usr/bin/gcc", "/usr/bin/as", "/usr/bin/ld", GCC, "/usr/include",
      *LINK), "768M", ("bash", "-c", COMPILE)),
)
PHASES = (
    ("pack the program's files", "process_start", "packed"),
    ("jail and VMM", "packed", "first_kvm_run"),
    ("the guest kernel, to the first instruction", "first_kvm_run",
     "program_start"),
    ("the program", "program_start", "program_exit"),
    ("to the result", "program_exit", "result"),
)


def outside(b, text, argv):
    where = b.scratch / "everyday"
    where.mkdir(exist_ok=True)
    cwd = os.getcwd()
    os.chdir(where)
    try:
        run = Run([shutil.which(argv[0], path=PATH), *argv[1:]])
    finally:
        os.chdir(cwd)
    if run.out != text:
        raise Failed(f"{argv} outside said {run.out[:200]!r}")
    return run.ms


def inside(b, text, files, mem, argv):
    """(milliseconds from fork to wait, the timeline's stamps)"""
    report = b.scratch / "everyday.json"
    options = [f"--json={report}", "--mem", mem, "--env", f"PATH={PATH}",
               "--cwd", "/tmp"]
    for path in files:
        options += ["--file", path]
    run = Run([b.ampoule, "run", *options, "--",
               shutil.which(argv[0], path=PATH), *argv[1:]])
    if run.out != text:
        raise Failed(f"{argv} inside said {run.out[:200]!r}")
    return run.ms, json.loads(report.read_text())["timeline"]


def compare(b, program):
    """(outside, inside, stamps of each run inside)"""
    what, text, files, mem, argv = program
    for path in files:
        if not os.path.exists(path):
            raise Failed(f"{what}: {path} is not here")
    out, into, stamps = [], [], []
    for _ in range(b.rounds(7, 3)):
        out.append(outside(b, text, argv))
        ms, line = inside(b, text, files, mem, argv)
        into.append(ms)
        stamps.append(line)
    return Sample(out), Sample(into), stamps


def phase(stamps, first, last):
    return Sample(line[last] - line[first] for line in stamps)


def bench_everyday(b):
    rows, figures, phases = [], {}, []
    for program in PROGRAMS:
        what = program[0]
        try:
            out, into, stamps = compare(b, program)
        except (Failed, OSError, KeyError, TypeError) as why:
            b.problems.append(f"everyday: {what}: {why}")
            continue
        own = phase(stamps, "program_start", "program_exit")
        rows.append([what, f"{out.median:.1f}", f"{own.median:.1f}",
                     f"{into.median:.1f}",
                     f"{into.median / out.median:.1f}"])
        figures[what] = {"outside_ms": out.summary(),
                         "program_ms": own.summary(),
                         "inside_ms": into.summary()}
        if "print(1)" in what:
            phases = [[name, *(f"{v:.2f}" for v in (s.median, min(s.values),
                                                    max(s.values)))]
                      for name, s in ((name, phase(stamps, a, z))
                                      for name, a, z in PHASES)]
    b.table("Everyday programs, ms", ["what", "outside",
                                      "inside, the program alone",
                                      "inside, all of `ampoule run`",
                                      "all / outside"], rows, figures)
    if phases:
        b.table("Where the time of `ampoule run python3 -c 'print(1)'` goes, "
                "ms", ["phase", "median", "min", "max"], phases, {})
