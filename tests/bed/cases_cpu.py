# SPDX-License-Identifier: Apache-2.0
"""CPUs and clocks of Linux guests on hardware KVM."""
from bedlib import BUILD, HERE, bed, say_verdicts


def test_linux_cpu(say):
    """Debian's kernel: topology, templates, clocks, the host's log, and the
    kernel of ./dev kernel where it is built: linux_cpu.sh."""
    ours = BUILD / "kernels/linux/vmlinux"
    files = [ours] if ours.exists() else []
    result = bed("sh ./linux_cpu.sh", HERE / "linux_cpu.sh", *files,
                 bring="-g")
    say_verdicts(say, "linux_cpu", result)
