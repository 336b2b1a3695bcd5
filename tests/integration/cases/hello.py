# SPDX-License-Identifier: Apache-2.0
"""The smallest programs, linked in every way, and how they are found."""
import os

HELLO = "hello, world\n"


def test_static(t):
    t.run(t.program("hello")).ended(0).said(HELLO).quiet()


def test_static_pie(t):
    t.run(t.program("hello-static-pie")).ended(0).said(HELLO).quiet()


def test_dynamic(t):
    t.run(t.program("hello-dynamic")).ended(0).said(HELLO).quiet()


def test_cxx_throw_dynamic(t):
    host = t.command(t.program("throw")).ended(0)
    t.run(t.program("throw")).ended(0).said(host.out).quiet()


def test_cxx_throw_static(t):
    host = t.command(t.program("throw-static")).ended(0)
    t.run(t.program("throw-static")).ended(0).said(host.out).quiet()


def test_double_dash(t):
    t.run("--", t.program("hello")).ended(0).said(HELLO).quiet()


def test_relative_path(t):
    path = t.program("hello")
    t.run("./hello", cwd=path.parent).ended(0).said(HELLO).quiet()


def test_found_in_path(t):
    path = t.program("hello")
    env = dict(os.environ, PATH=f"{path.parent}:{os.environ['PATH']}")
    t.run("hello", env=env).ended(0).said(HELLO).quiet()


def test_through_symlink(t):
    link = t.tmp / "link"
    link.symlink_to(t.program("hello-dynamic"))
    t.run(link).ended(0).said(HELLO).quiet()


def test_script(t):
    t.need("/bin/busybox")
    script = t.tmp / "script"
    script.write_text("#!/bin/busybox sh\necho \"script $# $1\"\nexit 3\n")
    script.chmod(0o755)
    t.run(script, "one", "two").ended(3).said("script 2 one\n").quiet()


def test_arguments(t):
    result = t.run(t.program("env"), "a b", "", "--mem", "-v", "c'\"\\").ended(0)
    got = [s for s in result.text.splitlines() if s.startswith("arg ")]
    t.equal(got, ["arg [a b]", "arg []", "arg [--mem]", "arg [-v]",
                  "arg [c'\"\\]"], "arguments")


def test_many_arguments(t):
    words = [f"word-{n:05}" for n in range(5000)]
    result = t.run(t.program("env"), *words).ended(0)
    got = [s for s in result.text.splitlines() if s.startswith("arg ")]
    t.equal(got, [f"arg [{w}]" for w in words], "arguments")


def test_environment_is_not_the_hosts(t):
    env = dict(os.environ, SECRET_OF_THE_HOST="1", LD_PRELOAD="")
    result = t.run(t.program("env"), env=env).ended(0)
    t.check("SECRET_OF_THE_HOST" not in result.text, result)
    t.check("env [PATH=" in result.text, result)
    t.check("env [HOME=/root]" in result.text, result)
    t.check("cwd [/]" in result.text, result)


def test_environment_option(t):
    env = dict(os.environ, FROM_HOST="yes")
    result = t.run("--env", "A=b=c", "--env", "FROM_HOST", "--env", "EMPTY=",
                   t.program("env"), env=env).ended(0)
    for want in ("env [A=b=c]", "env [FROM_HOST=yes]", "env [EMPTY=]"):
        t.check(want in result.text, result)


def test_auxiliary_vector(t):
    result = t.run(t.program("env")).ended(0)
    last = result.text.splitlines()[-1]
    t.equal(last, "pagesz 4096 uid 0 secure 0 random 1 execfn 1", "auxv")
