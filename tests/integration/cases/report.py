# SPDX-License-Identifier: Apache-2.0
"""What can be learned about a run: -v, --trace, --json, --log."""
import json
import subprocess

import vm
from cases.jail import child_of

# Stamps of one run in the order in which they happen.
ORDER = ("process start", "jailer", "vm created", "kernel placed",
         "first kvm_run", "kernel entry", "program", "exit", "result",
         "process end")


def trace_of(t, *argv):
    path = t.tmp / "trace.json"
    t.run("--trace", path, *argv).ended(0).said("hello, world\n").quiet()
    return json.loads(path.read_text())


def test_trace_is_chrome_trace(t):
    trace = trace_of(t, t.program("hello"))
    events = trace["traceEvents"] if isinstance(trace, dict) else trace
    t.check(len(events) >= 10, events)
    for event in events:
        t.check({"name", "ph"} <= event.keys(), event)
        if event["ph"] in "XiIBE":
            t.check({"ts", "pid", "tid"} <= event.keys(), event)
            t.check(event["ts"] >= 0, event)


def test_trace_has_all_stamps_in_order(t):
    trace = trace_of(t, t.program("hello"))
    events = trace["traceEvents"] if isinstance(trace, dict) else trace
    times = [(e["ts"], e["name"].lower()) for e in events
             if e["ph"] in "XiIB"]
    names = " / ".join(name for _, name in sorted(times))
    for word in ORDER:
        t.check(word in names, f"no stamp '{word}' in: {names}")
    first = {word: min(ts for ts, name in times if word in name)
             for word in ORDER}
    in_order = ["process start", "vm created", "first kvm_run",
                "kernel entry", "program", "result"]
    stamps = [first[word] for word in in_order]
    t.check(stamps == sorted(stamps), dict(zip(in_order, stamps)))


def test_verbose_table(t):
    result = t.run("-v", t.program("hello")).ended(0).said("hello, world\n")
    text = result.errors.lower()
    for word in ("jailer", "vm created", "first kvm_run", "kernel entry",
                 "ms"):
        t.check(word in text, f"no '{word}'\n{result}")


def test_verbose_names_missing_calls(t):
    result = t.run("-v", t.program("missing")).ended(0)
    t.equal(result.text, "bpf -1 errno 38\n", "stdout")
    t.check("perf_event_open" in result.errors, result)
    t.check("bpf" in result.errors, result)
    line = [s for s in result.errors.splitlines() if "perf_event_open" in s][0]
    t.check("3" in line, f"the count of three is not told\n{result}")
    t.check("999" in result.errors, f"a call without a name\n{result}")


def test_quiet_without_verbose(t):
    t.run(t.program("missing")).ended(0).quiet()


def last_json(t, result):
    lines = result.errors.splitlines()
    t.check(lines, result)
    return json.loads(lines[-1])


def test_json_of_a_status(t):
    data = last_json(t, t.run("--json", t.program("ends"), "exit",
                              "42").ended(42))
    t.equal(data["status"], 42, "status")
    t.check(0 < data["wall_ms"] < 60000 * vm.SLOW, data)
    t.check(data["timeline"], data)
    t.check("missing" in data and "usage" in data, data)


def test_json_of_a_signal(t):
    data = last_json(t, t.run("--json", t.program("ends"),
                              "segv").ended(139))
    t.equal(data["signal"], 11, "signal")


def test_json_of_missing_calls(t):
    data = last_json(t, t.run("--json", t.program("missing")).ended(0))
    t.check("perf_event_open" in json.dumps(data["missing"]), data)


def test_json_into_a_file(t):
    path = t.tmp / "report.json"
    t.run(f"--json={path}", t.program("hello")).ended(0).quiet()
    t.equal(json.loads(path.read_text())["status"], 0, "status")


def test_log_is_json_lines(t):
    path = t.tmp / "log"
    t.run("--log", path, "--log-level", "debug",
          t.program("hello")).ended(0).said("hello, world\n").quiet()
    lines = path.read_text().splitlines()
    t.check(lines, "the log is empty")
    for line in lines:
        t.check(isinstance(json.loads(line), dict), line)


def test_process_names(t):
    """The VM's process is called vm:NAME, its threads loop and vcpu0."""
    name = f"te{vm.os.urandom(4).hex()}"
    process = t.start_vm("--name", name, t.program("touch"), "4096", "x",
                         stdin=subprocess.PIPE)
    for _ in range(2):
        t.check(process.stdout.readline(), "the program did not start")
    found = [pid for pid, path in vm.processes_of(t.build).items()
             if path.endswith("ampoule-vmm") and
             vm.name_of(pid) == f"vm:{name}"]
    t.equal(len(found), 1, f"processes called vm:{name}")
    t.check(vm.wait_until(
        lambda: {"loop", "vcpu0"} <= set(vm.threads_of(found[0]))),
        vm.threads_of(found[0]))
    process.stdin.close()
    t.equal(process.wait(timeout=20 * vm.SLOW), 0, "status")


def test_vmm_opens_nothing(t):
    """A running VMM holds its few fds: no directory, no regular file but the
    lock on its id."""
    process = t.start_vm(t.program("touch"), "4096", "x",
                         stdin=subprocess.PIPE)
    for _ in range(2):
        t.check(process.stdout.readline(), "the program did not start")
    links = vm.links_of(child_of(process.pid)).values()
    for link in links:
        known = link.startswith(("anon_inode:", "socket:", "pipe:", "/memfd:",
                                 "/dev/kvm", "/dev/null",
                                 "/run/ampoule/cells/"))
        t.check(known or link.startswith(str(t.kernel)), links)
    t.check(3 < len(links) <= 18, links)
    process.stdin.close()
    process.wait(timeout=20 * vm.SLOW)
