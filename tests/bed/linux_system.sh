# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# linux_system.sh - a system of one's own (--initrd), without any program or
# process of ours: it switches itself off, hears the power button, and a kernel
# that hears nothing is ended: halted, spinning, faulting are such.
# shellcheck source=tests/bed/linux_lib.sh
. ./linux_lib.sh

# system FILE - an initrd with busybox and an /init
system()
{
	mkdir -p root/dev
	cp /bin/busybox root/
	[ "$kernel" = linux ] || touch root/cloud
	cat >root/init
	chmod +x root/init
	(cd root && find . | cpio -o -H newc 2>/dev/null) >"$1"
}

system off <<'OFF'
#!/busybox sh
/busybox poweroff -f
OFF
run --mem 256M --cmdline reboot=f --initrd off >out 2>err
same switches_off "0 " "$? $(cat err)"

# The button: a signal by the small driver. A kernel without a driver of it
# counts the interrupt at least.
system button <<'BUTTON'
#!/busybox sh
/busybox mkdir /proc
/busybox mount -t proc proc /proc
trap '/busybox poweroff -f' 38
echo 'system: is up'
until /busybox grep -q ' 1 .*ACPI:Ged' /proc/interrupts && [ -e /cloud ]; do
	/busybox sleep 0.1
done
/busybox poweroff -f
BUTTON
ampoule start --name button --kernel "$kernel" --transport "$transport" \
	--mem 256M --cmdline reboot=f --serial --initrd button >out 2>err
await sh -c 'ampoule logs button 2>&1 | grep -q "system: is up"'
ampoule kill button
status=$(timeout 200 ampoule wait button)
ampoule logs button >out 2>&1
same power_button 0 "$status"
ampoule rm -f button

# Kernels that never get so far.

for k in halted spinning; do
	ampoule run --time 1 --kernel "./$k" busybox true >out 2>err
	line "$k" 124 $? 'time limit'
done
ampoule run --kernel "./faulting" busybox true >out 2>err
line faulting 125 $? 'triple fault on vCPU 0'
ampoule run --serial --kernel "./faulting" busybox true >out 2>all
status=$?
same its_last_word_is_seen up "$(head -n 1 all | tr -d '\r')"
tail -n 1 all >err
line faulting_with_serial 125 $status 'triple fault'

# They are asked, and ended after a while; by a second request at once.
for ask in 'kill -TERM' 'ampoule kill'; do
	ampoule start --name deaf --kernel "./halted" --serial \
		busybox true >out 2>err
	await sh -c 'ampoule logs deaf 2>&1 | grep -q up'
	pid=$(ampoule ps --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
	if [ "$ask" = 'kill -TERM' ]; then
		kill -TERM "$pid"
	else
		ampoule kill deaf
	fi
	same "deaf_to_$(echo "$ask" | tr -c 'a-zA-Z\n' _)" 143 \
		"$(timeout 60 ampoule wait deaf)"
	ampoule rm -f deaf
done
ampoule run --serial --grace none --kernel "./spinning" busybox true \
	>out 2>all &
pid=$!
await grep -q up all
for _ in 1 2 3 4 5; do # two that come at once are one
	kill -INT $pid 2>/dev/null
	sleep 0.4
done
wait "$pid"
same second_sigint 130 $?

# A real one that is on its way up: its program gets it, or it is ended.
run_behind --mem 256M --serial busybox sleep 100 >out 2>all
await grep -q 'Linux version' all
kill -TERM "$pid"
wait "$pid"
same sigterm_at_boot 143 $?
echo "=ok end"
