# SPDX-License-Identifier: Apache-2.0
"""A hostile program makes random system calls in many processes and threads:
the guest's kernel neither ends, nor hangs, nor loses what it is to do.

AMPOULE_SYSFUZZ_SECONDS=600 makes each case run that long, and
AMPOULE_SYSFUZZ_SEED begins elsewhere."""
import os
import re

import vm

SECONDS = int(os.environ.get("AMPOULE_SYSFUZZ_SECONDS", "15"))
SEED = int(os.environ.get("AMPOULE_SYSFUZZ_SEED", "1"))


def fuzz(t, seed, *options):
    guest = t.run(*options, t.program("sysfuzz"), str(seed), str(SECONDS),
                  "4", limit=SECONDS + 60)
    # Calls may write to the streams; the program's own lines say what it did.
    rounds = re.findall(r"^round \d+ seed \d+ free \d+ KiB$",
                        guest.text, re.M)
    last = rounds[-1] if rounds else "none"
    t.check(guest.status == 0 and guest.text.endswith("clean\n"),
            f"status {guest.status}, last round: {last}\n"
            f"{guest.text[-500:]}\n{guest.errors[-1000:]}")
    t.check(len(rounds) > 3, f"only {len(rounds)} rounds")


def test_one_cpu(t):
    fuzz(t, SEED)


def test_four_cpus(t):
    fuzz(t, SEED + 1, "--cpus", "4")
