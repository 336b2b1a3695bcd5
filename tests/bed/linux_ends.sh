# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# linux_ends.sh - how Linux guests end: power-off, reboot, panic, oops, triple
# fault. $3: a module with a mistake in it, where the kernel has modules.
# shellcheck source=tests/bed/linux_lib.sh
. ./linux_lib.sh
module=$3
# "reboot=f": without stopping interrupts in delays that emulation stretches.

run --mem 256M --cmdline reboot=f busybox poweroff -f 2>err
line powers_off_too_early 125 $? 'powered off before'
run --mem 256M --cmdline reboot=f busybox reboot -f 2>err
line reboots 125 $? 'reset the machine'
run --mem 256M --cpus 2 --cmdline reboot=f,t busybox reboot -f 2>err
line triple_fault 125 $? 'triple fault on vCPU'

# A panic, and what the kernel says about it.
run --mem 256M --serial busybox sh -c 'echo c >/proc/sysrq-trigger' 2>all
status=$?
tail -n 1 all >err
line panics 125 $status 'the guest kernel panicked; its last messages'
say panic_says_why "$(grep -c 'not syncing: sysrq triggered crash' all)" = 1

# An oops: by a module, or by an instruction written over the kernel's own.
if [ -n "$module" ]; then
	run --mem 256M --file "$module:/wrong.ko" busybox insmod /wrong.ko 2>err
else
	# shellcheck disable=SC2016 # the guest's shell expands it
	run --mem 256M busybox sh -c '
		at=$(awk "/ T __x64_sys_sethostname$/ { print \$1 }" \
			/proc/kallsyms)
		busybox devmem $((0x$at - 0xffffffff80000000)) 16 0x0b0f
		hostname x' 2>err
fi
line oops 125 $? 'the guest kernel panicked; run it with --serial'
echo "=ok end"
