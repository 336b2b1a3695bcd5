# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# linux_lib.sh - what the scripts about Linux guests share. They run in L1 by
# busybox sh and print a line a case: "=ok NAME", or "=not NAME" with lines that
# say more; the last is "=ok end". "$1" is the kernel as --kernel takes it, "$2"
# the transport.
kernel=$1
transport=$2
LIMIT=240 # seconds; a boot on a busy machine under emulation
TOLD="out err report" # files that say more about what does not hold

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
		# shellcheck disable=SC2086 # several
		tail -n 12 $TOLD 2>/dev/null
	fi
}

# same NAME WANTED GOT
same()
{
	say "$1" "$3" = "$2"
}

# line NAME WANTED STATUS PATTERN - ended with WANTED, by one line in the file
# err, which has PATTERN.
line()
{
	if [ "$3" = "$2" ] && [ "$(wc -l <err)" = 1 ] && grep -q "$4" err; then
		echo "=ok $1"
	else
		echo "=not $1"
		echo "status $3, wanted $2 and '$4'"
		cat err
	fi
}

# got WORD - the rest of the line of the file out that begins with it.
got()
{
	sed -n "s/^$1 //p" out
}

# await COMMAND... - until it succeeds, as long as a VM may take.
await()
{
	n=0
	until "$@" 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt $((LIMIT * 5)) ] || return 1
		sleep 0.2
	done
}

run()
{
	ampoule run --time $LIMIT --kernel "$kernel" --transport "$transport" \
		"$@"
}

# run_behind ... - the same in the background, as the process $pid.
run_behind()
{
	ampoule run --time $LIMIT --kernel "$kernel" --transport "$transport" \
		"$@" &
	# shellcheck disable=SC2034 # the scripts look at it
	pid=$!
}
