# SPDX-License-Identifier: Apache-2.0
"""Linux guests on hardware KVM: Debian's unmodified cloud kernel, and the one
of ./dev kernel where it is built; on virtio-mmio and on virtio-pci. A script
linux_TOPIC.sh boots its guests in one L1."""
import contextlib
import os
import pathlib
import shutil
import tempfile

from bedlib import BUILD, HERE, ROOT, Skipped, bed, program, say_verdicts
from guests import FAULTING, HALTED, SPINNING, broken_module, tiny_kernel

LIMIT = 900  # seconds for a script; some boots each, on a busy machine
LIBRARY = HERE / "linux_lib.sh"
CACHE = pathlib.Path(os.environ.get("AMPOULE_BED", ROOT / "build/bed"))
OURS = BUILD / "kernels/linux/vmlinux"
KERNELS = {  # as --kernel takes it, and the option of bed that brings it
    "debian": ("guest/boot/vmlinuz", "-g"),
    "ours": ("linux", "-k"),
}
TRANSPORTS = ("mmio", "pci")


def modules():
    """Debian's, as the bed keeps them for guests: name -> path."""
    return {path.stem: path
            for path in CACHE.glob("kernel/guest/lib/modules/**/*.ko")}


def release():
    found = list(CACHE.glob("kernel/guest/lib/modules/*"))
    return found[0].name if found else "none"


def tools(*names, package):
    """Programs of this machine that a script takes along."""
    found = [shutil.which(name, path="/usr/sbin:/sbin:/usr/bin")
             for name in names]
    if not all(found):
        raise Skipped(f"no {names[0]}: apt-get install {package}")
    return found


@contextlib.contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="ampoule-bed-linux.") as name:
        yield pathlib.Path(name)


def run_script(say, topic, kernel, transport, *files, words=""):
    """linux_TOPIC.sh KERNEL TRANSPORT WORDS in L1."""
    name, bring = KERNELS[kernel]
    result = bed(f"sh ./linux_{topic}.sh {name} {transport} {words}",
                 LIBRARY, HERE / f"linux_{topic}.sh", *files, bring=bring,
                 limit=LIMIT)
    say_verdicts(say, f"linux_{topic} {kernel} {transport}", result)


def program_case(say, kernel, transport):
    """Exit codes, streams, signals with 1, 2, 4 CPUs, a terminal."""
    run_script(say, "program", kernel, transport, program("terminal"),
               words=release() if kernel == "debian" else "")


def ends_case(say, kernel, transport):
    """Power-off, reboot, panic, oops, triple fault: a line each."""
    with scratch() as folder:
        files = []
        for name in ("failover", "net_failover", "virtio_balloon"):
            if kernel == "debian" and not files:
                wrong = broken_module(modules()[name].read_bytes())
                if wrong:
                    files.append(folder / "wrong.ko")
                    files[0].write_bytes(wrong)
        run_script(say, "ends", kernel, transport, *files,
                   words="wrong.ko" if files else "")


def system_case(say, kernel, transport):
    """The user's own initrd, its power button; kernels that hang early."""
    with scratch() as folder:
        files = []
        for name, code in (("halted", HALTED), ("spinning", SPINNING),
                           ("faulting", FAULTING)):
            files.append(folder / name)
            files[-1].write_bytes(tiny_kernel(code))
        run_script(say, "system", kernel, transport, *files)


def devices_case(say, kernel, transport):
    """Balloon, entropy, console ports."""
    run_script(say, "devices", kernel, transport)


def drivers_case(say, kernel, transport):
    """Disk, pmem, sockets; on PCI a disk is let go and taken again."""
    files = tools("mke2fs", "e2fsck", "debugfs", package="e2fsprogs")
    run_script(say, "drivers", kernel, transport, *files, program("vsocket"),
               program("hostsock"))


def net_case(say, kernel, transport):
    """Ping and TCP through a tap and through user mode."""
    run_script(say, "net", kernel, transport, *tools("passt", package="passt"))


def test_linux_queues(say):
    """Queues and offloads of a tap, on mmio and on PCI: linux_queues.sh."""
    result = bed("sh ./linux_queues.sh guest/boot/vmlinuz", LIBRARY,
                 HERE / "linux_queues.sh", bring="-g")
    say_verdicts(say, "linux_queues", result)


def ours_is_missing(_):
    raise Skipped("no Linux kernel of ours: ./dev kernel")


def define():
    """A case for each topic, kernel and transport: test_TOPIC_KERNEL_TRANSPORT.
    How a guest ends is no matter of its transport."""
    topics = {name[:-5]: case for name, case in globals().items()
              if name.endswith("_case")}
    for kernel in KERNELS:
        if kernel == "ours" and not OURS.exists():
            globals()["test_linux_ours"] = ours_is_missing
            continue
        for topic, case in topics.items():
            for transport in TRANSPORTS:
                if transport == "pci" and topic in ("ends", "system"):
                    continue
                globals()[f"test_linux_{topic}_{kernel}_{transport}"] = (
                    lambda say, case=case, kernel=kernel, way=transport:
                    case(say, kernel, way))


define()
