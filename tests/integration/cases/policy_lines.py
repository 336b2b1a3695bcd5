# SPDX-License-Identifier: Apache-2.0
"""Every line of every policy is used by some run, or told here why not: a line
that nothing needs is a hole. Runs other cases under strace and asks the policy
engine (policy_lines.c) which rule decided about each call."""
import os
import re
import subprocess

from cases import bad, balloon, disk, ends, files, network, streams, tty, vsock
import vm

STRACE = "/usr/bin/strace"
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
# Role and the beginning of a rule: why no run here has to use it.
UNUSED = {
    "start brk ": "malloc, where libc has not asked before main()",
    "start munmap ": "malloc, when an arena does not lie well",
    "start fstat ": "another version of libc",
    "start clock_gettime:": "hosts whose clock is not in the vDSO",
    # What other guest kernels than mote may ask of the devices.
    "loop getrandom:": "the same, with a rate limit",
    "vcpu getrandom:": "entropy beyond the seed that mote gets at its start",
    "loop clock_gettime:": "hosts whose clock is not in the vDSO",
    "io exit_group ": "a forbidden call, which has its own test",
    "wait writev ": "SIGBUS, when a host is out of huge pages or tmpfs",
    "wait exit_group ": "the same",
    "parse read ": "a host with ampoule.conf, a profile from a file",
    "parse fstat ": "another version of libc",
    "parse faccessat ": "kernels before 5.8",
    "parse mprotect:": "malloc, with an arena of its own",
    "vsock clock_gettime:": "hosts whose clock is not in the vDSO",
    "parse getrandom ": "malloc, where nothing was allocated before the fork",
}
CALL = re.compile(r"\d+<([^>]*)> (\w+)\(([^)<]*)")


def roles_of(path):
    """Yields "ROLE CALL ARGUMENT..." of what a traced command did under a
    policy. Every process installs its first by itself: the VMM's main thread
    `start`, which its threads inherit, the command's children `parse` or
    `vsock`."""
    role, executed = {}, set()
    with open(path, encoding="ascii", errors="replace") as trace:
        for line in trace:
            match = CALL.match(line)
            if not match:
                continue
            task = line[:line.index("<")]
            name, call, arguments = match.groups()
            if call in ("execve", "execveat"):
                executed.add(task)
                role.pop(task, None)
                continue
            now = role.get(task)
            if now is None and task not in executed and not is_command(name):
                now = "start"
            if now:
                rest = f"{call} {arguments.replace(',', ' ')}"
                yield f"{now} {rest}"
                if now in ("vcpu", "loop", "wait", "io"):  # filters stack
                    yield f"start {rest}"
            if call == "seccomp":
                role[task] = next_role(name, now)


def is_command(name):
    return name in ("ampoule", "ampoule-vsock", "strace")


def next_role(name, now):
    if is_command(name):
        return "vsock" if name == "ampoule-vsock" else "parse"
    if now is None:
        return "start"
    return {"v": "vcpu", "l": "loop", "i": "io"}.get(name[0], "wait") \
        if not name.startswith("vm:") else "wait"


def wrapper(t):
    """The command under strace, as a child of whoever starts it."""
    path = t.tmp / "traced"
    path.write_text(
        "#!/bin/sh\n"
        f"exec {STRACE} -D -f -Y -qq -e raw=all -e signal=none -s 0 "
        f"-o {t.tmp}/trace.$$ {t.ampoule} \"$@\"\n")
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
    for trace in t.tmp.glob("trace.*"):
        calls.update(roles_of(trace))
    done = subprocess.run([t.program("policy-lines")], text=True, check=False,
                          input="\n".join(sorted(calls)), capture_output=True)
    t.equal((done.returncode, done.stderr), (0, ""), "calls without a rule")
    unused = [line.split(" ", 1)[1] for line in done.stdout.splitlines()
              if line.startswith("unused ")]
    rules = {re.sub(r":\d+", "", line) for line in unused}
    unexplained = [rule for rule in rules
                   if not any(rule.startswith(known) for known in UNUSED)]
    t.equal(sorted(unexplained), [], "rules that nothing used")
