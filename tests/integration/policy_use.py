# SPDX-License-Identifier: Apache-2.0
"""policy_use.py - which lines of the policies were used, by whom: what strace saw
of VMs, judged by the policy engine (programs/policy_lines.c).

Two tests look: policy_lines (VMs of mote on this machine) and policy_report of
tests/bed (Linux guests on hardware KVM). What each has found it keeps in the
build directory; together they make the report.
"""
import json
import pathlib
import re
import subprocess

# Role and the beginning of a rule: why no run of a test has to use it.
UNUSED = {
    "start brk ": "malloc, where libc has not asked before main()",
    "start munmap ": "malloc, when an arena does not lie well",
    "start fstat ": "another version of libc",
    "start clock_gettime:": "hosts whose clock is not in the vDSO",
    "loop clock_gettime:": "hosts whose clock is not in the vDSO",
    "io exit_group ": "a forbidden call, which has its own test",
    "wait pwritev2:": "SIGBUS, when a host is out of huge pages or tmpfs",
    "wait exit_group ": "SIGBUS, after its line",
    "parse read ": "a host with ampoule.conf, a profile from a file",
    "parse fstat ": "another version of libc",
    "parse faccessat ": "kernels before 5.8",
    "parse mprotect:": "malloc, with an arena of its own",
    "vsock clock_gettime:": "hosts whose clock is not in the vDSO",
    "parse getrandom ": "malloc, where nothing was allocated before the fork",
}
# The same of what other guest kernels than mote ask of the devices: the bed's
# Linux guests have to use them.
LINUX = {
    "vcpu getrandom:": "entropy beyond the seed that mote gets at its start",
    "loop getrandom:": "entropy, with a rate limit",
}
# A command line whose end is the command to trace; the output's name goes
# between the two.
STRACE = ("/usr/bin/strace", "-D", "-f", "-Y", "-qq", "-e", "raw=all", "-e",
          "signal=none", "-s", "0", "-o")
CALL = re.compile(r"\d+<([^>]*)> (\w+)\(([^)<]*)")


def roles_of(trace):
    """Yields "ROLE CALL ARGUMENT..." of what a traced command did under a
    policy, by the lines of @trace. Every process installs its first by itself: the VMM's main thread
    `start`, which its threads inherit, the command's children `parse` or
    `vsock`."""
    role, executed = {}, set()
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


def judge(program, calls):
    """rule -> did one of @calls need it? And what no rule allows, as text.
    @program: policy-lines."""
    done = subprocess.run([program], text=True, check=False,
                          input="\n".join(sorted(calls)), capture_output=True)
    used = {}
    for line in done.stdout.splitlines():
        word, rule = line.split(" ", 1)
        rule = re.sub(r":\d+", "", rule)
        used[rule] = used.get(rule, False) or word == "used"
    if done.returncode == 0 and not used:
        return used, "no policy at all"
    return used, done.stderr


def reason(rule, *tables):
    """Why nothing has to use it, by one of @tables; None: no reason known."""
    for table in tables:
        for known, why in table.items():
            if rule.startswith(known):
                return why
    return None


def keep(build, who, used):
    """For report(): what @who has used."""
    path = pathlib.Path(build) / f"policy-use.{who}.json"
    path.write_text(json.dumps(sorted(r for r in used if used[r])))


def report(build, rules):
    """Lines: by how many each was used, and which by nobody."""
    found = {}
    for path in sorted(pathlib.Path(build).glob("policy-use.*.json")):
        found[path.name.split(".")[1]] = set(json.loads(path.read_text()))
    for who, used in found.items():
        yield f"{len(used & set(rules))} of {len(rules)} rules used by {who}"
    if len(found) < 2:
        yield "the other's are not known: ./dev test integration bed"
        return
    everybody = set().union(*found.values())
    for rule in sorted(set(rules) - everybody):
        why = reason(rule, UNUSED, LINUX) or "no reason is known"
        yield f"used by nobody: {rule.split('#')[0].strip()} ({why})"
