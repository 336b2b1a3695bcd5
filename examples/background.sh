#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# background.sh - a VM in the background: look at it, freeze it, end it.
set -eu
# Where the command is: installed, or in the build folder.
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../build/release/runner/cli

vm=$(ampoule start /bin/busybox sh -c 'echo ready; while :; do :; done')
ampoule ps

# A VM is a process: what works on processes works on it.
pid=$(ampoule ps | awk -v vm="$vm" '$1 == vm { print $2 }')
renice -n 19 -p "$pid" >/dev/null

ampoule pause "$vm"
ampoule resume "$vm"

ampoule kill "$vm"
code=0
ampoule wait "$vm" || code=$?
echo "ended with $code: 128 + SIGTERM"
ampoule logs "$vm"
ampoule rm "$vm"
