# SPDX-License-Identifier: Apache-2.0
"""The command itself: help, version, doctor, and the promises of README."""
import json
import re
import shutil

import vm


def test_help_of_everything(t):
    for argv in (("--help",), ("help",), ("run", "--help"),
                 ("pack", "--help"), ("doctor", "--help"),
                 ("version", "--help"), ("help", "run"), ("help", "doctor")):
        result = t.command(t.ampoule, *argv).ended(0).quiet()
        t.check("ampoule" in result.text and len(result.text) > 60, result)


def test_help_of_run_teaches(t):
    text = t.command(t.ampoule, "run", "--help").ended(0).text
    for word in ("--mem", "--time", "--env", "--file", "--kernel", "--initrd",
                 "--cmdline", "--trace", "--json", "-v", "124", "125", "127"):
        t.check(word in text, f"no {word} in:\n{text}")
    wide = [s for s in text.splitlines() if len(s) > 80]
    t.equal(wide, [], "lines wider than a terminal")


def test_no_command(t):
    result = t.command(t.ampoule)
    t.check(result.status != 0 and "run" in result.errors, result)


def test_version(t):
    result = t.command(t.ampoule, "version").ended(0)
    t.check(re.search(r"\d+\.\d+\.\d+", result.text), result)


def test_doctor(t):
    result = t.command(t.ampoule, "doctor").ended(0)
    for word in ("kvm", "cgroup", "landlock", "namespace", "io_uring",
                 "kernel", "mitigation"):
        t.check(word in result.text.lower(), f"no '{word}'\n{result}")
    t.check("\033[" not in result.text, "colours on a pipe")


def test_doctor_json(t):
    data = json.loads(t.command(t.ampoule, "doctor", "--json").ended(0).out)
    t.check(data, data)


def test_doctor_without_kvm(t):
    t.need("/usr/bin/unshare")
    result = t.shell("exec unshare -m bash -c 'mount --bind /dev/null /dev/kvm"
                     " && exec \"$A\" doctor'")
    result.ended(125)
    t.check("/dev/kvm" in result.text, result)


def readme_examples(t):
    """The lines of README.md that start with '$ ' and run a VM, each with the
    output that stands below it."""
    examples, wanted = [], None
    for line in (t.root / "README.md").read_text().splitlines():
        if re.match(r"\$ .*(\./dev|ampoule) run ", line):
            wanted = []
            examples.append((line[2:], wanted))
        elif line.startswith(("$ ", "```")) or wanted is None:
            wanted = None
        else:
            wanted.append(line)
    return examples


def test_readme_examples(t):
    """Every command that README shows does what README says it does."""
    examples = readme_examples(t)
    t.check(len(examples) >= 8, f"only {len(examples)} examples found")
    for command, wanted in examples:
        script = command.replace("./dev run", "ampoule run")
        result = t.shell(f"PATH={t.ampoule.parent}:$PATH; exec 2>&1; {script}",
                         cwd=t.root)
        got = result.text.splitlines()
        for want in wanted:
            t.check(want in got,
                    f"README says '{want}' for '{command}'\n{result}")


def test_man_page(t):
    """The manual knows every option of run --help."""
    page = t.root / "docs/man/ampoule.1"
    t.need(page)
    text = page.read_text()
    helped = t.command(t.ampoule, "run", "--help").ended(0).text
    for option in sorted(set(re.findall(r"^ *(?:-\w, )?--([a-z-]+)", helped,
                                        re.M))):
        t.check(option in text.replace("\\-", "-"),
                f"--{option} is not in the manual")


def test_examples_are_shell(t):
    for path in sorted((t.root / "examples").glob("*.sh")):
        t.command("/bin/sh", "-n", path).ended(0).quiet()


def test_examples_run(t):
    """Each example says what it shows and ends with 0."""
    paths = sorted((t.root / "examples").glob("*.sh"))
    t.check(paths, "no examples")
    for path in paths:
        t.shell(f"PATH={t.ampoule.parent}:$PATH exec sh {path}",
                limit=60).ended(0)


def test_installed(t):
    """What is installed runs from there, wherever the tree is moved to."""
    t.need("/usr/bin/meson", "/bin/busybox")
    t.command("meson", "install", "--no-rebuild", "-C", t.build, "--destdir",
              t.tmp / "first").ended(0)
    found = list((t.tmp / "first").rglob("bin/ampoule"))
    t.equal(len(found), 1, "installed commands")
    prefix = (t.tmp / "moved")
    found[0].parents[1].rename(prefix)
    for part in ("libexec/ampoule/ampoule-jailer", "libexec/ampoule/mote",
                 "libexec/ampoule/ampoule-vmm", "share/man/man1/ampoule.1",
                 "share/bash-completion/completions/ampoule"):
        t.check((prefix / part).exists(), f"{part} is not installed")
    t.command("busybox", "env", "-i", f"PATH={prefix}/bin:/bin", "ampoule",
              "run", "busybox", "echo", "hi").ended(0).said("hi\n").quiet()


def test_installed_in_part(t):
    """A part that is missing is named."""
    (t.tmp / "bin").mkdir()
    shutil.copy(t.ampoule, t.tmp / "bin")
    libexec = t.tmp / "libexec/ampoule"
    libexec.mkdir(parents=True)
    shutil.copy(t.kernel, libexec)
    result = t.command(t.tmp / "bin/ampoule", "run", t.program("hello"))
    if result.status == 0:
        t.skip("the parts that were looked for are installed on this host")
    result.ended(125).noted("ampoule-vmm", "installed")


def test_more_cpus_than_the_kernel_uses(t):
    """Each way of ending, with vCPUs that only wait."""
    t.run("--cpus", "2", t.program("hello")).ended(0).said(
        "hello, world\n").quiet()
    t.run("--cpus", "4", t.program("ends"), "exit", "42").ended(42).quiet()
    t.run("--cpus", "2", "--time", "0.5", t.program("ends"),
          "loop").ended(124)
    process = t.start_vm("--cpus", "2", t.program("ends"), "wait")
    t.equal(process.stdout.readline(), b"waiting\n", "program")
    process.terminate()
    t.equal(process.wait(timeout=20 * vm.SLOW), 143, "status")
