#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# cgroup2.sh - the VM's cgroup where there is version 2 only: limits, members,
# removal, the sweep, want of memory. Runs in L1; prints a line a case.
#
#	slice               its limits hold for the VMs, too
#	  session           this script, as a login or a service would be
#	  ampoule-ID        a VM
#	  ampoule-vms-INODE while session is limited itself
#	    ampoule-ID      a VM
top=/sys/fs/cgroup
slice=$top/slice
mkdir -p $slice/session || exit 1
echo $$ >$slice/session/cgroup.procs

# say NAME GOT WANTED
say()
{
	if [ "$2" = "$3" ]; then
		echo "=ok $1"
	else
		echo "=not $1"
		echo "got '$2', wanted '$3'"
	fi
}

# start ARG... - a VM in the background; sets $command, $vmm and $group.
start()
{
	ampoule run "$@" >out 2>err <fifo &
	command=$!
	exec 8>fifo
	started
}

started()
{
	until grep -q . out; do
		[ -d /proc/$command ] || return 1
		sleep 0.1
	done
	read -r vmm </proc/$command/task/$command/children
	group=$top$(cut -d: -f3 "/proc/$vmm/cgroup")
}

groups()
{
	find $slice -name 'ampoule-*' | wc -l
}

mkfifo fifo

start --mem 64M ./ends wait
uid=$(awk '/^Uid:/ { print $2 }' "/proc/$vmm/status")
say own_name "$group" "$slice/ampoule-$uid"
# The guest's, a sixteenth for page tables, 64 MiB for all else.
say memory.max "$(cat "$group/memory.max")" $((68 * 1048576 + 67108864))
say pids.max "$(cat "$group/pids.max")" 9
say cpu.max "$(cat "$group/cpu.max")" '200000 100000'
# Guest memory may be swapped: no limit but that of memory itself.
say memory.swap.max "$(cat "$group/memory.swap.max")" max
# What else is in it are threads of KVM for this VM.
say member "$(grep -cx "$vmm" "$group/cgroup.procs")" 1
say command_is_outside "$(grep -cx $command "$group/cgroup.procs")" 0
kill $command
wait $command
say ends_by_sigterm $? 143
say removed_at_the_end "$(groups)" 0

start ./touch 33554432 wait
until grep -q touched out; do sleep 0.1; done
say guest_memory_is_charged \
	"$([ "$(cat "$group/memory.current")" -gt 33554432 ] && echo yes)" yes
kill -9 $command
wait $command 2>/dev/null
while [ -d "/proc/$vmm" ]; do sleep 0.1; done
say left_by_sigkill_of_the_command "$(groups)" 1
ampoule run ./hello >/dev/null
say swept_by_the_next_start "$(groups)" 0

start ./ends wait
kill -9 "$vmm"
wait $command
say sigkill_of_the_vmm "$? $(groups)" '125 0'

# More than its cgroup has: by a limit set while it runs.
start --mem 256M --file ./touch -- busybox sh -c 'echo up; read x; exec ./touch 209715200'
echo 80M >"$group/memory.max"
echo go >&8
wait $command
say oom_of_its_own "$? $(groups)" '125 0'
say oom_is_told "$(grep -c 'killed (SIGKILL.*memory' err)" 1

# More than those around it have.
echo 120M >$slice/memory.max
ampoule run --mem 256M ./touch 209715200 >out 2>err
say oom_of_the_slice "$? $(groups)" '125 0'
say oom_of_the_slice_is_told "$(grep -c 'killed (SIGKILL.*memory' err)" 1
echo max >$slice/memory.max

# More than the command itself has: its VMs lie beside it, within its limits.
own=$slice/session
around=$slice/ampoule-vms-$(stat -c %i $own)
echo 120M >$own/memory.max
echo 60 >$own/pids.max
start --mem 64M ./ends wait
uid=$(awk '/^Uid:/ { print $2 }' "/proc/$vmm/status")
say place_beside_a_limited_one "$group" "$around/ampoule-$uid"
say limits_of_the_command "$(cat "$around/memory.max" "$around/pids.max")" \
	"$(cat $own/memory.max $own/pids.max)"
say limits_of_the_vm_below "$(cat "$group/memory.max" "$group/pids.max")" \
	"$((68 * 1048576 + 67108864))
9"
kill -9 $command
wait $command 2>/dev/null
while [ -d "/proc/$vmm" ]; do sleep 0.1; done
say both_left_by_sigkill "$(groups)" 2
ampoule run ./hello >/dev/null
say both_swept "$(groups)" 0
ampoule run --mem 256M ./touch 209715200 >out 2>err
say oom_of_the_command "$? $(groups)" '125 0'
say oom_of_the_command_is_told "$(grep -c 'killed (SIGKILL.*memory' err)" 1

# The same for all of them together; the kernel chooses who has to go.
start --mem 128M ./touch 73400320 wait
until grep -q touched out; do sleep 0.1; done
ampoule run --mem 128M ./touch 83886080 >/dev/null 2>&1
second=$?
say oom_of_two "$([ $second = 125 ] || [ ! -d "/proc/$vmm" ] && echo one)" one
kill -9 "$vmm" 2>/dev/null
wait $command
say removed_with_the_last "$(groups)" 0
echo max >$own/memory.max
echo max >$own/pids.max
start --mem 64M ./ends wait
say place_without_limits "${group%/*}" $slice
kill -9 "$vmm"
wait $command

# What options and profiles ask for; vda is the disk of this machine.
: >out
ampoule run --profile strict --cpu-max 50% --cpu-weight 50 --io-weight 70 --io-read 1M \
	--io-read-ops 30 ./ends wait </dev/vda >out 2>err &
command=$!
started
disk=$(cat /sys/block/vda/dev)
say cpu.max_option "$(cat "$group/cpu.max")" '50000 100000'
say cpu.weight "$(cat "$group/cpu.weight")" 50
say io.max "$(cat "$group/io.max")" \
	"$disk rbps=1048576 wbps=20971520 riops=30 wiops=500"
say pids.max_of_a_profile "$(cat "$group/pids.max")" 6
if [ -e "$group/io.weight" ]; then
	say io.weight "$(cat "$group/io.weight")" 'default 70'
fi
kill -9 "$vmm"
wait $command

# A tenth of a processor: the kernel stops it again and again.
start ./ends loop
echo '10000 100000' >"$group/cpu.max"
until awk '/^nr_throttled/ && $2 > 3 { found = 1 } END { exit !found }' \
	"$group/cpu.stat"; do
	sleep 0.2
done
echo "=ok cpu.max_acts"
kill -9 "$vmm"
wait $command

# In the background: the same cgroup, and a sweep when the monitor was killed.
ampoule start --name back ./ends wait >/dev/null
say background "$(groups)" 1
vmm=$(ampoule ps --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
kill -9 "$(awk '/^PPid:/ { print $2 }' "/proc/$vmm/status")"
while [ -d "/proc/$vmm" ]; do sleep 0.1; done
ampoule ps >/dev/null
say swept_after_sigkill_of_the_monitor "$(groups)" 0
ampoule rm back 2>/dev/null

# A VMM that forks as often as it can.
mkdir -p /w/t/runner/vmm
cp -r /ampoule/. /w/t/
cp jailed /w/t/runner/vmm/ampoule-vmm
/w/t/runner/cli/ampoule run ./hello >out 2>err
forks=$(awk '/^forks / { print $2 }' out)
say fork_bomb "$([ "$forks" -ge 1 ] && [ "$forks" -le 9 ] && echo held)" held
say nothing_left "$(groups)" 0
echo "=ok end"
