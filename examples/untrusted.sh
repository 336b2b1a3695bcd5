#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# untrusted.sh - run a program that somebody sent you.
# shellcheck disable=SC2016 # the guest's shell expands it
set -eu
# Where the command is: installed, or in the build folder.
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../build/release/runner/cli

# It may read and write what it likes: the VM has only the program, its
# libraries and an empty /tmp, 64 MiB of memory, and five seconds.
ampoule run --mem 64M --time 5 /bin/busybox sh -c '
	echo "users here: "; while read -r line; do echo "  $line"; done < /etc/passwd
	echo "secrets here: "; for f in /home/* /root/* /etc/shadow; do
		[ -e "$f" ] && echo "  $f"
	done
	echo "that was all"
'
