# SPDX-License-Identifier: Apache-2.0
"""How Linux starts: where chance puts it, by PVH, and the VM generation id."""
import re

from bedlib import BUILD, Failed, Skipped, bed

DEBIAN = "ampoule run --time 150 --mem 300M --kernel guest/boot/vmlinuz"
LOOK = ("busybox sh -c 'grep -w _text /proc/kallsyms; "
        "grep \"Kernel code\" /proc/iomem'")
LINKED = "ffffffff81000000"


def places(text):
    """(virtual, physical) of _text in each boot that LOOK has looked into."""
    found = re.findall(r"(?m)^(\w{16}) T _text\n +(\w+)-\w+ : Kernel code$",
                       text)
    return [(virtual, int(physical, 16)) for virtual, physical in found]


def test_boot_kaslr():
    """Debian's kernel lies elsewhere each time, in both ways; chance may give
    one place twice, but not three times."""
    result = bed(f"for i in 1 2; do {DEBIAN} --kaslr {LOOK}; done", bring="-g")
    found = places(result.out)
    result.want("boots", len(found), 2)
    if found[0][0] == found[1][0]:
        result = bed(f"{DEBIAN} --kaslr {LOOK}", bring="-g")
        found += places(result.out)
    virtual = {place[0] for place in found}
    if LINKED in virtual or len(virtual) < 2:
        raise Failed(f"_text at {found}")
    for where, physical in found:
        if int(where, 16) % (1 << 21) or physical % (1 << 21) or \
                not 1 << 24 <= physical < 300 << 20:
            raise Failed(f"_text at {where}, {physical:#x}")
    result.expect(err="")


def test_boot_pvh():
    """The same file by its other entry: initrd, ACPI, our process 1. What ACPI
    says of the VM generation id is what drivers look for."""
    result = bed(f"echo in | {DEBIAN} --boot pvh busybox sh -c 'cat; "
                 "cat /sys/bus/acpi/devices/AMPO0001:00/modalias; "
                 "ls /sys/bus/acpi/devices | grep -c LNRO; exit 5'",
                 bring="-g")
    lines = result.out.split()
    result.want("input and modalias", lines[:2],
                ["in", "acpi:AMPO0001:VM_GEN_COUNTER:"])
    if int(lines[2]) < 2:
        raise Failed(f"ACPI devices: {result.out}")
    result.want("status", result.status, 5)


def test_boot_generation_id():
    """Its driver is there, which Debian's kernel lacks."""
    if not (BUILD / "kernels/linux/vmlinux").exists():
        raise Skipped("no Linux kernel: ./dev kernel")
    result = bed("ampoule run --time 90 --kernel linux busybox sh -c "
                 "'cd /sys/bus/acpi/devices/AMPO*; readlink driver'")
    result.expect(out="../../../../bus/acpi/drivers/vmgenid\n", err="")
