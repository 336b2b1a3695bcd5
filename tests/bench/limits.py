# SPDX-License-Identifier: Apache-2.0
"""limits.py - what passes a rate limit, beside what it is set to. A disk by a
program in a VM; the entropy and the network device by a driver without one
(limits.c), where a guest's own speed cannot be what limits."""
from block import make_disk
from process import Failed, Run

MIB = 1 << 20
# what is asked of a disk: unit, setting (0: none), bytes of a request
DISK = (("requests", 100, 4096), ("requests", 1000, 4096),
        ("requests", 0, 4096),
        ("bytes", 4 * MIB, 4096), ("bytes", 32 * MIB, 131072),
        ("bytes", 0, 131072))
THREADS = 4  # of the guest, each with one request


def disk_option(b, unit, setting):
    if not setting:
        return str(make_disk(b))
    rate, burst = (("ops", "ops-burst") if unit == "requests" else
                   ("rate", "burst"))
    return f"{make_disk(b)},{rate}={setting},{burst}={max(setting // 50, 1)}"


def disk(b, unit, setting, size, ms):
    """Units a second."""
    run = Run(b.inside("disk", "/dev/vda", "randread", str(THREADS), str(size),
                       str(ms), options=(
                           "--disk", disk_option(b, unit, setting),
                           "--mem", "128M", "--cpus", "1")))
    words = run.out.split()
    if len(words) != 3:
        raise Failed(f"the program said {run.out!r} {run.err[-300:]!r}")
    requests = int(words[2]) * 1e9 / int(words[1])
    return requests if unit == "requests" else requests * size


def devices(b, ms):
    path = b.build / "tests/bench/limits"
    if not path.exists():
        raise Failed(f"{path} is missing: ninja bench-programs")
    for line in Run([str(path), str(ms)]).out.splitlines():
        name, unit, setting, rate = line.split("\t")
        yield name, unit, int(setting), float(rate)


def bench_limits(b):
    ms = b.rounds(2000, 500)
    found = [(f"disk, {size // 1024} KiB", unit, setting,
              disk(b, unit, setting, size, ms))
             for unit, setting, size in DISK]
    found += devices(b, ms)
    free = {(name, unit): rate for name, unit, setting, rate in found
            if not setting}
    free[("disk, 4 KiB", "bytes")] = free[("disk, 4 KiB", "requests")] * 4096
    rows = [[name, f"{unit} a second", f"{setting}", f"{rate:.0f}",
             f"{rate / setting:.3f}", f"{free[(name, unit)]:.0f}"]
            for name, unit, setting, rate in found if setting]
    b.table("Rate limits", ["what", "unit", "setting", "measured",
                            "measured / setting", "without a limit"], rows,
            {f"{name}.{unit}.{setting}": rate
             for name, unit, setting, rate in found})
