# SPDX-License-Identifier: Apache-2.0
"""net.py - TCP between a Linux guest and its host, through a tap, also into
another network namespace, and through user mode, beside QEMU microvm with the
same kernel and program. In the bed, so that there is a guest kernel with a
driver, root and a machine of its own: only the ratios mean something.
tests/bed/bench_net.sh is what runs there."""
import pathlib
import shutil

from process import Failed, Run, Sample

BED = pathlib.Path(__file__).resolve().parents[1] / "bed"
QEMU = "qemu-system-x86_64"
BROUGHT = ("/usr/share/seabios/bios-microvm.bin",
           "/usr/share/qemu/linuxboot_dma.bin", "/usr/bin/passt")
LIMIT_SECONDS = 600
FIGURES = (("guest to host, MiB/s", 2), ("host to guest, MiB/s", 2),
           ("a byte there and back, us", 0))
WAYS = {"tap": "a tap", "netns": "a tap and a veth, another namespace",
        "user": "user mode (passt, slirp)"}


def in_bed(b, ms, rounds):
    files = [shutil.which(QEMU), *BROUGHT, b.program("tcp"),
             str(BED / "bench_net.sh")]
    for path in files:
        if not path or not pathlib.Path(path).exists():
            raise Failed(f"{path or QEMU} is not installed")
    argv = ["env", f"AMPOULE_BUILD={b.build}", str(BED / "bed"), "-g", "-t",
            str(LIMIT_SECONDS)]
    for path in files:
        argv += ["-f", path]
    return Run([*argv, "--", f"sh ./bench_net.sh {ms} {rounds}"],
               limit=LIMIT_SECONDS + 60).out


def bench_net(b):
    found = {}
    text = in_bed(b, 1000, b.rounds(2, 1))
    for line in text.splitlines():
        word = line.split()
        if len(word) == 6 and word[2] == "tcp":
            found.setdefault((word[0], word[1]), []).append(
                [float(w) for w in word[3:]])
    rows, figures = [], {}
    for way, name in WAYS.items():
        if ("ampoule", way) not in found or ("qemu", way) not in found:
            raise Failed(f"no figures of {way}: {text[-500:]!r}")
        for i, (what, digits) in enumerate(FIGURES):
            ours, peer = (Sample(run[i] for run in found[who, way])
                          for who in ("ampoule", "qemu"))
            rows.append([f"{name}: {what}", f"{ours.median:.{digits}f}",
                         f"{peer.median:.{digits}f}",
                         f"{ours.median / peer.median:.2f}"])
            figures[f"{way}.{what}"] = {"ampoule": ours.summary(),
                                        "qemu": peer.summary()}
    b.table("TCP of a Linux guest, in the bed (emulated)",
            ["what", "Ampoule", "QEMU", "Ampoule / QEMU"], rows, figures)
