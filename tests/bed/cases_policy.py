# SPDX-License-Identifier: Apache-2.0
"""The policies under Linux guests: no system call without a rule, and no rule
left over: those that mote never needs (tests/integration/policy_use.py) are
used here. The report says which nobody has used at all."""
import pathlib
import sys

from bedlib import BUILD, HERE, ROOT, Failed, Skipped, bed, program

sys.path.append(str(ROOT / "tests/integration"))

import policy_use  # noqa: E402 (the path is set just above)

STRACE = pathlib.Path(policy_use.STRACE[0])


def traced():
    """The calls that VMs of Linux made, with the policy they were under."""
    if not STRACE.exists():
        raise Skipped(f"no {STRACE}: apt-get install strace")
    result = bed("sh ./linux_traced.sh ./strace "
                 + " ".join(policy_use.STRACE[1:]), HERE / "linux_traced.sh",
                 STRACE, bring="-g")
    said, *traces = result.out.split("=trace\n")
    result.want("what the guests said", said,
                "4096\n4096\n1\nstatus 7\n4096\n4096\n4096\n1\nstatus 7\n")
    if len(traces) < 2:
        raise Failed(f"traces: {result.out[-1000:]}")
    calls = set()
    for trace in traces:
        calls.update(policy_use.roles_of(trace.splitlines()))
    return calls


def test_policy_lines(say):
    used, missing = policy_use.judge(program("policy-lines"), traced())
    say(not missing, "policy_lines every call has a rule",
        missing.splitlines())
    left = [rule for rule in used if not used[rule]
            and policy_use.reason(rule, policy_use.LINUX)]
    say(not left, "policy_lines what mote never needs is used", left)
    policy_use.keep(BUILD, "linux", used)
    print("".join(f"# {line}\n" for line in
                  policy_use.report(BUILD, used)), end="")
