# SPDX-License-Identifier: Apache-2.0
"""Every step of the jailer may fail: then one line names it, the status is 125,
no VM ran, and nothing is left. strace makes the kernel refuse."""
import vm
from cases import jail

STRACE = "/usr/bin/strace"
ROOT = "enter an empty root"
SPACES = "enter new namespaces"
# A system call that the jailer alone makes -> the step it belongs to.
STEPS = {
    "openat2": "open /dev/kvm", "unshare": SPACES, "sethostname": SPACES,
    "setdomainname": SPACES, "setns": SPACES, "fsopen": ROOT,
    "fsconfig": ROOT, "fsmount": ROOT, "mount_setattr": ROOT, "mount": ROOT,
    "move_mount": ROOT, "pivot_root": ROOT, "umount2": ROOT, "chroot": ROOT,
    "landlock_add_rule": "deny files by Landlock",
    "landlock_restrict_self": "deny files by Landlock",
}


def refuse(t, call, when="1+"):
    """Starts a VM on a kernel that says EPERM to one of its system calls."""
    return (STRACE, "-D", "-f", "-qq", "-o", "/dev/null", "-e",
            f"trace={call}", "-e", f"inject={call}:error=EPERM:when={when}",
            t.ampoule, "run", t.program("hello"))


def can_trace(t):
    t.need(STRACE)
    if t.command(STRACE, "-D", "-qq", "-o", "/dev/null", "-e", "trace=chdir",
                 "-e", "inject=chdir:error=EPERM", "true").status:
        t.skip("no system call can be refused here")


def failed_at(t, result, step, before):
    result.ended(125).said("").noted(f"cannot {step}", "not permitted")
    t.equal(len(result.notes), 1, result)
    jail.nothing_left(t, before)


@vm.alone
def test_each_refused_call(t):
    jail.need_root(t)
    can_trace(t)
    before = jail.left_over(t.build)
    for call, step in STEPS.items():
        failed_at(t, t.command(*refuse(t, call)), step, before)
    # The first execveat makes the jailer, the second one the VMM.
    failed_at(t, t.command(*refuse(t, "execveat", 2)), "start ampoule-vmm",
              before)


@vm.alone
def test_each_refused_call_without_root(t):
    can_trace(t)
    jail.nobody_can_run(t, t.ampoule)
    before = jail.left_over(t.build)
    user = jail.as_nobody(t)
    # Where a user gets no namespace the jailer goes on without; here there is
    # one, and its walls are refused.
    for call in ("sethostname", "fsopen", "pivot_root", "chroot",
                 "landlock_restrict_self"):
        failed_at(t, t.command(*user, *refuse(t, call)), STEPS[call], before)


@vm.alone
def test_each_refused_call_of_an_identity(t):
    """Calls that the parser makes, too, before the jailer: one line, whoever
    says it."""
    jail.need_root(t)
    can_trace(t)
    before = jail.left_over(t.build)
    for call in ("setgroups", "setresgid", "setresuid", "capset",
                 "close_range"):
        result = t.command(*refuse(t, call)).ended(125).said("")
        t.equal(len(result.notes), 1, result)
        jail.nothing_left(t, before)
