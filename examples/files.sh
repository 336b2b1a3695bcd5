#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# files.sh - files go in with --file, results come out as a stream.
set -eu
# Where the command is: installed, or in the build folder.
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../build/release/runner/cli
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/in"
printf 'one\n' >"$work/in/a.txt"
printf 'two\n' >"$work/in/b.txt"

# A directory goes in with all that is in it; a tar archive comes out.
ampoule run --file "$work/in:/in" /bin/busybox tar -cf - /in 2>/dev/null |
	tar -xf - -C "$work"
cat "$work/in/a.txt" "$work/in/b.txt"
