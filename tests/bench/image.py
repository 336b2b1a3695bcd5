# SPDX-License-Identifier: Apache-2.0
"""image.py - a root image: how fast a file of it is read, the first and the
second time, mapped (pmem) and as a disk, beside the host's own page cache; and
what many VMs on one image cost the host together."""
import contextlib
import os
import pathlib
import shutil

import process
from process import Failed, Run, Running, Sample

BUSYBOX = "/bin/busybox"
MIB = 1 << 20
FILE_BYTES = 64 * MIB
SHARED_BYTES = 8 * MIB


def make_image(b):
    root, image = b.scratch / "root", b.scratch / "root.erofs"
    if not image.exists():
        (root / "bin").mkdir(parents=True)
        shutil.copy(BUSYBOX, root / "bin")
        shutil.copy(b.program("readfile"), root / "bin/readfile")
        with open(root / "big", "wb") as big:
            for _ in range(FILE_BYTES // MIB):
                big.write(os.urandom(MIB))
        with open(root / "shared", "wb") as shared:
            shared.write(os.urandom(SHARED_BYTES))
        Run([b.ampoule, "image", "build", str(root), "-o", str(image),
             "--env", "PATH=/bin"])
    return root, image


def vm(b, image, device, script):
    return [b.ampoule, "run", "--image", str(image), "--image-on", device,
            "--mem", "256M", "--", "busybox", "sh", "-c", script]


def rates(run):
    """MiB/s of the first and the second time."""
    words = run.out.split()
    if len(words) != 2:
        raise Failed(f"readfile said {run.out!r} {run.err[-300:]!r}")
    return [FILE_BYTES / MIB * 1e9 / int(ns) for ns in words]


def bench_reads(b):
    root, image = make_image(b)
    inside = "readfile /big"
    ways = {
        "the host's page cache": [b.program("readfile"), str(root / "big")],
        "pmem": vm(b, image, "pmem", inside),
        "disk": vm(b, image, "disk", inside),
    }
    found = {name: ([], []) for name in ways}
    for _ in range(b.rounds(5, 2)):
        for name, argv in ways.items():
            for into, rate in zip(found[name], rates(Run(argv))):
                into.append(rate)
    rows, figures = [], {}
    for name, (first, second) in found.items():
        first, second = Sample(first), Sample(second)
        rows.append([name, f"{first.median:.0f}", f"{second.median:.0f}"])
        figures[name] = {"first": first.summary(), "second": second.summary()}
    b.table("64 MiB of an image that the host has in memory, read(2) by 1 MiB, "
            "MiB/s", ["from", "first read", "second read"], rows, figures)


def bench_shared(b):
    """Every VM has read all of the file when its memory is looked at."""
    _, image = make_image(b)
    script = "readfile /shared >/dev/null; echo ready; busybox cat"
    rows, figures = [], {}
    for count in b.rounds((1, 10, 100), (1, 10)):
        with contextlib.ExitStack() as stack:
            running = [stack.enter_context(
                Running(vm(b, image, "pmem", script))) for _ in range(count)]
            vmms = [p for r in running for p in r.pids()
                    if process.name_of(p).startswith("vm:")]
            total = sum(process.pss_kib(p) for p in vmms) / 1024
            rss = sum(rss_kib(p) for p in vmms) / 1024
        rows.append([str(count), f"{rss:.0f}", f"{total:.0f}",
                     f"{(total - SHARED_BYTES / MIB) / count:.2f}"])
        figures[count] = {"rss_mib": rss, "pss_mib": total}
    b.table("VMs that have all read the same 8 MiB of one image, MiB",
            ["VMs", "resident, each counted", "PSS of all",
             "PSS a VM beyond the file"], rows, figures)


def rss_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return int(text.partition("\nRss:")[2].split()[0])


def bench_image(b):
    if not os.path.exists(BUSYBOX):
        raise Failed(f"{BUSYBOX} is not installed")
    bench_reads(b)
    bench_shared(b)
