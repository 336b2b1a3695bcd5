#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint.py - the static checks: 'ok NAME' or 'not ok NAME' a check, details of
what is wrong behind '# '.

usage: lint.py [-v] [CHECK...]      AMPOULE_BUILD_ROOT: where build/clang is

A finding that is wrong is silenced at its place with a reason, or here.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("AMPOULE_BUILD_ROOT", ROOT / "build"))
CACHE = BUILD / "lint"
C_ROOMS = ("base", "devices-virtio", "runner", "jailer", "policies",
           "kernels/mote")

# cppcheck's findings that do not hold here, each with the reason.
CPPCHECK_SUPPRESSIONS = {
    "missingIncludeSystem": "system headers are not parsed, by intent",
    "unmatchedSuppression": "not every file has every finding",
    "unusedStructMember": "wire formats name fields that we skip",
    "normalCheckLevelMaxBranches": "information, not a finding",
    "checkersReport": "information, not a finding",
    "nullPointerArithmeticRedundantCheck": "follows asserts into release",
    "comparePointers": "linker-script symbols bound one array",
    "subtractPointers": "linker-script symbols bound one array",
    "syntaxError:kernels/mote/proc/*": "X-macro tables without their macro",
    "nullPointerRedundantCheck:kernels/mote/*": "panic() does not return",
    "memleak:runner/image/build.c": "cleanup attributes free",
    "memleak:runner/vmm/acpi.c": "cleanup attributes free",
    "objectIndex:kernels/mote/mm/page.c": "the index is 0 for one page",
}


def git_files(*patterns):
    out = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
         *patterns], cwd=ROOT, capture_output=True, check=True).stdout
    names = sorted({name for name in out.decode().split("\0") if name})
    return [name for name in names if (ROOT / name).exists()]


def command(*argv, **options):
    return subprocess.run([str(a) for a in argv], cwd=ROOT, text=True,
                          capture_output=True, timeout=900, **options)


def parallel(function, items):
    """Findings of all items, two at a time."""
    findings = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for result in pool.map(function, items):
            findings += result
    return findings


def once(key, function):
    """function()'s findings, remembered as long as the key is the same and
    there are none."""
    digest = hashlib.sha256(repr(key).encode()).hexdigest()
    stamp = CACHE / digest
    if stamp.exists():
        return []
    findings = function()
    if not findings:
        CACHE.mkdir(parents=True, exist_ok=True)
        stamp.touch()
    return findings


def content_of(names):
    return [(name, (ROOT / name).read_bytes()) for name in names]


# ------------------------------------------------------------------ checks

def check_format():
    """clang-format leaves every C file as it is."""
    names = git_files("*.c", "*.h")

    def one(name):
        result = command("clang-format-14", "--dry-run", "-Werror", name)
        return [f"{name}: ./dev fmt changes it"] if result.returncode else []
    return parallel(one, names)


def compile_commands():
    path = BUILD / "clang/compile_commands.json"
    entries = {}
    for entry in json.loads(path.read_text()):
        source = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if source.is_relative_to(ROOT) and not source.is_relative_to(BUILD):
            entries.setdefault(str(source.relative_to(ROOT)), entry)
    return entries


def check_headers():
    """Every header compiles alone, twice included."""
    entries = compile_commands()

    def flags_of(header):
        """Those of a source beside it: the guest kernel has its own."""
        folder = os.path.dirname(header)
        while True:
            for name, entry in entries.items():
                if name.startswith(f"{folder}/") and name.endswith(".c"):
                    return [word for word in entry["command"].split()
                            if word.startswith(("-D", "-m", "-f", "-std"))]
            if "/" not in folder:
                return ["-D_GNU_SOURCE", "-std=gnu17"]
            folder = os.path.dirname(folder)

    def one(name):
        source = f'#include "{name}"\n#include "{name}"\n'
        result = command("gcc", "-xc", "-fsyntax-only", "-Wall", "-Werror",
                         *(f for f in flags_of(name)
                           if not f.startswith(("-fsanitize", "-fcolor"))),
                         "-I", ROOT, "-I", BUILD / "clang", "-",
                         input=source)
        return [f"{name}: {line}" for line in result.stderr.splitlines()[:4]
                ] if result.returncode else []
    names = [name for name in git_files("*.h")]
    return once(("headers", content_of(names)),
                lambda: parallel(one, names))


def check_tidy():
    """clang-tidy with the project's .clang-tidy."""
    entries = compile_commands()
    headers = content_of(git_files("*.h", "*.tbl", "*.clang-tidy"))
    names = [name for name in sorted(entries)
             if name.startswith(C_ROOMS) and name.endswith(".c")]

    def one(name):
        def run():
            result = command("clang-tidy-14", "--quiet", "-p",
                             BUILD / "clang", name)
            return [re.sub(r"^\S*?\.\.[./]*(?=(" + "|".join(C_ROOMS) + ")/)", "",
                           line.replace(f"{ROOT}/", ""))
                    for line in result.stdout.splitlines()
                    if re.search(r": (warning|error): ", line)]
        return once(("tidy", name, (ROOT / name).read_bytes(), headers), run)
    return parallel(one, names)


