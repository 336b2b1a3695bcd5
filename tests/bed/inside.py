#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inside.py - the integration tests run in L1, on hardware KVM: Debian's
Python, the tools they use, the tests and what they test, as a tree for L1.

Usage: inside.py [-l] [PATTERN]...; prints the lines of run.py. All cases, or
those whose names have a PATTERN in them, but for NOT_HERE; a machine for each
of their files, two at a time. ./dev test bed-all calls it so. AMPOULE_BUILD is
the build directory.
"""
import compileall
import concurrent.futures
import fnmatch
import os
import pathlib
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile

from bedlib import BUILD, HERE, ROOT

AT_A_TIME = 2
LIMIT = 1200  # seconds in L1 for the cases of a file
SLOWER = 12  # how much longer a case may take than on a machine of its own

# Pattern of names: why those cases are not for L1.
NOT_HERE = {
    "cli.installed": "installs by meson, which is no matter of KVM's kind",
    "counts.*": "counts under QEMU alone, the same on every machine",
    "memory.above_the_device_gap": "6 GiB of memory; L1 has 1 GiB",
    "process.guest_memory_can_be_swapped": "L1 has no swap",
    "profile.core_scheduling": "L1 has one processor without threads",
    "profile.limits_of_a_disk": "L1's files lie in memory; cgroup2.sh has it",
    "profile.speculation_controls": "the emulated processor has none",
    "programs_other.gcc": "a compiler: 200 MB of the host's files",
    "programs_other.go": "a compiler: 200 MB of the host's files",
    "programs_other.jvm": "1 GiB of guest memory, which is all that L1 has",
    "programs_other.node": "1 GiB of guest memory, which is all that L1 has",
    "programs_python.own_*": "1 GiB of guest memory, which is all that L1 has",
    "sockets.cpython_*": "CPython's own tests: 60 MB of the host's files",
    "syscalls.*": "the bed has them as syscall_table",
}

# What the cases start, by the paths where they look.
TOOLS = (
    "/bin/bash", "/bin/dash", "/bin/sleep", "/bin/cat", "/usr/bin/strace",
    "/usr/bin/unshare", "/usr/bin/setpriv", "/usr/bin/taskset",
    "/usr/bin/chrt", "/usr/bin/ionice", "/usr/bin/renice",
    "/usr/bin/prlimit", "/usr/bin/top", "/usr/bin/ps", "/usr/bin/timeout",
    "/usr/bin/sha256sum", "/usr/bin/tail", "/usr/bin/head", "/usr/bin/env",
    "/usr/bin/tar", "/usr/bin/diff", "/usr/sbin/ip", "/usr/bin/passt",
    "/usr/sbin/mke2fs", "/usr/sbin/e2fsck", "/usr/bin/mkfs.erofs",
    "/usr/bin/fsck.erofs", "/usr/bin/cpio", "/usr/sbin/losetup",
    "/usr/bin/script", "/usr/bin/xz", "/usr/bin/zstd", "/usr/bin/python3.11",
    "/bin/mount", "/bin/umount", "/usr/bin/nsenter", "/bin/stty",
    "/usr/bin/nm", "/usr/bin/readelf", "/usr/bin/nice", "/usr/bin/ldd",
    "/lib/terminfo/d/dumb",
)
# What only the cases of one file start, or read.
PYTHON_LIBRARY = ("/usr/lib/python3.11",)
PERL = ("/usr/bin/perl", "/etc/perl", "/usr/share/perl",
        "/usr/lib/x86_64-linux-gnu/perl", "/usr/lib/x86_64-linux-gnu/perl-base")
RUBY = ("/usr/bin/ruby", "/usr/lib/ruby", "/usr/lib/x86_64-linux-gnu/ruby")
GIT = ("/usr/bin/git", "/usr/lib/git-core", "/usr/share/git-core")
REDIS = ("/usr/bin/redis-server", "/usr/bin/redis-cli",
         "/usr/bin/redis-benchmark")
SMALL = ("/usr/bin/jq", "/usr/bin/bc", "/usr/bin/lua5.4", "/usr/bin/sqlite3")
OF_A_GROUP = {
    "cli": SMALL,
    "debian": SMALL,
    "programs_other": (*SMALL, *PERL, *RUBY, *GIT, *REDIS, "/usr/bin/tr",
                       "/bin/grep"),
    "programs_python": PYTHON_LIBRARY,
    "programs_shell": ("/bin/true", *(
        f"/usr/bin/{name}" for name in
        "base64 basename chmod cmp comm cp cut date dd dirname du echo expand "
        "expr factor find fold free id join ln ls mkdir mkfifo mv nl "
        "numfmt od paste pgrep printenv readlink rm sed seq shuf sort split "
        "stat sum tac tee test touch tr truncate tsort tty uniq uptime "
        "wc xargs md5sum yes".split())),
    "root_image": PYTHON_LIBRARY,
    "runtimes": (*PYTHON_LIBRARY, *PERL, *RUBY, *GIT),
    "sockets": (*PYTHON_LIBRARY, *REDIS),
}
NOT_COPIED = ("test", "idlelib", "turtledemo", "__pycache__", "ensurepip")
# What of the tree the cases read.
SOURCES = ("docs", "examples", "policies", "tests/integration",
           "tests/fuzz/corpus", "runner/cli/ampoule.bash", "meson.build",
           "README.md", "kernels/mote/proc/syscall.tbl")
# Modules that are imported only when they are used.
LATER = ("concurrent.futures.thread", "encodings.idna", "encodings.latin_1",
         "encodings.ascii", "stringprep", "unicodedata", "doctest", "pty",
         "tty", "decimal", "statistics", "difflib", "pdb", "unittest.mock",
         "multiprocessing.connection", "multiprocessing.popen_fork",
         "multiprocessing.synchronize", "multiprocessing.managers")
LIST_MODULES = """
import importlib, pathlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import run
run.load([])
for name in sys.argv[2:]:
    importlib.import_module(name)
