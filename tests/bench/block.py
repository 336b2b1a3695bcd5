# SPDX-License-Identifier: Apache-2.0
"""block.py - a disk: the same guest, program and file under Ampoule with either
engine and under QEMU, in turns. The file is in the host's page cache."""
import os
import resource
import shutil
import statistics

from process import Failed, Run

QEMU = "qemu-system-x86_64"
MIB = 1 << 20
DISK_BYTES = 256 * MIB
RUN_MS = 500
JOBS = [(f"{kind}{what}", depth, size)
        for kind, size in (("rand", 4096), ("seq", 131072))
        for what in ("read", "write") for depth in (1, 32)]
NAMES = {"rand": "4 KiB, random", "seq": "128 KiB, in order"}


def make_disk(b):
    path = b.scratch / "disk"
    if not path.exists():
        with open(path, "wb") as disk:
            for _ in range(DISK_BYTES // MIB):
                disk.write(b"\xa5" * MIB)
            disk.flush()
            os.fsync(disk.fileno())
    return path


def job_argv(job, ms):
    kind, depth, size = job
    return ["/dev/vda", kind, str(depth), str(size), str(ms)]


def ampoule(b, job, ms, engine):
    disk = f"{make_disk(b)},engine={engine}"
    return b.inside("disk", *job_argv(job, ms),
                    options=("--disk", disk, "--mem", "128M", "--cpus", "1"))


def qemu(b, job, ms, aio):
    """As in bench.py, with the disk on a thread of its own."""
    image = b.scratch / f"disk-{'-'.join(map(str, (*job, ms)))}.initrd"
    if not image.exists():
        Run([b.ampoule, "pack", "-o", str(image), b.program("disk"),
             *job_argv(job, ms)])
    return [QEMU, "-M", "microvm,x-option-roms=off,rtc=off,acpi=off",
            "-enable-kvm", "-cpu", "host,-arch-capabilities", "-m", "128",
            "-kernel", b.mote, "-initrd", str(image),
            "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-global", "virtio-mmio.force-legacy=false",
            "-device", "virtio-serial-device",
            "-chardev", "null,id=in", "-device",
            "virtconsole,chardev=in,nr=0",
            "-chardev", f"file,id=out,path={b.scratch / 'qemu.out'}",
            "-device", "virtserialport,chardev=out,nr=1",
            "-chardev", "null,id=err",
            "-device", "virtserialport,chardev=err,nr=2",
            "-device", "virtio-rng-device",
            "-object", "iothread,id=io",
            "-drive", f"file={make_disk(b)},if=none,id=disk,format=raw,"
            f"cache=writeback,aio={aio}",
            "-device", "virtio-blk-device,drive=disk,iothread=io"]


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(b, argv, is_qemu):
    """Requests a second, and the processor's seconds of the whole run."""
    before = cpu_seconds()
    run = Run(argv)
    cpu = cpu_seconds() - before
    text = (b.scratch / "qemu.out").read_text() if is_qemu else run.out
    words = text.split()
    if len(words) != 3:
        raise Failed(f"the program said {text!r} {run.err[-300:]!r}")
    ns, requests = int(words[1]), int(words[2])
    return requests * 1e9 / ns, requests, cpu


def one_job(b, job, rows, figures):
    kind, depth, size = job
    candidates = {
        "ampoule": lambda ms: ampoule(b, job, ms, "io_uring"),
        "threads": lambda ms: ampoule(b, job, ms, "threads"),
        "qemu": lambda ms: qemu(b, job, ms, "io_uring"),
        "qemu-threads": lambda ms: qemu(b, job, ms, "threads"),
    }
    rates = {name: [] for name in candidates}
    costs = {name: [] for name in candidates}
    # What a run costs that does next to nothing is no cost of the disk.
    idle = {name: measure(b, argv(1), name.startswith("qemu"))[2]
            for name, argv in candidates.items()}
    ms = b.rounds(RUN_MS, RUN_MS // 5)
    for _ in range(b.rounds(3, 1)):
        for name, argv in candidates.items():
            rate, requests, cpu = measure(b, argv(ms),
                                          name.startswith("qemu"))
            rates[name].append(rate)
            gib = max(requests, 1) * size / (1 << 30)
            costs[name].append(max(cpu - idle[name], 0) / gib)
    rate = {name: statistics.median(v) for name, v in rates.items()}
    cost = {name: statistics.median(v) for name, v in costs.items()}
    best = max(("qemu", "qemu-threads"), key=rate.get)
    unit = (lambda r: f"{r:.0f}") if size == 4096 else \
        (lambda r: f"{r * size / MIB:.0f} MiB/s")
    what = f"{NAMES[kind.removesuffix('read').removesuffix('write')]}, " \
        f"{'read' if 'read' in kind else 'write'}, depth {depth}"
    rows.append([what, unit(rate["ampoule"]), unit(rate["threads"]),
                 unit(rate[best]), f"{rate['ampoule'] / rate[best]:.2f}",
                 f"{cost['ampoule']:.2f}", f"{cost['threads']:.2f}",
                 f"{cost[best]:.2f}"])
    figures[f"{kind}.{depth}"] = {
        name: {"requests_per_second": rates[name],
               "cpu_s_per_gib": costs[name]} for name in candidates}


def bench_block(b):
    if not shutil.which(QEMU):
        raise Failed(f"{QEMU} is not installed: no peer to compare with")
    rows, figures = [], {}
    try:
        for job in JOBS:
            one_job(b, job, rows, figures)
    finally:
        if rows:
            b.table("A disk in the host's page cache: requests a second, and "
                    "CPU s/GiB",
                    ["requests", "Ampoule", "Ampoule, threads",
                     "QEMU, the better of two", "Ampoule / QEMU", "CPU",
                     "CPU, threads", "CPU, QEMU"], rows, figures)
