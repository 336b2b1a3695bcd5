#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# image.sh - a program with files of its own, as an image that many VMs share.
set -eu
# Where the command is: installed, or in the build folder.
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../build/release/runner/cli
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Any directory will do, or a tar archive, or an OCI layout that skopeo, podman
# or buildah wrote.
mkdir -p "$work/root/bin" "$work/root/data"
cp /bin/busybox "$work/root/bin/"
echo 'one of many' >"$work/root/data/name"

# What to run, where, and with which variables, is kept in the image.
# shellcheck disable=SC2016 # for the shell in the VM
ampoule image build "$work/root" -o "$work/app.erofs" --all-root \
	--env PATH=/bin --env WHAT=image --cwd /data -- \
	/bin/busybox sh -c 'echo "$(busybox cat name): $WHAT"'
ampoule image inspect "$work/app.erofs"
ampoule run --image "$work/app.erofs"

# The image stays as it is; with --rw changes go to the VM's memory.
ampoule run --image "$work/app.erofs" -- busybox sh -c '>x' 2>&1 || true
ampoule run --image "$work/app.erofs" --rw -- busybox sh -c \
	'echo changed >name; busybox cat name'
ampoule run --image "$work/app.erofs" -- busybox cat name
