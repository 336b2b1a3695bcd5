#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pipeline.sh - a pipeline of which each part is a VM of its own. A parser that
# is taken over by its input can only spoil its own output.
set -eu
# Where the command is: installed, or in the build folder.
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../build/release/runner/cli

printf '%s\n' pear apple fig apple pear apple |
	ampoule run /bin/busybox sort |
	ampoule run /bin/busybox uniq -c |
	ampoule run /bin/busybox sort -rn |
	ampoule run /bin/busybox head -n 1
