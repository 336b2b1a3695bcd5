# SPDX-License-Identifier: Apache-2.0
"""How programs end: statuses, signals, limits, and the one line that says so."""
import signal
import time

import vm


def test_exit_statuses(t):
    for status in (0, 1, 42, 125, 255):
        t.run(t.program("ends"), "exit", status).ended(status).quiet()


def test_exit_status_is_one_byte(t):
    t.run(t.program("ends"), "_exit", 256 + 7).ended(7).quiet()


def crash(t, status, word, *argv):
    result = t.run(t.program("ends"), *argv).ended(status)
    result.noted(word)
    t.equal(len(result.notes), 1, f"lines of Ampoule\n{result}")
    return result


def test_sigsegv(t):
    crash(t, 139, "SIGSEGV", "segv", "0x123450").noted("0x123450")


def test_sigsegv_null(t):
    crash(t, 139, "SIGSEGV", "segv", "0").noted("ends", "instruction")


def test_sigsegv_kernel_address(t):
    crash(t, 139, "SIGSEGV", "segv", "0xffffffff80000000")


def test_sigsegv_non_canonical(t):
    crash(t, 139, "SIGSEGV", "segv", "0x8000000000000000")


def test_sigsegv_noexec(t):
    crash(t, 139, "SIGSEGV", "noexec")


def test_sigsegv_privileged_instruction(t):
    crash(t, 139, "SIGSEGV", "hlt")


def test_sigsegv_stack_overflow(t):
    crash(t, 139, "SIGSEGV", "stack")


def test_sigabrt(t):
    crash(t, 134, "SIGABRT", "abort")


def test_sigfpe(t):
    crash(t, 136, "SIGFPE", "fpe")


def test_sigill(t):
    crash(t, 132, "SIGILL", "ill")


def test_sigtrap(t):
    crash(t, 133, "SIGTRAP", "trap")


def test_raised_signals(t):
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGKILL,
                   signal.SIGUSR1, signal.SIGTERM, 40):
        result = t.run(t.program("ends"), "signal", int(number))
        result.ended(128 + number).said("")


def test_ignored_by_default(t):
    result = t.run(t.program("ends"), "signal", int(signal.SIGCHLD))
    result.ended(0).said("survived\n")


def test_time_limit(t):
    result = t.run("--time", 2 * vm.SLOW, t.program("ends"), "loop")
    result.ended(124).said("looping\n").noted("time", "2")
    t.check(result.seconds > 1.9, result)


def test_time_limit_of_a_sleeper(t):
    result = t.run("--time", 2 * vm.SLOW, t.program("ends"), "sleep", 600)
    result.ended(124).said("sleeping\n").noted("time")


def test_time_limit_not_reached(t):
    t.run("--time", "30", t.program("hello")).ended(0).quiet()


def signalled(t, number, mode, status, *options):
    process = t.start_vm(*options, t.program("ends"), mode)
    t.check(process.stdout.readline(), "the program did not start")
    time.sleep(0.1)
    process.send_signal(number)
    t.equal(process.wait(timeout=20 * vm.SLOW), status, "status")


def test_sigterm_ends_a_waiting_program(t):
    signalled(t, signal.SIGTERM, "wait", 143)


def test_sigterm_ends_a_loop(t):
    signalled(t, signal.SIGTERM, "loop", 143)


def test_sigterm_while_all_cpus_idle(t):
    signalled(t, signal.SIGTERM, "wait", 143, "--cpus", "2")


def test_sigint_ends_a_loop(t):
    signalled(t, signal.SIGINT, "loop", 130)


def test_sighup_ends_a_waiting_program(t):
    signalled(t, signal.SIGHUP, "wait", 129)


def test_sigquit_ends_a_waiting_program(t):
    signalled(t, signal.SIGQUIT, "wait", 131)


def test_sigterm_handled_by_the_program(t):
    t.need("/bin/busybox")
    process = t.start_vm("/bin/busybox", "sh", "-c",
                         "trap 'echo got it; exit 9' TERM; echo up;"
                         " while :; do :; done")
    t.check(process.stdout.readline(), "the program did not start")
    process.send_signal(signal.SIGTERM)
    t.equal(process.wait(timeout=10 * vm.SLOW), 9, "status")
    t.equal(process.stdout.read(), b"got it\n", "stdout")


def test_vmm_killed(t):
    """SIGKILL on the VM's process is enough to end it, and is told."""
    process = t.start_vm(t.program("ends"), "loop")
    t.check(process.stdout.readline(), "the program did not start")
    pid = vmm_of(t, process)
    vm.os.kill(pid, signal.SIGKILL)
    status = process.wait(timeout=10 * vm.SLOW)
    errors = process.stderr.read().decode()
    t.equal(status, 125, f"status\n{errors}")
    t.equal(errors.count("\n"), 1, f"lines\n{errors}")


def vmm_of(t, process):
    """The VMM among the descendants of ampoule (it is its child)."""
    def find():
        for pid in vm.processes_of(t.build):
            if vm.parent(pid) == process.pid:
                return pid
        return None
    pid = vm.wait_until(find)
    t.check(pid, "no VMM process")
    return pid
