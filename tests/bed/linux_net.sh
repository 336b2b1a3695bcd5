# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# linux_net.sh - Linux's own driver of the network device: ping and TCP through
# a tap, DHCP and TCP through passt, what --allow forbids, a published port.
# shellcheck source=tests/bed/linux_lib.sh
. ./linux_lib.sh

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

run --mem 256M --json=report \
	--net tap,address=10.78.0.2/24,gateway=10.78.0.1 --allow 10.78.0.0/24 \
	-- busybox sh -c 'ip link set eth0 up
		ip address add 10.78.0.2/24 dev eth0
		ip route add default via 10.78.0.1
		ping -c 2 10.78.0.1
		wget -q -O - http://10.78.0.1:8000/x | md5sum
		ping -c 1 -W 1 10.99.0.1' >out 2>err
say tap_ping "$(grep -c ' 0% packet loss' out)" = 1
say tap_tcp "$(grep -c "^$sum" out)" = 1
say tap_denied "$(grep -c '100% packet loss' out)" = 1
say tap_counted "$(grep -c '"denied":1' report)" = 1

# What udhcpc calls with the lease it got.
cat >lease <<'LEASE'
#!/bin/busybox sh
[ "$1" = bound ] || exit 0
ip address add "$ip/${mask:-24}" dev "$interface"
[ -z "$router" ] || ip route add default via "$router"
LEASE
chmod +x lease
await wget -q -O served http://127.0.0.1:8080/ &
# shellcheck disable=SC2016 # the guest's shell expands it
run --mem 256M --json=report --net user --allow 10.99.0.1:8000 \
	--publish 8080:80 --file lease:/lease -- busybox sh -c '
		ip link set eth0 up
		udhcpc -q -n -i eth0 -s /lease
		ip address show eth0
		wget -q -O - http://10.99.0.1:8000/x | md5sum
		ping -c 1 -W 1 10.99.0.1
		echo served >/tmp/index.html; httpd -p 80 -h /tmp
		n=0 # until a connection has been there: TIME_WAIT
		until grep -q ":0050 .* 06 " /proc/net/tcp*; do
			n=$((n + 1)); [ $n -lt 120 ] || break
			sleep 0.5
		done' \
	>out 2>err
say user_dhcp "$(grep -c 'inet 10.0.2.15/24' out)" = 1
say user_tcp "$(grep -c "^$sum" out)" = 1
say user_denied "$(grep -c '"denied":[1-9]' report)" = 1
same user_published served "$(cat served)"
echo "=ok end"
