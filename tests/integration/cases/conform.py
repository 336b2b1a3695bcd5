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


def outside(t, program, area):
    """On the host, as the first process and on a tmpfs, like in the guest."""
    return t.command(
        "/usr/bin/unshare", "-m", "-p", "-f", "--mount-proc", "/bin/sh", "-c",
        "mount -t tmpfs none /mnt && cd /mnt && exec env -i \"$@\"",
        "sh", program, f"{area}.", limit=240)


def compare(t, name, area, cpus):
    if os.geteuid():
        t.skip("needs root: cases of processes get namespaces of their own")
    program = t.program(name)
    host = outside(t, program, area).ended(0)
    guest = t.run("--cpus", cpus, "--cwd", "/tmp", program, f"{area}.",
                  limit=240)
    theirs, ours = split(host.text), split(guest.text)
    bad, explained, same = [], 0, 0
    for case, lines in theirs.items():
        if lines == ours.get(case):
            same += 1
        elif case in DIFFERENT:
            explained += 1
        else:
            bad += [f"case {case}", *difflib.unified_diff(
                lines, ours.get(case, ["nothing"]), "outside", "inside",
                n=1, lineterm="")]
    t.note(f"{same} of {len(theirs)} cases same, {explained} explained")
    t.check(len(theirs) > 5, f"only {len(theirs)} cases\n{host}")
    if bad or guest.status != 0:
        raise vm.Failed("\n".join(bad[:400]) + f"\n{guest.errors[:800]}"
                        f"\nstatus {guest.status}")


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
