#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# limits.sh - time and memory have an end, and the exit status tells which.
# shellcheck disable=SC2016 # the guest's shell expands it
set -u
# Where the command is: installed, or in the build folder.
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../build/release/runner/cli

ampoule run --time 1 /bin/busybox sh -c 'while :; do :; done'
echo "an endless loop ended with $?"

ampoule run --mem 16M /bin/busybox sh -c 'x=0123456789abcdef
while :; do x=$x$x; done'
echo "more memory than there is ended with $?"

ampoule run /bin/busybox sh -c 'kill -SEGV $$'
echo "a crash ended with $?"
