# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# linux_ends.sh - how Linux guests end, in L1: prints "=ok NAME" or "=not NAME"
# with lines that say more, last "=ok end".
run='ampoule run --time 90 --kernel linux'

# check NAME STATUS WANTED PATTERN - one line on stderr that has PATTERN.
check()
{
	if [ "$2" = "$3" ] && [ "$(wc -l <err)" = 1 ] && grep -q "$4" err; then
		echo "=ok $1"
	else
		echo "=not $1"
		echo "status $2, wanted $3 and '$4'"
		cat err
	fi
}

$run busybox poweroff -f 2>err
check powers_off_too_early $? 125 'powered off before'
$run busybox reboot -f 2>err
check reboots $? 125 'reset the machine'
$run busybox sh -c 'echo c >/proc/sysrq-trigger' 2>err
check panics $? 125 'the guest kernel panicked.*--serial'
$run --serial busybox sh -c 'echo c >/proc/sysrq-trigger' 2>all
status=$?
tail -n 1 all >err
check panics_on_the_serial_port $status 125 'the guest kernel panicked'
if grep -q 'Kernel panic - not syncing: sysrq triggered crash' all; then
	echo "=ok panic_says_why"
else
	echo "=not panic_says_why"
	tail all
fi

# A system of one's own: no program of ours, its power-off is a good end.
mkdir root
cp "$(command -v busybox)" root/
printf '#!/busybox sh\n/busybox poweroff -f\n' >root/init
chmod +x root/init
(cd root && find . | cpio -o -H newc 2>/dev/null) >initrd
$run --initrd initrd 2>err
status=$?
echo x >>err
check switches_off $status 0 x

# Signals reach the program; its own exit code counts.
mkfifo up
$run busybox sh -c 'trap "echo term; exit 5" TERM; echo up
	while :; do sleep 0.1; done' >up 2>err &
pid=$!
exec 3<up
read -r word <&3
kill -TERM $pid
read -r answer <&3
wait $pid
status=$?
echo "$word $answer" >err
check gets_signals $status 5 'up term'
echo "=ok end"
