# SPDX-License-Identifier: Apache-2.0
"""The small cases of programs/conform: what they print on this Linux kernel,
they print in a VM. Each test prints a score; every difference fails, but for
those in DIFFERENT, which docs/mote.md explains."""
import difflib
import os
import re

import vm

SOURCES = vm.ROOT / "tests/integration/programs/conform"
# Cases that differ; docs/mote.md says how.
DIFFERENT = {
    "exec.busy",
    "process.pidfd",
    "event.edge",
    "pipe.size",
    "pipe.direct",
    "memory.protection",
    "memory.beyond_the_end",
    "memory.memfd",
    "memory.advice",
    "memory.lock",
    "memory.calls_on_bad_memory",
    "memory.process_vm",
    "file.tmpfile",
    "file.open_unlinked",
    "file.mounts",
    "file.read_only_mount",
    "file.no_space",
    "thread.affinity",
    "limit.heap",
    "limit.file_size",
    "limit.pending",
    "procfs.seek",
}


def areas():
    """As main.c has them, in its order."""
    return re.findall(r'\{"(\w+)", \w+_tests\}',
                      (SOURCES / "main.c").read_text())


def split(text):
    """The lines of each case, by its name."""
    cases, lines = {}, []
    for line in text.splitlines():
        if line.startswith("# "):
            lines = cases.setdefault(line[2:], [])
        else:
            lines.append(line)
    return cases


def outside(t, program, words):
    """On the host, as the first process and on a tmpfs, like in the guest."""
    return t.command(
        "/usr/bin/unshare", "-m", "-p", "-f", "--mount-proc", "/bin/sh", "-c",
        "mount -t tmpfs none /mnt && cd /mnt && exec env -i \"$@\"",
        "sh", program, *words, limit=240)


def both(t, program, words, cpus):
    """Run cases on both sides. Return: their lines by name, and the guest."""
    host = outside(t, program, words).ended(0)
    guest = t.run("--cpus", cpus, "--cwd", "/tmp", program, *words, limit=240)
    return split(host.text), split(guest.text), guest


def unequal(theirs, ours):
    return [case for case, lines in theirs.items()
            if lines != ours.get(case) and case not in DIFFERENT]


def compare(t, name, area, cpus):
    if os.geteuid():
        t.skip("needs root: cases of processes get namespaces of their own")
    program = t.program(name)
    theirs, ours, guest = both(t, program, [f"{area}."], cpus)
    explained = sum(lines != ours.get(case) and case in DIFFERENT
                    for case, lines in theirs.items())
    bad, count = unequal(theirs, ours), len(theirs)
    t.check(count > 5, f"only {count} cases: {theirs}")
    t.equal(guest.status, 0, f"status {guest.errors[:800]}")
    t.note(f"{count - len(bad) - explained} of {count} cases same, "
           f"{explained} explained")
    if bad:  # order and pauses are chance's where both sides are busy
        t.note(f"once more: {' '.join(bad)}")
        theirs, ours, guest = both(t, program, bad, cpus)
        bad = unequal(theirs, ours)
    if bad or guest.status != 0:
        raise vm.Failed("\n".join(
            line for case in bad for line in (f"case {case}", *[
                *difflib.unified_diff(theirs[case], ours.get(case, ["nothing"]),
                                      "outside", "inside", n=1, lineterm="")
            ][:100])) + f"\n{guest.errors[:800]}\nstatus {guest.status}")


def make_case(name, area, cpus):
    def case(t):
        compare(t, name, area, cpus)
    return case


for _area in areas():
    for _cpus in (1, 4):
        globals()[f"test_{_area}_{_cpus}_cpus"] = make_case(
            "conform", _area, _cpus)


def test_differences_are_explained(t):
    """Each exception is in the document, and is a case that there is."""
    text = (vm.ROOT / "docs/mote.md").read_text()
    names = t.command(t.program("conform"), "-l").text.split()
    for case in DIFFERENT:
        t.check(case in names, f"no case {case}")
        t.check(f"`{case}`" in text, f"{case} is not in docs/mote.md")
