#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench.py - measure what Ampoule costs, beside a peer where there is one.

Prints Markdown on standard output; --json writes the same with all figures.
What is compared runs in turns (A B A B), so that a noisy moment of the machine
hits both. No figure is ever a reason to fail: only a program that does not run
is.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time

import process
from block import bench_block
from everyday import bench_everyday
from image import bench_image
from jail import bench_jail
from limits import bench_limits
from linuxboot import bench_linux
from net import bench_net
from process import Failed, Run, Running, Sample
from vsock import bench_vsock

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What DESIGN and docs/benchmarks.md aim at: hardware KVM, PVM-type host.
BUDGETS = {
    "boot": ("0.5 ms", "5 ms"),
    "hello": ("5 ms", "10 ms"),
    "pss": ("1 MiB", "1 MiB"),
    "compute": (">= 0.98", ">= 0.98"),
}
# Phases of a run: (name, from stamp, to stamp, budget)
PHASES = [
    ("pack the program's files", "process_start", "packed", None),
    ("start the jailer", "packed", "jailer_start", None),
    ("jailer", "jailer_start", "jailer_done", None),
    ("exec the VMM", "jailer_done", "vmm_start", None),
    ("create the VM", "vmm_start", "vm_created", None),
    ("place kernel and files", "vm_created", "kernel_placed", None),
    ("to the first KVM_RUN", "kernel_placed", "first_kvm_run", None),
    ("first KVM_RUN to the program's first instruction", "first_kvm_run",
     "program_start", "boot"),
    ("the program", "program_start", "program_exit", None),
    ("to the result", "program_exit", "result", None),
    ("to the end of the process", "result", "process_end", None),
    ("**process start to the result**", "process_start", "result", "hello"),
]
QEMU = "qemu-system-x86_64"


class Bench:
    """The programs, the host, and what was measured so far."""

    def __init__(self, build, quick, scratch):
        self.build, self.quick, self.scratch = build, quick, scratch
        self.ampoule = str(build / "runner/cli/ampoule")
        self.mote = str(build / "kernels/mote/mote")
        self.pvm = os.path.exists("/sys/module/kvm_pvm")
        self.host = {}
        self.tables, self.figures, self.problems = [], {}, []

    def program(self, name):
        path = self.build / "tests/bench" / f"bench-{name}"
        if not path.exists():
            raise Failed(f"{path} is missing: ninja bench-programs")
        return str(path)

    def budget(self, key):
        return BUDGETS[key][1 if self.pvm else 0] if key else ""

    def rounds(self, full, quick):
        return quick if self.quick else full

    def inside(self, name, *args, options=()):
        return [self.ampoule, "run", *options, self.program(name), *args]

    def table(self, title, head, rows, figures):
        self.tables.append((title, head, rows))
        self.figures[title] = figures


