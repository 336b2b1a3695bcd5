# SPDX-License-Identifier: Apache-2.0
"""--cpu and --cpus: what a VM sees of the CPU, and what is refused. What a
template does to a guest is seen in the bed, where CPUID is honoured."""
import pathlib

from cases import bad

PVM = pathlib.Path("/sys/module/kvm_pvm")


def said(t, result):
    """A note where the host cannot do it, and nothing else."""
    result.ended(0)
    t.equal(result.out, b"hello, world\n", "stdout")
    if PVM.exists():
        result.noted("note: --cpu", "PVM")
    t.equal(len(result.errors.splitlines()), int(PVM.exists()), result)


def test_templates(t):
    hello = t.program("hello")
    path = t.tmp / "old.cpu"
    path.write_text("# no AVX-512\n0x7.ebx = ~0xd0230000\n0x7.1.eax = 0x10\n")
    said(t, t.run("--cpu", "baseline", hello))
    said(t, t.run("--cpu", path, hello))
    t.run("--cpu", "host", hello).ended(0).quiet()


def test_damaged_templates(t):
    path = t.tmp / "mine.cpu"
    hello = t.program("hello")
    for text, *words in (
            ("0x7.ebx = ~0x1\n0x7.ebx = 0\n", "mine.cpu:2:11:", "already"),
            ("0x7.ebx = lots\n", "mine.cpu:1:11: 'lots'", "32 bits"),
            ("0xb.ecx = 0\n", "mine.cpu:1:1: '0xb.ecx'", "no key"),
            ("\n\0", "mine.cpu:2:1:", "no text"),
            ("", "mine.cpu", "no register"),
            ("# a long comment\n" * 1000, "mine.cpu", "longer")):
        path.write_text(text)
        bad.one_line(t, t.run("--cpu", path, hello), 125, *words)
    bad.one_line(t, t.run("--cpu", t.tmp / "none", hello), 125, "none",
                 "No such file")
    bad.one_line(t, t.run("--cpu", "/", hello), 125, "directory")
    bad.one_line(t, t.run("--cpu", "mine.cpu", hello), 125, "'mine.cpu'",
                 "host", "baseline", "'/'")


def test_more_cpus_than_mote_has(t):
    bad.one_line(t, t.run("--cpus", 9, t.program("hello")), 125,
                 "mote has at most 8", "--kernel")
    t.run("--cpus", 8, t.program("hello")).ended(0)
