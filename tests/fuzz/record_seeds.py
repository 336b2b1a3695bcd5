#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""record_seeds.py TEST-BUILD FUZZ-BUILD - run the unit tests with AMPOULE_RECORD
and merge what their drivers did into the corpora: of the recordings only those
that reach code which no seed reaches yet."""
import collections
import glob
import os
import shutil
import subprocess
import sys
import tempfile

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
# The first part of a recording's name, virtio device id or what it is, and who
# begins with it. Every device's sessions use registers and rings; 42 is the
# tests' own device, whose sessions are about nothing else.
DEVICES = {"1": "net", "2": "block", "3": "console", "4": "rng",
           "5": "balloon", "19": "vsock", "27": "pmem",
           "4294901761": "harness"}
TARGETS = {"state": ["state"], "pci": ["pci"], "42": ["mmio", "queue"],
           **{number: [name, "mmio", "queue"]
              for number, name in DEVICES.items()}}


def record(programs, where):
    for program in programs:
        with open(program, "rb") as f:
            if b"AMPOULE_RECORD" not in f.read():
                continue
        subprocess.run([program, "--quiet"], check=True, timeout=300,
                       env=dict(os.environ, AMPOULE_RECORD=where))


def sort_out(where):
    """Recordings by target."""
    found = collections.defaultdict(list)
    for path in glob.glob(os.path.join(where, "*-*")):
        kind = os.path.basename(path).split("-")[0]
        for target in TARGETS.get(kind, ()):
            found[target].append(path)
    return found


def merge(fuzzer, seeds, paths, *options):
    """Return: how many were added. libFuzzer names them by their hash."""
    os.makedirs(seeds, exist_ok=True)
    before = set(os.listdir(seeds))
    with tempfile.TemporaryDirectory() as new:
        for path in paths:
            shutil.copy(path, new)
        subprocess.run([fuzzer, "-merge=1", *options, seeds, new], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=1800)
    for name in set(os.listdir(seeds)) - before:
        os.rename(os.path.join(seeds, name),
                  os.path.join(seeds, "recorded-" + name[:12]))
    return len(set(os.listdir(seeds)) - before)


def main():
    tests, fuzz = (os.path.abspath(p) for p in sys.argv[1:])
    programs = [p for p in sorted(glob.glob(tests + "/tests/unit/test_*"))
                if os.path.isfile(p) and os.access(p, os.X_OK)]
    with tempfile.TemporaryDirectory() as where:
        record(programs, where)
        for target, paths in sorted(sort_out(where).items()):
            fuzzer = os.path.join(fuzz, "tests/fuzz/fuzz_" + target)
            if not os.path.exists(fuzzer):
                print(f"{target}: {len(paths)} recorded, but no fuzzer")
                continue
            # Of what all devices' drivers do alike, how often does not matter.
            few = ["-use_counters=0"] if target in ("mmio", "queue") else []
            added = merge(fuzzer, os.path.join(CORPUS, target), paths, *few)
            print(f"{target}: {len(paths)} recorded, {added} added")


main()
