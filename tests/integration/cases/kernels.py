# SPDX-License-Identifier: Apache-2.0
"""Kernel files that the user names: how they start, and what each kind of file
that is none gets: one clear line."""
import gzip
import random
import struct

from cases import bad

HELLO = "hello, world\n"


def test_by_pvh(t):
    """mote knows both protocols: asked for, and where the file has no other
    entry."""
    hello = t.program("hello")
    t.run("--kernel", t.kernel, "--boot", "pvh", hello).ended(0).said(HELLO)
    data = bytearray(t.kernel.read_bytes())
    struct.pack_into("<Q", data, 24, 0)  # e_entry
    bad.run_kernel(t, bytes(data)).ended(0).said(HELLO)
    bad.one_line(t, bad.run_kernel(t, bytes(data), "--boot", "linux"), 125,
                 "entry point")
    bad.one_line(t, bad.run_kernel(t, bad.kernel(b"\xf4"), "--boot", "pvh"),
                 125, "PVH", "note")


def test_a_kernel_without_relocations(t):
    bad.one_line(t, t.run("--kernel", t.kernel, "--kaslr", t.program("hello")),
                 125, "relocations", "--kaslr")


def test_options_of_other_kernels(t):
    for option in (("--boot", "pvh"), ("--kaslr",)):
        bad.one_line(t, t.run(*option, t.program("hello")), 125, option[0],
                     "--kernel")
    bad.one_line(t, t.run("--boot", "bios", t.program("hello")), 125, "--boot",
                 "pvh")


def bzimage(payload, **change):
    """A vmlinuz around @payload, which is compressed."""
    field = dict(sectors=4, flag=0xaa55, magic=b"HdrS", version=0x20f,
                 offset=0, length=len(payload))
    field.update(change)
    head = bytearray(5 * 512)
    head[:2] = b"MZ"
    head[0x1f1] = field["sectors"]
    struct.pack_into("<H", head, 0x1fe, field["flag"])
    struct.pack_into("<4sH", head, 0x202, field["magic"], field["version"])
    struct.pack_into("<II", head, 0x248, field["offset"], field["length"])
    return bytes(head) + payload


def refused(t, data, *words, options=()):
    bad.one_line(t, bad.run_kernel(t, data, *options), 125, "kernel", *words)


def test_bzimage(t):
    """Whole it runs, whatever is in it; cut at any field it is one line."""
    packed = gzip.compress(t.kernel.read_bytes(), 1)
    whole = bzimage(packed)
    bad.run_kernel(t, whole).ended(0).said(HELLO)
    for size in (1, 2, 0x1f1, 0x1f2, 0x1fe, 0x200, 0x202, 0x206, 0x248, 0x250,
                 0x26c, 0x400, 0xa00, 0xa01, 0xa00 + len(packed) // 2,
                 len(whole) - 9):
        refused(t, whole[:size])
    refused(t, whole[:0x230], "cut short")
    refused(t, bzimage(packed, magic=b"HdrT"), "magic")
    refused(t, bzimage(packed, version=0x0207), "old")
    refused(t, bzimage(packed, length=0xffffffff), "cut short")
    refused(t, bzimage(packed, offset=0xffffff00), "cut short")
    refused(t, bzimage(gzip.compress(b"no kernel" * 99)), "no ELF")
    refused(t, bzimage(gzip.compress(bad.kernel(b"\xf4", machine=183))),
            "another processor")
    refused(t, whole, "relocations", options=("--kaslr",))


def test_foreign_kernels(t):
    """Each is called by its name."""
    def head(at, magic):
        return (bytes(at) + magic).ljust(4096, b"\1")

    elf32 = bytearray(bad.kernel(b"\xf4"))
    elf32[4] = 1
    for data, word in (
            (head(0x38, b"ARM\x64"), "arm64"), (head(0x38, b"RSC\5"), "RISC"),
            (head(0x24, b"\x18\x28\x6f\x01"), "ARM"),
            (head(0, b"\x27\x05\x19\x56"), "uImage"),
            (head(0, b"MZ\0\0zimg"), "zboot"), (head(0, b"MZ"), "EFI"),
            (head(0, gzip.compress(b"x")), "gzip"), (head(0, b"BZh9"), "bzip2"),
            (head(0, b"!<arch>\n"), "archive"), (head(0, b"070701"), "cpio"),
            (elf32, "32-bit"), (b"", "empty"), (b"x" * 4096, "neither")):
        refused(t, bytes(data), word)


def test_memory_is_too_small(t):
    """For the kernel, for the initrd, for both."""
    refused(t, bad.kernel(b"\xf4", memsz=1 << 30), "too small", "1312M")
    initrd = t.tmp / "initrd"
    for size, words in ((1 << 27, ("too small", "--mem")),
                        (1 << 32, ("at most 3G",))):
        with open(initrd, "wb") as f:
            f.truncate(size)
        bad.one_line(t, t.run("--mem", "128M", "--initrd", initrd), 125,
                     *words)


def test_initrd_of_linux(t):
    """What cannot be one is refused before anything starts."""
    kernel, initrd = t.tmp / "vmlinuz", t.tmp / "initrd"
    kernel.write_bytes(bzimage(gzip.compress(t.kernel.read_bytes(), 1)))
    for data in (b"x", random.Random(3).randbytes(5000), b"\x7fELF" * 99):
        initrd.write_bytes(data)
        bad.one_line(t, t.run("--kernel", kernel, "--initrd", initrd), 125,
                     "initrd", "cpio")
    t.command(t.ampoule, "pack", "-o", initrd, t.program("hello")).ended(0)
    t.run("--kernel", kernel, "--initrd", initrd).ended(0).said(HELLO)