for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None)
    if path:
        print(path)
"""


def host_python():
    """The Python of the distribution: what L1 gets."""
    return "/usr/bin/python3.11"


def put(root, path):
    """A file of the host's at the same place below @root, with the libraries
    it needs."""
    to = pathlib.Path(f"{root}{path}")
    if to.exists() or not os.path.exists(path):
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, to)
    if os.access(path, os.X_OK) or ".so" in to.name:
        put_libraries(root, path)


def put_folder(root, path):
    """The same of a folder, without what is large and no use. What is there
    already may be a link to a file of another tree: it is replaced, never
    written to."""
    leave = [f"--exclude={name}" for name in NOT_COPIED]
    packed = subprocess.run(["tar", "-C", "/", *leave, "-cf", "-", path[1:]],
                            check=True, capture_output=True).stdout
    subprocess.run(["tar", "-C", root, "-xf", "-"],
                   check=True, input=packed)
    for library in pathlib.Path(f"{root}{path}").rglob("*.so"):
        put_libraries(root, str(library))


def put_of_a_group(root, group):
    for path in OF_A_GROUP.get(group, ()):
        if os.path.isdir(path):
            put_folder(root, path)
        else:
            put(root, path)


def put_libraries(root, path):
    """What the dynamic linker would load for @path."""
    told = subprocess.run(["/usr/bin/ldd", path], text=True, check=False,
                          capture_output=True, env={"LC_ALL": "C"})
    for library in re.findall(r"(/\S+\.so\S*) \(0x", told.stdout):
        put(root, library)


def put_python(root):
    """Only the modules that the cases import: those that come last are asked
    of a Python that has imported all of them."""
    listed = subprocess.run(
        [host_python(), "-I", "-c", LIST_MODULES, ROOT / "tests/integration",
         *LATER], text=True, check=True, capture_output=True).stdout
    for path in listed.splitlines():
        if path.startswith("/usr/lib/"):
            put(root, path)
    library = pathlib.Path(f"{root}/usr/lib/python3.11")
    for name in ("_sitebuiltins", "site", "os", "stat", "codecs", "io", "abc",
                 "encodings/__init__", "encodings/aliases", "encodings/utf_8"):
        put(root, f"/usr/lib/python3.11/{name}.py")
    compileall.compile_dir(
        library, quiet=2, stripdir=str(root), prependdir="/",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    put(root, host_python())
    os.symlink("python3.11", f"{root}/usr/bin/python3")


def put_sources(root):
    listed = subprocess.run(["git", "ls-files", "-z", *SOURCES], cwd=ROOT,
                            check=True, capture_output=True).stdout
    for name in listed.decode().split("\0")[:-1]:
        to = pathlib.Path(root, "src", name)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to, follow_symlinks=False)
    compileall.compile_dir(
        pathlib.Path(root, "src"), quiet=2, stripdir=str(root), prependdir="/",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def put_programs(root):
    """The test programs where they lie in the build directory; the bed brings
    the four of the product itself."""
    for folder in ("tests/integration", "tests/hostile"):
        for path in (BUILD / folder).rglob("*"):
            if ".p" in {part[-2:] for part in path.parts} or \
               not path.is_file() or not os.access(path, os.X_OK):
                continue
            to = pathlib.Path(root, "ampoule", path.relative_to(BUILD))
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, to)
            subprocess.run(["strip", "-g", to], check=False)
            put_libraries(root, path)


def put_modules(root):
    """Of L1's kernel: what the cases mount."""
    cache = pathlib.Path(os.environ.get("AMPOULE_BED", ROOT / "build/bed"))
    os.makedirs(f"{root}/src/modules")
    for name in ("loop", "overlay"):
        shutil.copy2(cache / f"kernel/guest/extra/{name}.ko",
                     f"{root}/src/modules/")


