# SPDX-License-Identifier: Apache-2.0
"""A program that goes where only mote's kernel may."""


def test_gates(t):
    for cpus in (1, 4):
        t.run("--cpus", cpus, t.program("gates")).ended(0).quiet()
