#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py - runs the cases in cases/*.py: every function test_* is one.

usage: run.py BUILD_DIRECTORY [-l] [-j N] [-n FILE] [PATTERN...]

One line a case: 'ok NAME', 'not ok NAME' or 'skip NAME # reason'; lines that
begin with '# ' tell more. A pattern selects the cases whose name contains it;
-n FILE selects those that it lists, a name a line.
"""
import argparse
import concurrent.futures
import importlib
import os
import pathlib
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import vm  # noqa: E402 (the path is set just above)

printing = threading.Lock()


def load(patterns):
    """All cases in the order of the files, as (name, function)."""
    cases = []
    for path in sorted((HERE / "cases").glob("*.py")):
        module = importlib.import_module(f"cases.{path.stem}")
        for name, function in vars(module).items():
            if name.startswith("test_") and callable(function):
                name = f"{path.stem}.{name[5:]}"
                if not patterns or any(p in name for p in patterns):
                    cases.append((name, function))
    return cases


def report(word, name, seconds, detail="", notes=()):
    with printing:
        head, _, rest = detail.partition("\n")
        note = f" # {head}" if word == "skip" else f" ({seconds:.1f} s)"
        print(f"{word} {name}{note}")
        if word == "not ok":
            for line in (head, *rest.splitlines()):
                print(f"# {line}")
        for line in notes:
            print(f"# {line}")
        sys.stdout.flush()


def run_case(build, name, function):
    """One case; True if it did not fail."""
    context = vm.Context(build)
    begin = time.monotonic()
    word, detail = "ok", ""
    try:
        function(context)
    except vm.Skipped as reason:
        word, detail = "skip", str(reason)
    except vm.Failed as failure:
        word, detail = "not ok", str(failure)
    except Exception:
        word, detail = "not ok", traceback.format_exc()
    try:
        context.close()
    except Exception:
        word, detail = "not ok", f"{detail}\n{traceback.format_exc()}"
    report(word, name, time.monotonic() - begin, detail, context.notes)
    return word != "not ok"


def run_all(build, cases, jobs):
    """The sleepers one after the other, beside them the others by JOBS at a
    time; then those that want to be alone. True if none failed."""
    def marked(*marks):
        return [c for c in cases if any(getattr(c[1], m, False) for m in marks)]

    def run_one(case):
        return run_case(build, *case)
    special = marked("sleeper", "alone")
    rest = [c for c in cases if c not in special]
    with concurrent.futures.ThreadPoolExecutor(1) as beside, \
            concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        sleepers = beside.map(run_one, marked("sleeper"))
        good = [*pool.map(run_one, rest), *sleepers]
    good += map(run_one, marked("alone"))
    return all(good)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("build")
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("-l", "--list", action="store_true")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("-n", "--names", type=pathlib.Path, metavar="FILE")
    options = parser.parse_intermixed_args()
    build = os.path.realpath(options.build)
    cases = load(options.patterns)
    if options.names:
        names = options.names.read_text().split()
        cases = [case for case in cases if case[0] in names]
    if options.list:
        print("\n".join(name for name, _ in cases))
        return 0
    if not cases:
        print("no case matches", file=sys.stderr)
        return 2
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        for name, _ in cases:
            report("skip", name, 0, "no usable /dev/kvm")
        return 0
    return 0 if run_all(build, cases, options.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
