#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run_unit.py PROGRAM [ARG...] - run a Criterion program, and turn what the
sanitizers wrote into a failure.

Criterion forks a process a test; a leak that LeakSanitizer finds at the exit
of such a process does not fail the test. So the reports go to files, and a
file that exists is one more failed TAP line.
"""
import glob
import os
import subprocess
import sys
import tempfile


def main():
    with tempfile.TemporaryDirectory() as where:
        log = os.path.join(where, "report")
        env = dict(os.environ)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            env[name] = ":".join(
                filter(None, (env.get(name), "log_path=" + log)))
        done = subprocess.run(sys.argv[1:], env=env, check=False)
        reports = sorted(glob.glob(log + "*"))
        for path in reports:
            with open(path, encoding="utf-8", errors="replace") as text:
                print("not ok - sanitizer report")
                sys.stderr.write(text.read())
        return 1 if reports else done.returncode


sys.exit(main())
