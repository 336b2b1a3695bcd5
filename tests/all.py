#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""all.py - runs every suite of tests and counts; called by ./dev test.

usage: all.py [-l] [-q] [SUITE | PATTERN]...

Every suite speaks in lines: 'ok NAME', 'not ok NAME' with '# ' lines of
detail, 'skip NAME # reason'. The last line is 'N passed, N failed, N skipped'.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("AMPOULE_BUILD_ROOT", ROOT / "build"))
FUZZ_SECONDS = int(os.environ.get("AMPOULE_FUZZ_SECONDS", "20"))
SUITE_LIMIT = 3000  # seconds; a suite that takes longer is broken


class Report:
    """The counts, and what was printed."""

    def __init__(self, quiet):
        self.quiet = quiet
        self.passed, self.failed, self.skipped = 0, [], []
        self.lock = threading.Lock()

    def line(self, suite, text):
        """Take one line of a suite's output."""
        with self.lock:
            word = re.match(r"(ok|not ok|skip)\b *(.*)", text)
            if text.startswith("#"):
                print(f"    {text}")
            elif word:
                name = f"{suite}: {word[2]}"
                if word[1] == "ok":
                    self.passed += 1
                elif word[1] == "skip":
                    self.skipped.append(name)
                else:
                    self.failed.append(name)
                if word[1] != "ok" or not self.quiet:
                    print(f"{word[1]} {name}")
            sys.stdout.flush()

    def ok(self, suite, name):
        self.line(suite, f"ok {name}")

    def fail(self, suite, name, details):
        self.line(suite, f"not ok {name}")
        for text in details:
            self.line(suite, f"# {text}")

    def skip(self, suite, name, reason):
        self.line(suite, f"skip {name} # {reason}")

    def summary(self):
        for name in self.failed:
            print(f"failed: {name}")
        print(f"{self.passed} passed, {len(self.failed)} failed,"
              f" {len(self.skipped)} skipped")
        return 1 if self.failed or not self.passed else 0


def stream(report, suite, argv, env=None, limit=SUITE_LIMIT):
    """Run a suite that speaks in lines; its end must fit what it said."""
    before = len(report.failed)
    process = subprocess.Popen(
        [str(a) for a in argv], cwd=ROOT, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
        env=dict(os.environ, **(env or {})))

    def kill():
        os.killpg(process.pid, signal.SIGKILL)
    timer = threading.Timer(limit, kill)
    timer.start()
    errors = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr))
    reader.start()
    count = 0
    for text in process.stdout:
        count += 1
        report.line(suite, text.rstrip("\n"))
    status = process.wait()
    reader.join()
    timer.cancel()
    if (status != 0 and len(report.failed) == before) or not count:
        report.fail(suite, "the suite itself",
                    [f"status {status}, {count} lines",
                     *(e.rstrip("\n") for e in errors[-15:])])


def suite_build(report, patterns):
    """All configurations, gcc and clang, warnings are errors."""
    for config in ("test", "clang", "asan", "tsan", "fuzz"):
        begin = time.monotonic()
        result = subprocess.run([ROOT / "dev", "build", config], text=True,
                                capture_output=True, check=False)
        if result.returncode == 0:
            report.ok("build", f"{config} ({time.monotonic() - begin:.0f} s)")
        else:
            report.fail("build", config, result.stderr.splitlines()[:60])


def tap_lines(text):
    """(good, name) of each line of TAP."""
    for line in text.splitlines():
        found = re.match(r"\s*(ok|not ok)\b[ \d]*-? *(.*)", line)
        if found and "# SKIP" not in line:
            yield found[1] == "ok", found[2].strip()


def meson_tests(report, suite, config, patterns):
    """What meson knows as tests in one build directory."""
    folder = BUILD / config
    if not (folder / "build.ninja").exists():
        report.fail(suite, config, ["is not built"])
        return
    listed = subprocess.run(["meson", "test", "-C", folder, "--list"],
                            text=True, capture_output=True, check=False)
    names = [line.split(" / ")[-1].strip()
             for line in listed.stdout.splitlines() if " / " in line or line]
    names = [n for n in names if n and not n.startswith("ninja")]
    if patterns:
        names = [n for n in names if any(p in n for p in patterns)]
        if not names:
            return
    log = folder / "meson-logs/testlog.json"
    log.unlink(missing_ok=True)
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1",
               UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")
    result = subprocess.run(
        ["meson", "test", "-C", folder, "--no-rebuild", "-q",
         "--num-processes", "2", *(names if patterns else ())], text=True,
        capture_output=True, env=env, check=False, timeout=SUITE_LIMIT)
    if not log.exists():
        report.fail(suite, config, result.stderr.splitlines()[-20:]
                    + result.stdout.splitlines()[-20:])
        return
    for line in log.read_text().splitlines():
        one_program(report, suite, json.loads(line))


