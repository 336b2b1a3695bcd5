#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# linux_net.sh - Linux's own driver of the network device: ping and TCP through
# a tap, DHCP and TCP through passt, what --allow forbids, a published port.
# Runs in L1; prints a line a case.

# say NAME CONDITION...: is it true?
say()
{
	what=$1
	shift
	if [ "$@" ]; then
		echo "=ok $what"
	else
		echo "=not $what"
		echo "$*"
		cat out report
	fi
}

run()
{
	ampoule run --kernel ./vmlinux --mem 256M --json=report "$@" >out 2>&1
}

mkdir -p www /usr/bin
cp passt /usr/bin/
dd if=/dev/urandom of=www/x bs=1k count=300 2>/dev/null
sum=$(md5sum <www/x)
httpd -p 8000 -h /w/www
# A way out that leads nowhere: passt wants to see one.
tunctl -t d0 >/dev/null
ip address add 10.99.0.1/24 dev d0
ip link set d0 up
ip route add default via 10.99.0.2

run --net tap,address=10.78.0.2/24,gateway=10.78.0.1 --allow 10.78.0.0/24 \
	--cmdline "ip=10.78.0.2::10.78.0.1:255.255.255.0::eth0:off" -- \
	/bin/busybox sh -c 'ping -c 2 10.78.0.1
		wget -q -O - http://10.78.0.1:8000/x | md5sum
		ping -c 1 -W 1 10.99.0.1'
say tap_ping "$(grep -c ' 0% packet loss' out)" = 1
say tap_tcp "$(grep -c "^$sum" out)" = 1
say tap_denied "$(grep -c '100% packet loss' out)" = 1
say tap_counted "$(grep -c '"denied":1' report)" = 1

n=0
until [ $n -ge 600 ] || wget -q -O got http://127.0.0.1:8080/ 2>/dev/null; do
	n=$((n + 1))
	sleep 0.2
done &
run --net user --allow 10.99.0.1:8000 --publish 8080:80 --cmdline ip=dhcp -- \
	/bin/busybox sh -c 'ip address show eth0
		wget -q -O - http://10.99.0.1:8000/x | md5sum
		ping -c 1 -W 1 10.99.0.1
		echo served >/tmp/index.html; httpd -p 80 -h /tmp; sleep 8'
say user_dhcp "$(grep -c 'inet 10.0.2.15/24' out)" = 1
say user_tcp "$(grep -c "^$sum" out)" = 1
say user_denied "$(grep -c '"denied":[1-9]' report)" = 1
say user_published "$(cat got)" = served
