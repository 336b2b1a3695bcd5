# SPDX-License-Identifier: Apache-2.0
"""Some of the integration tests, run in L1 as they are (inside.py): those that
are about mote's kernel and the VMM. ./dev test bed-all runs nearly all."""
import tempfile

import inside

CASES = ("hello.", "jobs.", "kernelbug.", "robust.", "vdso.", "tty.line_editing",
         "tty.frozen_and_thawed", "tty.window_size", "ends.sigterm_ends_a_loop",
         "ends.vmm_killed", "process.sigterm_to_the_pid",
         "streams.both_streams_into_one_file", "streams.sigpipe_as_on_linux",
         "conform.signal_1_cpus", "conform.memory_1_cpus",
         "conform.sync_4_cpus", "memory.smallest", "memory.too_small")
SECONDS = 400


def test_inside(say):
    names = [name for name in inside.all_cases()
             if name.startswith(CASES) and not inside.not_here(name)]
    with tempfile.TemporaryDirectory(prefix="ampoule-bed-root.") as root:
        inside.make_tree(root)
        lines, errors = inside.run_cases(root, names, SECONDS)
    told = {}
    for line in lines:
        word, _, rest = line.replace("not ok", "not_ok", 1).partition(" ")
        if word in ("ok", "not_ok", "skip"):
            name = rest.split(" ")[0]
            told[name] = []
            if word == "skip":  # nothing of this selection may be missing
                told[name].append(rest)
            if word == "not_ok":
                told[name].append("it failed")
        elif told:
            details = told[name]
            if details:
                details.append(line)
    for name in names:
        details = told.get(name, ["L1 did not come to it",
                                  *errors.splitlines()[-10:]])
        say(not details, f"inside {name}", details)