def log(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def spread(sample, unit="", digits=2):
    """Three cells: median, min, max."""
    s = sample.summary()
    return [f"{s[k]:.{digits}f}{unit}" for k in ("median", "min", "max")]


# ------------------------------------------------------------------ the host

def describe_host(b):
    checks = json.loads(Run([b.ampoule, "doctor", "--json"],
                            expect=None).out or "{}")
    kind = checks.get("host_kind", {})
    kind = kind.get("text") or ("PVM-type" if b.pvm else "hardware KVM")
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    b.host = {"kind": kind, "pvm": b.pvm, "cpu": model,
              "cpus": process.cpus(), "kernel": os.uname().release,
              "date": datetime.date.today().isoformat()}


# ------------------------------------------------------------- (a) timeline

def timeline_of(b):
    path = b.scratch / "run.json"
    run = Run(b.inside("hello", options=[f"--json={path}"]))
    if run.out != "hello\n":
        raise Failed(f"hello said {run.out!r}")
    return json.loads(path.read_text())["timeline"], run.ms


def bench_timeline(b):
    runs, walls = [], []
    for _ in range(b.rounds(50, 10)):
        stamps, wall = timeline_of(b)
        runs.append(stamps)
        walls.append(wall)
    rows, figures = [], {}
    for name, first, last, key in PHASES:
        values = [r[last] - r[first] for r in runs
                  if first in r and last in r]
        if not values:
            continue
        sample = Sample(values)
        rows.append([name, *spread(sample), b.budget(key)])
        figures[f"{first}..{last}"] = sample.summary()
    wall = Sample(walls)
    rows.append(["seen from outside, fork to wait", *spread(wall), ""])
    figures["outside"] = wall.summary()
    b.table("Start-up of a static hello, ms",
            ["phase", "median", "min", "max", "budget"], rows, figures)


# ----------------------------------------------------- (b) QEMU microvm, PVH

def pack(b, name):
    path = b.scratch / f"{name}.initrd"
    Run([b.ampoule, "pack", "-o", str(path), b.program(name)])
    return str(path)


def qemu_argv(b, initrd, stdout_path):
    """The same kernel and the same initrd. Port 0 is the guest's standard
    input, 1 its output, 2 its errors, as in Ampoule. Without ACPI, QEMU names
    the devices on the kernel's command line."""
    return [QEMU, "-M", "microvm,x-option-roms=off,rtc=off,acpi=off",
            "-enable-kvm",
            "-cpu", "host,-arch-capabilities", "-m", "128",
            "-kernel", b.mote, "-initrd", initrd,
            "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-global", "virtio-mmio.force-legacy=false",
            "-device", "virtio-serial-device",
            "-chardev", "stdio,id=in,signal=off",
            "-device", "virtconsole,chardev=in,nr=0",
            "-chardev", f"file,id=out,path={stdout_path}",
            "-device", "virtserialport,chardev=out,nr=1",
            "-chardev", "null,id=err",
            "-device", "virtserialport,chardev=err,nr=2",
            "-device", "virtio-rng-device"]


def bench_peer_wall(b, rows, figures):
    out = b.scratch / "qemu.out"
    argv = qemu_argv(b, pack(b, "hello"), out)
    ours, theirs = [], []
    for _ in range(b.rounds(20, 5)):
        ours.append(timeline_of(b)[1])
        theirs.append(Run(argv).ms)
        if out.read_text() != "hello\n":
            raise Failed(f"hello under QEMU said {out.read_text()!r}")
    ours, theirs = Sample(ours), Sample(theirs)
    rows.append(["hello, fork to wait, ms", f"{ours.median:.2f}",
                 f"{theirs.median:.2f}",
                 f"{theirs.median / ours.median:.1f}"])
    figures["wall_ms"] = {"ampoule": ours.summary(),
                          "qemu": theirs.summary()}


def memory_of(running):
    """Of all processes of a VM: sum of PSS, largest high-water mark."""
    pids = running.pids()
    return (sum(process.pss_kib(p) for p in pids),
            max(process.high_water_kib(p) for p in pids))


def qemu_memory(b, initrd):
    end, start = os.pipe()
    with os.fdopen(end, "rb") as output:
        argv = qemu_argv(b, initrd, f"/proc/self/fd/{start}")
        running = Running(argv, pass_fds=(start,), output=output)
        os.close(start)
        with running:
            return memory_of(running)


def bench_peer_memory(b, rows, figures):
    initrd = pack(b, "idle")
    ours, theirs = [], []
    for _ in range(b.rounds(5, 2)):
        with Running(b.inside("idle")) as running:
            ours.append(memory_of(running))
        theirs.append(qemu_memory(b, initrd))
    for i, (key, what) in enumerate(
            [("pss_kib", "PSS of all processes, guest included, MiB"),
             ("peak_kib", "peak resident of the VMM (VmHWM), MiB")]):
        a = Sample(m[i] / 1024 for m in ours)
        q = Sample(m[i] / 1024 for m in theirs)
        rows.append([what, f"{a.median:.2f}", f"{q.median:.2f}",
                     f"{q.median / a.median:.1f}"])
        figures[key] = {"ampoule": a.summary(), "qemu": q.summary()}


def bench_peer(b):
    if not shutil.which(QEMU):
        raise Failed(f"{QEMU} is not installed: no peer to compare with")
    rows, figures = [], {}
    try:
        bench_peer_wall(b, rows, figures)
        bench_peer_memory(b, rows, figures)
    finally:
        if rows:
            b.table("The same mote and program under QEMU microvm (PVH)",
                    ["what", "Ampoule", "QEMU", "QEMU / Ampoule"], rows,
                    figures)


# ----------------------------------------- (c) computation, (d) kernel's work

def parse_lines(text):
    """Lines of "name figure [check]"."""
    found = {}
    for line in text.splitlines():
        word = line.split()
        if len(word) in (2, 3):
            found[word[0]] = (float(word[1]), word[2:])
    return found


def bench_compute(b):
    passes = str(b.rounds(5, 1))
    out, into, checks = {}, {}, {}
    for _ in range(b.rounds(5, 2)):
        for argv, target in (([b.program("compute"), passes], out),
                             (b.inside("compute", passes), into)):
            for kind, (ns, check) in parse_lines(Run(argv).out).items():
                target.setdefault(kind, []).append(ns / 1e6)
                if checks.setdefault(kind, check) != check:
                    raise Failed(f"{kind} computed something else inside")
    rows, figures = [], {}
    for kind, values in out.items():
        a, i = Sample(values), Sample(into[kind])
        # The least disturbed runs: noise only ever makes a run longer.
        ratio = min(values) / min(into[kind])
        rows.append([kind, f"{a.median:.1f}", f"{i.median:.1f}",
                     f"{min(values):.1f}", f"{min(into[kind]):.1f}",
                     f"{ratio:.3f}", b.budget("compute")])
        figures[kind] = {"outside_ms": a.summary(), "inside_ms": i.summary(),
                         "speed_ratio": ratio}
    b.table("Computation, ms", ["kind", "outside", "inside", "outside, best",
                                "inside, best", "speed inside", "budget"],
            rows, figures)


OPERATIONS = {
    "null_syscall": "system call that does nothing",
    "clock_gettime": "what time it is",
    "page_fault": "first touch of an anonymous page",
    "pipe_switch": "switch to another process by a pipe",
    "fork_exec_wait": "fork, exec and wait of a static program",
    "write_null_4k": "write 4 KiB to /dev/null",
    "write_null_1m": "write 1 MiB to /dev/null",
    "write_stdout_4k": "write 4 KiB to standard output, a pipe",
    "write_stdout_1m": "write 1 MiB to standard output, a pipe",
}


def run_ops(argv):
    """Its standard output is a pipe, emptied at full speed by splice()."""
    end, start = os.pipe()
    drain = threading.Thread(target=empty_pipe, args=(end,), daemon=True)
    drain.start()
    try:
        return parse_lines(Run(argv, stdout=start).err)
    finally:
        os.close(start)
        drain.join(5)


def empty_pipe(fd):
    null = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
    while os.splice(fd, null, 1 << 20):
        pass
    os.close(null)
    os.close(fd)


def bench_ops(b):
    out, into = {}, {}
    batch_ms = str(b.rounds(20, 5))
    for _ in range(b.rounds(5, 2)):
        for argv, target in (([b.program("ops"), batch_ms], out),
                             (b.inside("ops", batch_ms), into)):
            for name, (ns, _) in run_ops(argv).items():
                target.setdefault(name, []).append(ns / 1e3)
    rows, figures = [], {}
    for name, what in OPERATIONS.items():
        if name not in out or name not in into:
            raise Failed(f"{name} has no figure")
        a, i = Sample(out[name]), Sample(into[name])
        rows.append([what, f"{a.median:.2f}", *spread(i),
                     f"{i.median / a.median:.1f}"])
        figures[name] = {"outside_us": a.summary(), "inside_us": i.summary()}
    b.table("Kernel operations, us an operation",
            ["operation", "outside", "inside", "inside, min", "inside, max",
             "inside / outside"], rows, figures)


# --------------------------------------------------------------- (e) memory

def bench_memory(b):
    beyond, whole = [], []
    for _ in range(b.rounds(10, 3)):
        with Running(b.inside("idle")) as running:
            vmm = [p for p in running.pids()
                   if process.name_of(p).startswith("vm:")]
            if not vmm:
                raise Failed("no process vm:NAME below ampoule")
            beyond.append(process.pss_beyond_guest_kib(vmm[0]))
            whole.append(process.pss_kib(vmm[0]))
    beyond, whole = Sample(beyond), Sample(whole)
    b.table("Memory of a VM that waits, KiB",
            ["what", "median", "min", "max", "budget"],
            [["PSS of the VMM beyond guest memory", *spread(beyond, "", 0),
              b.budget("pss")],
             ["PSS of the VMM, guest memory included", *spread(whole, "", 0),
              ""]],
            {"vmm_beyond_guest_kib": beyond.summary(),
             "vmm_kib": whole.summary()})


# ----------------------------------------------------------------- (f) rate

def rate_of(b, workers, seconds):
    argv, end = b.inside("hello"), time.monotonic() + seconds
    counts, failures = [0] * workers, []

    def work(i):
        try:
            while time.monotonic() < end and not failures:
                Run(argv)
                counts[i] += 1
        except Failed as why:
            failures.append(why)

    start = time.monotonic()
    threads = [threading.Thread(target=work, args=(i,))
               for i in range(workers)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]
    return sum(counts) / (time.monotonic() - start)


def bench_rate(b):
    rows, figures = [], {}
    for workers in sorted({1, process.cpus(), 2 * process.cpus()}):
        rates = Sample(rate_of(b, workers, b.rounds(3, 1))
                       for _ in range(b.rounds(3, 1)))
        rows.append([f"{workers} at a time", *spread(rates, "", 0)])
        figures[f"workers_{workers}"] = rates.summary()
    b.table(f"VMs started and finished per second, {process.cpus()} CPUs",
            ["how many", "median", "min", "max"], rows, figures)


# ------------------------------------------------------------------- report

SECTIONS = {
    "timeline": bench_timeline, "peer": bench_peer,
    "compute": bench_compute, "ops": bench_ops, "everyday": bench_everyday,
    "memory": bench_memory, "rate": bench_rate, "jail": bench_jail,
    "block": bench_block, "limits": bench_limits,
    "image": bench_image,
    "vsock": bench_vsock, "net": bench_net, "linux": bench_linux,
}


def print_report(b):
    h = b.host
    print(f"Host: {h['kind']}; {h['cpu']}, {h['cpus']} CPUs, Linux "
          f"{h['kernel']}; {h['date']}"
          f"{'; quick' if b.quick else ''}")
    for title, head, rows in b.tables:
        print(f"\n### {title}\n")
        print("| " + " | ".join(head) + " |")
        print("|---" + "|---:" * (len(head) - 1) + "|")
        for row in rows:
            print("| " + " | ".join(row) + " |")
    for what in b.problems:
        print(f"\nNot measured: {what}")


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE",
                        help="write host and all figures to FILE")
    parser.add_argument("--quick", action="store_true",
                        help="fewer and shorter runs")
    parser.add_argument("section", nargs="*", metavar="SECTION",
                        help=f"only these: {', '.join(SECTIONS)}")
    arguments = parser.parse_args()
    for name in arguments.section:
        if name not in SECTIONS:
            parser.error(f"no section {name}")
    return arguments


def main():
    arguments = parse_arguments()
    build = pathlib.Path(os.environ.get("AMPOULE_BUILD",
                                        ROOT / "build/release"))
    with tempfile.TemporaryDirectory(prefix="ampoule-bench.") as scratch:
        b = Bench(build, arguments.quick, pathlib.Path(scratch))
        if not os.path.exists(b.ampoule):
            log(f"{b.ampoule} is missing; build it: ./dev build")
            return 125
        describe_host(b)
        for name in arguments.section or SECTIONS:
            log(name)
            try:
                SECTIONS[name](b)
            except (Failed, OSError, ValueError, KeyError) as why:
                b.problems.append(f"{name}: {why}")
                log(f"{name}: {why}")
    print_report(b)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as out:
            json.dump({"host": b.host, "quick": b.quick,
                       "figures": b.figures, "problems": b.problems},
                      out, indent=1)
            out.write("\n")
    return 1 if b.problems else 0


if __name__ == "__main__":
    sys.exit(main())
