# SPDX-License-Identifier: Apache-2.0
"""bedlib.py - what the cases of the bed are made of: a command in L1 and what
came of it, the programs that are built, verdicts of scripts, the suite."""
import os
import pathlib
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("AMPOULE_BUILD", ROOT / "build/release"))
PROGRAMS = BUILD / "tests/integration"
QEMU = "qemu-system-x86_64"
BED_FAILED = 125
LIMIT = 240  # seconds for a command in L1; emulation on a busy machine


class Failed(Exception):
    """A case does not hold."""


class Skipped(Exception):
    """A case cannot be tried here."""


class Result:
    """What a command in L1 wrote, and how it ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def want(self, what, got, wanted):
        if got != wanted:
            raise Failed(f"{what}: {got!r}, wanted {wanted!r}\n"
                         f"status {self.status}, errors:\n{self.err[-1500:]}")

    def expect(self, status=0, out=None, err=None):
        if out is not None:
            self.want("output", self.out, out)
        if err is not None:
            self.want("errors", self.err, err)
        self.want("status", self.status, status)


def program(name):
    for path in (PROGRAMS / "programs/syscalls" / name, PROGRAMS / name):
        if path.is_file():
            return path
    raise Failed(f"{name} is not built (ninja test-programs)")


def bed(script, *files, bring=None, limit=LIMIT):
    """Run @script in L1, with @files beside it; @bring: -g or -k."""
    argv = [HERE / "bed", "-t", limit]
    argv += [bring] if bring else []
    for f in files:
        argv += ["-f", f]
    done = subprocess.run([str(a) for a in [*argv, "--", script]], text=True,
                          errors="replace", capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=3 * limit)
    if done.returncode == BED_FAILED and "bed:" in done.stderr:
        raise Failed(f"the bed itself failed\n{done.stderr[-2000:]}")
    return Result(done.returncode, done.stdout, done.stderr)


def verdicts(result):
    """name -> is it good, name -> the lines that say more, of "=ok NAME" and
    "=not NAME" in the output."""
    verdict, details = {}, {}
    for line in result.out.splitlines():
        if line.startswith(("=ok ", "=not ")):
            word, name = line[1:].split()
            verdict[name], details[name] = word == "ok", []
        elif verdict:
            details[name].append(line)
    return verdict, details


def say_verdicts(say, prefix, result):
    """A line for each verdict of a script; its last one is "=ok end"."""
    verdict, details = verdicts(result)
    ended = verdict.pop("end", False)
    for name, good in verdict.items():
        say(good, f"{prefix} {name}", details[name])
    say(ended, f"{prefix} came to its end",
        [f"status {result.status}", *result.err.splitlines()[-10:]])


class Suite:
    """Runs cases, several at a time, and prints their lines."""

    def __init__(self):
        self.failed = 0
        self.lock = threading.Lock()

    def line(self, word, name, details=()):
        with self.lock:
            self.failed += word == "not ok"
            print(f"{word} {name}")
            for text in details:
                print(f"# {text}")
            sys.stdout.flush()

    def say(self, good, name, details=()):
        self.line("ok" if good else "not ok", name, () if good else details)

    def run(self, name, case):
        try:
            if case.__code__.co_argcount:  # says several lines itself
                case(self.say)
            else:
                case()
                self.say(True, name)
        except Skipped as why:
            self.line("skip", f"{name} # {why}")
        except (Failed, subprocess.SubprocessError, OSError, ValueError,
                LookupError) as why:
            self.say(False, name, f"{type(why).__name__}: {why}".splitlines())