def check_cppcheck():
    """cppcheck: warnings, performance, portability."""
    names = [name for name in git_files("*.c") if name.startswith(C_ROOMS)]
    if not names:
        return []
    CACHE.mkdir(parents=True, exist_ok=True)
    suppress = [f"--suppress={s}" for s in CPPCHECK_SUPPRESSIONS]
    (CACHE / "cppcheck").mkdir(exist_ok=True)
    result = command("cppcheck", "--quiet", "-j2", "--std=c11",
                     "--enable=warning,performance,portability",
                     "--inline-suppr", "--error-exitcode=1",
                     f"--cppcheck-build-dir={CACHE / 'cppcheck'}",
                     "--template={file}:{line}: {severity}: {id}: {message}",
                     "-D__x86_64__", "-D_GNU_SOURCE", "-I", ROOT, *suppress,
                     *names)
    return result.stderr.splitlines()


def check_shell():
    """shellcheck of every shell script."""
    names = []
    for name in git_files():
        path = ROOT / name
        if path.is_symlink() or name.endswith((".c", ".h", ".md", ".py")):
            continue
        with open(path, "rb") as data:
            first = data.readline(80)
        if re.match(rb"#!.*\b(ba|da)?sh\b", first):
            names.append(name)
    result = command("shellcheck", "-f", "gcc", *names)
    return result.stdout.splitlines()


def check_python():
    """Every Python file compiles."""
    findings = []
    for name in git_files("*.py"):
        try:
            compile((ROOT / name).read_bytes(), name, "exec")
        except SyntaxError as error:
            findings.append(f"{name}:{error.lineno}: {error.msg}")
    return findings


LIMIT_LINES = 600  # uneasy at 500; a generated table may come close


def check_house():
    """The rules of the house that a machine can see."""
    findings = []
    for name in git_files():
        path = ROOT / name
        if path.is_symlink() or "/corpus/" in name or name == "LICENSE":
            continue
        data = path.read_bytes()
        if b"\0" in data:
            findings.append(f"{name}: a binary file")
            continue
        text = data.decode("utf-8", "replace")
        lines = text.splitlines()
        source = name.endswith((".c", ".h", ".S", ".py", ".sh", ".cc"))
        if source and lines and not any("SPDX-License-Identifier: Apache-2.0"
                                        in line for line in lines[:3]):
            findings.append(f"{name}: no SPDX line")
        if name.endswith((".c", ".h", ".cc")) and not any(
                f"{os.path.basename(name)} - " in line for line in lines[:4]):
            findings.append(f"{name}: the first lines do not say its duty")
        if name.endswith(".h") and "#pragma once" not in text:
            findings.append(f"{name}: no #pragma once")
        if name.endswith((".c", ".h")) and len(lines) > LIMIT_LINES:
            findings.append(f"{name}: {len(lines)} lines")
        for number, line in enumerate(lines, 1):
            if line != line.rstrip() and not name.endswith(".md"):
                findings.append(f"{name}:{number}: space at the end")
            if re.search(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b", line):
                findings.append(f"{name}:{number}: unfinished: {line.strip()}")
            if "/wo" "rk/" in line:
                findings.append(f"{name}:{number}: a path of one machine")
        if text and not text.endswith("\n"):
            findings.append(f"{name}: no newline at the end")
    return findings


def check_docs():
    """Links between the documents lead somewhere."""
    findings = []
    for name in git_files("*.md"):
        path = ROOT / name
        prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose):
            if "://" not in link and not (path.parent / link).exists():
                findings.append(f"{name}: the link to {link} leads nowhere")
        for command_line in re.findall(r"`\./dev (\w+)", path.read_text()):
            if not re.search(rf"^cmd_{command_line}\(\)",
                             (ROOT / "dev").read_text(), re.M):
                findings.append(f"{name}: ./dev {command_line} is no command")
    return findings


CHECKS = {
    "format": check_format, "headers": check_headers, "tidy": check_tidy,
    "cppcheck": check_cppcheck, "shell": check_shell, "python": check_python,
    "house": check_house, "docs": check_docs,
}


def main():
    names = [name for name in sys.argv[1:] if name != "-v"] or list(CHECKS)
    failed = False
    for name in names:
        if name not in CHECKS:
            print(f"no check '{name}' ({', '.join(CHECKS)})", file=sys.stderr)
            return 2
        findings = CHECKS[name]()
        findings = list(dict.fromkeys(findings))
        print(f"not ok {name} ({len(findings)} findings)" if findings
              else f"ok {name}")
        for finding in findings:
            print(f"# {finding}")
        sys.stdout.flush()
        failed |= bool(findings)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
