# SPDX-License-Identifier: Apache-2.0
"""linuxboot.py - a Linux kernel on its way to process 1, under Ampoule, QEMU and
kvmtool, in the bed: what the host's KVM and the VMM have to do for it. Counts,
and times that mean something beside each other only. tests/bed/bench_boot.sh
runs there; instructions are counted by insncount.c in the bed's emulator.

The bed's clock counts instructions, so that no load of the host decides how many
ticks of the timer a boot sees. kvmtool is no package of Debian's: its column is
there if LKVM names one, and then the clock is the host's."""
import os
import pathlib
import shutil
import struct

from process import Failed, Run

BED = pathlib.Path(__file__).resolve().parents[1] / "bed"
QEMU = "qemu-system-x86_64"
FIRMWARE = [f"/usr/share/{name}" for name in (
    "qemu/qboot.rom", "seabios/bios-256k.bin", "seabios/bios-microvm.bin",
    "qemu/linuxboot_dma.bin", "qemu/kvmvapic.bin")]
LIMIT_SECONDS = 900
NAMES = {"ampoule-mmio": "Ampoule", "ampoule-pci": "Ampoule, PCI",
         "microvm": "QEMU microvm", "microvm-noacpi": "QEMU microvm, no ACPI",
         "q35": "QEMU q35", "kvmtool": "kvmtool"}

# What makes a CPU with SVM leave the guest (AMD APM vol. 2, appendix C).
EXITS = {0x60: "interrupt of the host", 0x64: "interrupt window",
         0x72: "CPUID", 0x78: "HLT", 0x7b: "port", 0x7c: "MSR",
         0x400: "nested page fault"}
NESTED_FAULT = 0x400
INTERRUPT = 0x60
FAULT_RESERVED = 1 << 3  # of an MMIO page that KVM knows as such
# Why KVM_RUN returns (linux/kvm.h)
RETURNS = {2: "port", 5: "HLT", 6: "MMIO", 8: "shutdown", 10: "signal",
           29: "MSR", 30: "MSR"}


class Boot:
    """What one VMM did until process 1 of its guest."""

    def __init__(self):
        self.counts, self.host_us, self.guest_us = {}, 0, 0
        self.before = self.after = None  # instructions

    def of(self, event, key=None):
        found = self.counts.get(event, {})
        return sum(found.values()) if key is None else found.get(key, 0)


def entry_of(path):
    """Where an ELF program starts: e_entry."""
    with open(path, "rb") as program:
        return struct.unpack_from("<Q", program.read(64), 24)[0]


def kernels(b):
    """(title, bzImage, vmlinux or None) of the kernels that are there."""
    cache = pathlib.Path(os.environ.get("AMPOULE_BED",
                                        BED.parents[1] / "build/bed"))
    ours = b.build.parent / "linux/current"
    for folder in (ours, cache / "linux"):
        if (folder / "bzImage").exists():
            yield ("the kernel of ./dev kernel", folder / "bzImage",
                   folder / "vmlinux")
            break
    yield "Debian's cloud kernel", cache / "kernel/vmlinuz", None


def needed(b, bzimage, vmlinux):
    files = [shutil.which(QEMU), *FIRMWARE, b.program("mark"),
             b.program("init"), str(BED / "bench_boot.sh"), str(bzimage)]
    files += [str(vmlinux)] if vmlinux else []
    if os.environ.get("LKVM"):
        kvmtool = b.scratch / "lkvm"  # as bench_boot.sh calls it
        kvmtool.unlink(missing_ok=True)
        kvmtool.symlink_to(pathlib.Path(os.environ["LKVM"]).resolve())
        files.append(str(kvmtool))
    for path in files:
        if not path or not pathlib.Path(path).exists():
            raise Failed(f"{path or QEMU} is not there")
    return files


def in_bed(b, bzimage, vmlinux):
    """What bench_boot.sh printed, and what the plugin wrote."""
    found = b.scratch / "instructions"
    plugin = ",".join([str(b.build / "tests/bench/insncount.so"),
                       f"out={found}",
                       f"start={entry_of(b.program('mark')):#x}",
                       f"init={entry_of(b.program('init')):#x}"])
    argv = ["env", f"AMPOULE_BUILD={b.build}", f"AMPOULE_BED_PLUGIN={plugin}",
            str(BED / "bed"), "-t", str(LIMIT_SECONDS)]
    # By a clock that counts instructions a guest of kvmtool does not come up.
    argv += [] if os.environ.get("LKVM") else ["-i"]
    for path in needed(b, bzimage, vmlinux):
        argv += ["-f", path]
    names = [path.name for path in (bzimage, vmlinux) if path]
    text = Run([*argv, "--", f"sh ./bench_boot.sh {' '.join(names)}"],
               limit=LIMIT_SECONDS + 60).out
    return text, found.read_text()