def make_tree(root):
    os.chmod(root, 0o755)  # so will be that of L1
    put_python(root)
    put_sources(root)
    put_programs(root)
    put_modules(root)
    for tool in TOOLS:
        put(root, tool)
    os.symlink("dash", f"{root}/bin/sh")  # busybox prefers its own applets
    os.mkdir(f"{root}/mnt")
    for name in ("hosts", "services", "protocols", "os-release",
                 "ld.so.cache"):
        put(root, f"/etc/{name}")
    put(root, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h")


def all_cases():
    listed = subprocess.run(
        [host_python(), ROOT / "tests/integration/run.py", "/", "-l"],
        text=True, check=True, capture_output=True)
    return listed.stdout.split()


def not_here(name):
    for pattern, why in NOT_HERE.items():
        if fnmatch.fnmatchcase(name, pattern):
            return why
    return None


def run_group(base, names):
    """One file's cases, with what only they need."""
    group = names[0].partition(".")[0]
    if group not in OF_A_GROUP:
        return run_cases(base, names)
    with tempfile.TemporaryDirectory(prefix="ampoule-bed-root.") as root:
        subprocess.run(["cp", "-al", f"{base}/.", root], check=True)
        os.chmod(root, 0o755)
        put_of_a_group(root, group)
        return run_cases(root, names)


def run_cases(root, names, limit=LIMIT):
    """Run exactly these in one L1. Return: the lines of run.py, and what went
    wrong with all of it."""
    with tempfile.NamedTemporaryFile("w", prefix="ampoule-bed-cases.") as f:
        f.write("\n".join(names))
        f.flush()
        script = ("for m in /src/modules/*.ko; do insmod $m; done; "
                  f"export PATH=/usr/bin:/usr/sbin:$PATH AMPOULE_TEST_SLOW="
                  f"{SLOWER}; python3 /src/tests/integration/run.py -j 1 "
                  f"/ampoule -n {os.path.basename(f.name)}")
        done = subprocess.run(
            [HERE / "bed", "-t", str(limit), "-r", root, "-f", f.name, "--",
             script], text=True, errors="replace", capture_output=True,
            check=False, stdin=subprocess.DEVNULL, timeout=limit + 900)
    return done.stdout.splitlines(), done.stderr


def report(names, lines, errors):
    """Print what came, and what did not. Return: is it all good?"""
    told = {line.split()[1] if line.split()[0] != "not" else line.split()[2]
            for line in lines
            if line.startswith(("ok ", "not ok ", "skip "))}
    print("".join(f"{line}\n" for line in lines), end="")
    for name in names:
        if name not in told:
            print(f"not ok {name}\n# L1 did not come to it")
    if set(names) - told:
        print("".join(f"# {line}\n" for line in errors.splitlines()[-20:]),
              end="")
    sys.stdout.flush()
    return set(names) <= told and not any(
        line.startswith("not ok") for line in lines)


def main():
    patterns = [word for word in sys.argv[1:] if word != "-l"]
    groups = {}
    for name in all_cases():
        if patterns and not any(p in name for p in patterns):
            continue
        if not_here(name) and name not in patterns:
            print(f"skip {name} # {not_here(name)}")
        else:
            groups.setdefault(name.split(".")[0], []).append(name)
    if "-l" in sys.argv[1:]:
        print("\n".join(name for names in groups.values() for name in names))
        return 0
    subprocess.run([HERE / "bed", "prepare"], check=False, timeout=300)
    with tempfile.TemporaryDirectory(prefix="ampoule-bed-root.") as root:
        make_tree(root)
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            done = {pool.submit(run_group, root, names): names
                    for names in groups.values()}
            good = [report(done[f], *f.result())
                    for f in concurrent.futures.as_completed(done)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
