# SPDX-License-Identifier: Apache-2.0
"""Every line of every policy is used by some run, or told here why not: a line
that nothing needs is a hole. Runs other cases under strace and asks the policy
engine (policy_lines.c) which rule decided about each call."""
import os

from cases import bad, balloon, disk, ends, files, network, streams, tty, vsock
import policy_use
import vm

STRACE = policy_use.STRACE[0]
# Between them they make the VMM do all that it does.
CASES = [
    bad.test_kernel_triple_fault, balloon.test_freed_memory_goes_back,
    ends.test_time_limit, files.test_directory, network.test_tap,
    streams.test_socket_streams, streams.test_stdout_never_read,
    tty.test_frozen_and_thawed, tty.test_line_editing,
    disk.test_reads_and_writes, disk.test_discards,
    disk.test_a_full_disk_is_an_error_of_the_guest,
    disk.test_a_rate_limited_disk_works,
    tty.test_modes_restored_after_sigterm, tty.test_only_stdin_is_a_terminal,
    vsock.test_half_closed, vsock.test_sigkill_of_the_command,
]


def wrapper(t):
    """The command under strace, as a child of whoever starts it."""
    path = t.tmp / "traced"
    path.write_text(
        "#!/bin/sh\n"
        f"exec {' '.join(policy_use.STRACE)} {t.tmp}/trace.$$ "
        f"{t.ampoule} \"$@\"\n")
    path.chmod(0o755)
    return path


def run_traced(t, path, case):
    inner = vm.Context(t.build)
    inner.ampoule = path
    try:
        case(inner)
    except vm.Skipped:
        pass
    finally:
        inner.close()


def shared_stream(t):
    """Standard input that cannot be opened a second time: its flags belong to
    others, too."""
    event = os.eventfd(1)
    try:
        t.run("/bin/busybox", "head", "-c", "8", stdin=event).ended(0)
    finally:
        os.close(event)


def many_files(t):
    """A tree that fills the parser's memory, with a script in it."""
    top = t.tmp / "tree"
    top.mkdir()
    for n in range(4000):
        (top / f"file-{n:080}").touch()
    script = top / "script"
    script.write_text("#!/bin/busybox sh\necho done\n")
    script.chmod(0o500)
    t.run("--file", top, script).ended(0)


@vm.alone
def test_every_line_is_used(t):
    t.need(STRACE, "/bin/busybox")
    if t.command(STRACE, "-D", "-qq", "-o", "/dev/null", "true").status:
        t.skip("nothing can be traced here")
    path = wrapper(t)
    for case in (*CASES, shared_stream, many_files):
        run_traced(t, path, case)
    vm.wait_until(lambda: not vm.processes_of(t.build))
    calls = set()
    for path in t.tmp.glob("trace.*"):
        with open(path, encoding="ascii", errors="replace") as trace:
            calls.update(policy_use.roles_of(trace))
    used, missing = policy_use.judge(t.program("policy-lines"), calls)
    t.equal(missing, "", "calls without a rule")
    unexplained = [rule for rule in used if not used[rule] and
                   not policy_use.reason(rule, policy_use.UNUSED,
                                         policy_use.LINUX)]
    t.equal(sorted(unexplained), [], "rules that nothing used")
    policy_use.keep(t.build, "mote", used)
