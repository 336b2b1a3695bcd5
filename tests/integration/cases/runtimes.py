# SPDX-License-Identifier: Apache-2.0
"""A language's standard library comes along without being named."""
import os

import vm


def run(t, *argv):
    t.need(argv[0])
    return t.run("--mem", "512M", "--", *argv)


def test_python(t):
    run(t, "/usr/bin/python3", "-c",
        "import json, ssl; print(json.dumps([1]))").ended(0).said("[1]\n")


def test_python_script(t):
    path = os.path.join(t.tmp, "script")
    with open(path, "w", encoding="ascii") as script:
        script.write("#!/usr/bin/python3\nimport re\nprint(re.escape('.'))\n")
    os.chmod(path, 0o755)
    t.need("/usr/bin/python3")
    t.run("--mem", "512M", path).ended(0).said("\\.\n")


def test_perl(t):
    run(t, "/usr/bin/perl", "-e",
        "use POSIX; print POSIX::floor(2.5)").ended(0).said("2")


def test_ruby(t):
    run(t, "/usr/bin/ruby", "-e",
        "require 'set'; puts Set[1, 1].size").ended(0).said("1\n")


def test_git(t):
    run(t, "/usr/bin/git", "init", "-q", "/tmp/x").ended(0)


def test_bare(t):
    """Without it Python finds nothing to start with, and says so."""
    t.need("/usr/bin/python3")
    result = t.run("--mem", "512M", "--bare", "--", "/usr/bin/python3", "-c",
                   "print(1)").ended(1)
    t.check("No module named 'encodings'" in result.errors, result.errors)