def parse(text, instructions):
    """{who: Boot} of those that came to process 1, in order; {who: why} of the
    others."""
    boots, failed, order = {}, {}, []
    for line in text.splitlines():
        word = line.split()
        if word[:1] == ["boot"]:
            order.append(word[1])
        elif word[:1] == ["count"]:
            boot = boots.setdefault(word[1], Boot())
            boot.counts.setdefault(word[2], {})[int(word[3])] = int(word[4])
        elif word[:1] == ["time"]:
            boot = boots[word[1]]
            boot.host_us, boot.guest_us = int(word[2]), int(word[3])
        elif word[:1] == ["failed"]:
            failed[word[1]] = ""
        elif failed and order[-1] in failed:
            failed[order[-1]] += line.strip() + " "
    for line in instructions.splitlines():
        number, before, after = (int(w) for w in line.split())
        if order[number - 1] in boots:
            boots[order[number - 1]].before = before
            boots[order[number - 1]].after = after
    return boots, failed


def rows_of(boots):
    """(what, {who: number})."""
    def row(what, figure):
        return what, {who: figure(boot) for who, boot in boots.items()}

    def faults(boot, mmio):
        return sum(n for code, n in boot.counts["kvm_page_fault"].items()
                   if bool(code & FAULT_RESERVED) == mmio)

    exits = "kvm_exit"
    known = set(EXITS)
    yield row("exits", lambda x: x.of(exits))
    yield row("exits but the host's interrupts",
              lambda x: x.of(exits) - x.of(exits, INTERRUPT))
    for reason, name in EXITS.items():
        if reason != NESTED_FAULT:
            yield row(f"exits: {name}", lambda x, r=reason: x.of(exits, r))
    yield row("exits: page not there yet", lambda x: faults(x, False))
    yield row("exits: MMIO", lambda x: faults(x, True))
    yield row("exits: others", lambda x: sum(
        n for reason, n in x.counts[exits].items() if reason not in known))
    back = "kvm_userspace_exit"
    yield row("returns of KVM_RUN", lambda x: x.of(back))
    for name in dict.fromkeys(RETURNS.values()):
        keys = [key for key, value in RETURNS.items() if value == name]
        yield row(f"returns: {name}",
                  lambda x, k=keys: sum(x.of(back, key) for key in k))
    yield row("system calls", lambda x: x.of("sys_enter"))
    yield row("instructions in user mode, to the VM's first",
              lambda x: x.before)
    yield row("instructions in user mode, from there", lambda x: x.after)
    yield row("time in the guest, ms", lambda x: x.guest_us // 1000)
    yield row("time on the host, ms", lambda x: x.host_us // 1000)


def cells_of(figures):
    """Figures of one row: ours as it is, peers with their ratio to it."""
    first = next(iter(figures.values()))
    cells = []
    for i, figure in enumerate(figures.values()):
        if figure is None:
            cells.append("-")
        elif i == 0 or not first:
            cells.append(str(figure))
        else:
            cells.append(f"{figure} ({figure / first:.2f})")
    return cells


def bench_kernel(b, title, bzimage, vmlinux):
    boots, failed = parse(*in_bed(b, bzimage, vmlinux))
    for who, why in failed.items():
        b.problems.append(f"linux: {title} under {NAMES[who]}: {why}")
    if "ampoule-mmio" not in boots:
        raise Failed(f"{title} did not boot under Ampoule")
    rows, figures = [], {}
    for what, found in rows_of(boots):
        if any(found.values()):
            rows.append([what, *cells_of(found)])
            figures[what] = found
    for who, boot in boots.items():
        figures[who] = boot.counts
    b.table(f"Linux to its process 1, in the bed (emulated): {title}",
            ["what", *(NAMES[who] for who in boots)], rows, figures)


def bench_linux(b):
    Run([str(BED / "bed"), "prepare"], limit=LIMIT_SECONDS)
    for title, bzimage, vmlinux in kernels(b):
        bench_kernel(b, title, bzimage, vmlinux)
