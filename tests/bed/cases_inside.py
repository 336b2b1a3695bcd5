# SPDX-License-Identifier: Apache-2.0
"""Some of the integration tests, run in L1 as they are (inside.py): those that
are about mote's kernel and the VMM, and those that are about what is around a
VM, on a kernel that is not this machine's. ./dev test bed-all runs nearly all.
"""
import functools
import pathlib
import tempfile
import threading

import inside

GUEST = ("hello.", "jobs.", "kernelbug.", "robust.", "vdso.", "tty.line_editing",
         "tty.frozen_and_thawed", "tty.window_size", "ends.sigterm_ends_a_loop",
         "ends.vmm_killed", "process.sigterm_to_the_pid",
         "streams.both_streams_into_one_file", "streams.sigpipe_as_on_linux",
         "conform.signal_1_cpus", "conform.memory_1_cpus",
         "conform.sync_4_cpus", "memory.smallest", "memory.too_small")
HOST = ("lifecycle.", "jail_steps.", "attack.every_role", "memory.host_runs_out",
        "jail.identity", "jail.nothing_in_sight", "jail.limits", "jail.fds",
        "jail.cgroups", "jail.from_inside", "jail.without_root",
        "jail.failed_step", "jail.nothing_left_after_a_normal_end",
        "policy.start_", "policy.vcpu_", "policy.loop_", "policy.wait_",
        "policy.io_", "policy.every_thread", "policy.own_policies",
        "parser.it_makes", "parser.a_forbidden", "parser.how_a_captured",
        "parser.hostile_library_cache", "killed.the_", "killed.nothing_left",
        "killed.sigkill_of_the_monitor", "many.little_address_space",
        "many.small_files_only", "many.under_limits", "profile.strict",
        "profile.devices", "profile.no_limit", "profile.errors",
        "profile.limits_that", "imagebuild.oci_layers", "imagebuild.oci_forged",
        "imagebuild.bad_archives", "imagebuild.file_shorter",
        "imagebuild.private", "root_image.disk_as_a_file",
        "root_image.program_in_path", "root_image.cwd_and_user",
        "root_image.files_over", "root_image.links", "network.user",
        "network.bad_words", "network.a_vm_outlives_its_tap",
        "disk.reads_and_writes", "disk.a_block_device", "vsock.host_to_guest")
SECONDS = 900  # on a busy machine
making = threading.Lock()


@functools.cache
def made():
    """The tree of all, which goes with this process."""
    # Not returned and dropped: its end removes the folder.
    folder = tempfile.TemporaryDirectory(prefix="ampoule-bed-root.")
    inside.make_tree(folder.name)
    return folder


def tree():
    with making:
        return pathlib.Path(made().name)


def details_of(lines):
    """name -> what is to be said of it, nothing if it is good, of the lines of
    run.py."""
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
        elif told and told[name]:
            told[name].append(line)
    return told


def run(say, prefixes):
    names = [name for name in inside.all_cases()
             if name.startswith(prefixes) and not inside.not_here(name)]
    lines, errors = inside.run_cases(tree(), names, SECONDS)
    told = details_of(lines)
    for name in names:
        details = told.get(name, ["L1 did not come to it",
                                  *errors.splitlines()[-10:]])
        say(not details, f"inside {name}", details)


def test_inside_guest(say):
    run(say, GUEST)


def test_inside_host(say):
    run(say, HOST)