def one_program(report, suite, entry):
    """A test program: each of its TAP lines, or the program as one."""
    name = entry["name"].split(" / ")[-1]
    out = entry.get("stdout") or ""
    lines = list(tap_lines(out))
    for good, what in lines:
        if good:
            report.ok(suite, f"{name} {what}")
    bad = [what for good, what in lines if not good]
    for what in bad:
        report.fail(suite, f"{name} {what}",
                    [s for s in out.splitlines() if "##" in s
                     or s.lstrip().startswith("#")][:20])
    if entry["result"] == "SKIP":
        report.skip(suite, name, "the program skipped itself")
    elif not lines and entry["result"] == "OK":
        report.ok(suite, name)
    elif entry["result"] != "OK" and not bad:
        report.fail(suite, name, [f"result {entry['result']}",
                                  *out.splitlines()[-15:],
                                  *(entry.get("stderr") or
                                    "").splitlines()[-25:]])


def suite_unit(report, patterns):
    """Unit tests and corpora, release build."""
    meson_tests(report, "unit", "test", patterns)


def suite_asan(report, patterns):
    """The same under ASan and UBSan."""
    meson_tests(report, "asan", "asan", patterns)


def suite_tsan(report, patterns):
    """Threads that share something, under ThreadSanitizer."""
    programs = sorted(p for p in (BUILD / "tsan/tests/unit").glob("stress_*")
                      if p.is_file() and os.access(p, os.X_OK))
    if not programs:
        report.fail("tsan", "programs", ["none is built"])
    known = ROOT / "tests/unit/tsan.supp"
    env = dict(os.environ,
               TSAN_OPTIONS=f"halt_on_error=1:suppressions={known}")
    for path in programs:
        result = subprocess.run([path], text=True, check=False, env=env,
                                errors="replace", capture_output=True,
                                timeout=300)
        if result.returncode == 0:
            report.ok("tsan", path.name)
        else:
            report.fail("tsan", path.name, result.stderr.splitlines()[-60:])


def suite_fuzz(report, patterns):
    """A short run of each fuzzer."""
    bins = sorted(path for path in (BUILD / "fuzz/tests/fuzz").glob("fuzz_*")
                  if path.is_file() and os.access(path, os.X_OK))
    if not bins:
        report.fail("fuzz", "targets", ["none is built"])

    def one(path):
        name = path.name[5:]
        result = subprocess.run([ROOT / "dev", "fuzz", name,
                                 str(FUZZ_SECONDS)], text=True, check=False,
                                errors="replace", capture_output=True,
                                timeout=FUZZ_SECONDS * 4 + 120)
        runs = re.findall(r"stat::number_of_executed_units: (\d+)",
                          result.stderr)
        if result.returncode == 0 and runs and int(runs[-1]) > 0:
            report.ok("fuzz", f"{name} ({runs[-1]} runs)")
        else:
            report.fail("fuzz", name, result.stderr.splitlines()[-40:])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(one, bins))


def suite_integration(report, patterns):
    """Programs in real VMs."""
    stream(report, "integration",
           [sys.executable, ROOT / "tests/integration/run.py", BUILD / "test",
            *patterns])


def suite_bed(report, patterns):
    """Hardware KVM, emulated."""
    program = ROOT / "tests/bed/test_bed"
    stream(report, "bed", [program],
           {"AMPOULE_BUILD": str(BUILD / "test"),
            "AMPOULE_BED": str(BUILD / "bed")})


def suite_bed_all(report, patterns):
    """The integration tests on hardware KVM, emulated: half an hour."""
    stream(report, "bed-all",
           [sys.executable, ROOT / "tests/bed/inside.py", *patterns],
           {"AMPOULE_BUILD": str(BUILD / "test"),
            "AMPOULE_BED": str(BUILD / "bed")}, limit=4 * 3600)


def suite_lint(report, patterns):
    """Static checks."""
    stream(report, "lint", [sys.executable, ROOT / "tests/lint/lint.py"])


SUITES = {
    "build": suite_build, "lint": suite_lint, "unit": suite_unit,
    "asan": suite_asan, "tsan": suite_tsan,
    "integration": suite_integration, "bed": suite_bed,
    "fuzz": suite_fuzz, "bed-all": suite_bed_all,
}
BY_NAME = {"bed-all"}  # too slow to run unasked


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="SUITE|PATTERN")
    parser.add_argument("-l", "--list", action="store_true",
                        help="list the suites and the integration cases")
    parser.add_argument("-q", "--quiet", action="store_true",
                        help="only what failed or was skipped")
    options = parser.parse_args()
    if options.list:
        print("\n".join(SUITES))
        return subprocess.call(
            [sys.executable, ROOT / "tests/integration/run.py", BUILD, "-l"])
    chosen = [name for name in options.names if name in SUITES]
    patterns = [name for name in options.names if name not in SUITES]
    if not chosen:
        chosen = ["unit", "integration"] if patterns else \
            [name for name in SUITES if name not in BY_NAME]
    # What the suites run on is brought up to date first, unasked.
    if "build" not in chosen:
        for config in {"unit": ["test"], "asan": ["asan"], "tsan": ["tsan"],
                       "integration": ["test"], "bed": ["test"],
                       "bed-all": ["test"],
                       "fuzz": ["fuzz"], "lint": ["clang"]}.items():
            if config[0] in chosen:
                subprocess.run([ROOT / "dev", "build", *config[1]],
                               check=True, stdout=subprocess.DEVNULL)
    report = Report(options.quiet)
    begin = time.monotonic()
    for name in chosen:
        SUITES[name](report, patterns)
    print(f"took {time.monotonic() - begin:.0f} s")
    return report.summary()


if __name__ == "__main__":
    sys.exit(main())
