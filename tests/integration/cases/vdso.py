# SPDX-License-Identifier: Apache-2.0
"""The vDSO: found as on Linux, no system call in it (each instruction is
looked at before it runs), time that never goes back, pages nobody writes."""

# What programs/vdso.c steps through without a call to the kernel.
STEPPED = ("realtime", "monotonic", "coarse", "boottime", "tai",
           "libc's clock_gettime", "libc's gettimeofday", "libc's time",
           "getres", "gettimeofday", "time")


def look(t, cpus, name):
    result = t.run("--cpus", cpus, t.program(name), "calls").ended(0).quiet()
    lines = result.text.splitlines()
    t.check(lines[0].startswith("linux-vdso.so.1,"), result)
    if cpus > 1 and lines[0].endswith(" 0"):
        t.skip("the host's clock is not one for all CPUs: each time is a "
               "system call")
    for what in STEPPED:
        line = f"{what}: stepped 1, 0 system calls"
        t.check(line in lines, f"no line {line!r}\n{result}")
    for line in ("resolution 0 1", "zone 0 0", "cpu exists 1, node 0",
                 "no such clock -22", "cpu time: stepped 1, 1 system calls"):
        t.check(line in lines, f"no line {line!r}\n{result}")
    return lines


def test_no_system_call(t):
    lines = look(t, 1, "vdso")
    t.check("getcpu: stepped 1, 0 system calls" in lines, lines)


def test_no_system_call_in_a_static_program(t):
    look(t, 1, "vdso-static")


def test_no_system_call_on_several_cpus(t):
    look(t, 4, "vdso")


def order(t, cpus, threads):
    result = t.run("--cpus", cpus, t.program("vdso"), "order", threads)
    result.ended(0).said("against calls: 0 wrong\nthreads: 0 wrong\n")


def test_time_does_not_go_back(t):
    order(t, 1, 2)


def test_time_does_not_go_back_on_several_cpus(t):
    order(t, 4, 4)


def test_pages_are_read_only(t):
    result = t.run(t.program("vdso"), "pages")
    result.ended(0).said("write: 11 11\nmprotect: 0\nmprotect: 0\n"
                         "read into: -1 1\nchild: 7\n")


def test_maps(t):
    maps = t.run("/bin/busybox", "cat", "/proc/self/maps").ended(0).text
    rows = [line.split() for line in maps.splitlines()]
    found = {row[-1]: row for row in rows if row[-1] in ("[vvar]", "[vdso]")}
    t.equal(found["[vvar]"][1], "r--p", "vvar")
    t.equal(found["[vdso]"][1], "r-xp", "vdso")
    t.equal(found["[vvar]"][0].split("-")[1],
            found["[vdso]"][0].split("-")[0], "vvar ends where vdso begins")
