# SPDX-License-Identifier: Apache-2.0
"""Kernel files that the user names: how they start, and what each kind of file
that is none gets: one clear line."""
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
