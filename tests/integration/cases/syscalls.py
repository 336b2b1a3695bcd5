# SPDX-License-Identifier: Apache-2.0
"""The table of system calls: the same program outside and inside, the same
output and the same status. One case a group of programs/syscalls."""
import difflib
import os
import re

import vm

SOURCES = vm.ROOT / "tests/integration/programs/syscalls"
TABLE = vm.ROOT / "kernels/mote/proc/syscall.tbl"


def groups():
    found = []
    for path in sorted(SOURCES.glob("*.c")):
        text = path.read_text()
        table = text.partition("_groups[] = {")[2]
        found += re.findall(r'\{"(\w+)",\s*test_\w+\}', table)
    return found


def not_nice():
    """As the guest's program, however nice these tests are."""
    os.setpriority(os.PRIO_PROCESS, 0, 0)


def outside(t, group):
    """On the host, in a tmpfs of its own where that is allowed: that is what
    the guest's files are."""
    program = t.program("syscalls")
    if os.geteuid():
        return t.command(program, group, cwd=t.tmp, stdin=t.null)
    return t.command("/usr/bin/unshare", "-m", "/bin/sh", "-c",
                     "mount -t tmpfs none /mnt && cd /mnt && exec \"$@\"",
                     "sh", program, group, stdin=t.null, preexec_fn=not_nice)


def differences(t, group):
    """Return: lines about them, and what the guest said on stderr."""
    host = outside(t, group)
    guest = t.run("--cwd", "/tmp", t.program("syscalls"), group,
                  stdin=t.null)
    ours = guest.text.splitlines() + [f"status {guest.status}"]
    theirs = host.text.splitlines() + [f"status {host.status}"]
    return [*difflib.unified_diff(theirs, ours, "outside", "inside", n=1,
                                  lineterm="")], guest.errors


def compare(t, group):
    t.null = t.stack.enter_context(open(os.devnull, "rb"))
    lines, errors = differences(t, group)
    if lines:  # order and pauses are chance's where both sides are busy
        t.note("a second try; the first differed by")
        t.notes += lines[:20]
        lines, errors = differences(t, group)
    if lines:
        raise vm.Failed("\n".join(lines[:120]) + f"\n{errors[:500]}")


def make_case(group):
    def case(t):
        compare(t, group)
    return case


for _group in groups():
    globals()[f"test_{_group}"] = make_case(_group)


def test_groups_have_names_of_their_own(t):
    """Of two with one name, the second would never run."""
    names = groups()
    t.equal(sorted(names), sorted(set(names)), "groups")


def test_every_call_is_in_the_table(t):
    """Each call that mote offers is made by at least one case."""
    offered = re.findall(r"^SYSCALL\(\s*\d+,\s*(\w+)\)", TABLE.read_text(),
                         re.M)
    text = "".join(path.read_text() for path in SOURCES.glob("*.c"))
    made = set(re.findall(r"\b(?:S|OK|CALL)\(\s*(\w+)", text))
    made |= set(re.findall(r"\bSYS_(\w+)", text))
    # A handler's return makes the one; the other is glibc's own, and a kernel
    # without it is a kernel that programs know how to live with.
    made |= {"rt_sigreturn", "rseq"}
    missing = [name for name in offered if name not in made]
    t.check(len(offered) > 100, f"only {len(offered)} calls in {TABLE.name}")
    t.equal(missing, [], "calls without a case")


def test_every_call_is_in_the_document(t):
    """docs/mote.md names each call once, and no other as present."""
    offered = re.findall(r"^SYSCALL\(\s*\d+,\s*(\w+)\)", TABLE.read_text(),
                         re.M)
    text = (vm.ROOT / "docs/mote.md").read_text()
    text = text.partition("**As on Linux**")[2]
    present, _, rest = text.partition("**Absent**")
    absent = re.findall(r"`(\w+)`", rest.partition("\n## ")[0])
    present = re.findall(r"`(\w+)`", present)
    t.equal(sorted(present), sorted(offered), "calls on the page")
    t.equal([name for name in absent if name in offered], [],
            "calls said to be absent")
