# SPDX-License-Identifier: Apache-2.0
"""Linux guests whose root does its worst: linux_hostile.sh. Each VM ends in a
way that a guest may bring about, and L1 is as it was."""
from bedlib import HERE, bed, program, say_verdicts


def hostile(say, transport, seed):
    result = bed("sh ./linux_hostile.sh guest/boot/vmlinuz"
                 f" {transport} {seed}", HERE / "linux_lib.sh",
                 HERE / "linux_hostile.sh", program("devfuzz"),
                 program("linuxfuzz"), bring="-g", limit=480)
    say_verdicts(say, f"linux_hostile {transport}", result)


def test_linux_hostile_mmio(say):
    hostile(say, "mmio", 1)


def test_linux_hostile_pci(say):
    hostile(say, "pci", 2)
