# default.profile - a program that nobody trusts, on a machine that others use.
# What another profile does not say is as it stands here. An option of the
# command line of the same name (--mem, --cpu-max, ...) goes before any profile.

# --- how much
mem = 128M              # of the VM, the files in it included
cpus = 1                # virtual CPUs
pids = auto             # processes and threads of the VMM; auto: cpus + 8
open-files = 256        # files the VMM may hold; a vCPU is one

# --- how long
time = none             # then it ends, with code 124
grace = none            # from SIGTERM until it is killed; none: when it likes

# --- how fast (a cgroup does this, and only root can make one)
cpu-max = auto          # of one CPU of the host; auto: 100% a virtual one + 100%
cpu-weight = 100        # share when CPUs are short, 1 to 10000
io-weight = 100         # share when disks are busy, 1 to 10000
io-read = none          # bytes a second from each disk with a file of the VM
io-write = none         # bytes a second to each
io-read-ops = none      # requests a second
io-write-ops = none

# --- what it sees
devices = harness, console, rng, balloon
rng-rate = none         # bytes a second from the entropy device

# --- what it shares with others (docs/security.md, side channels)
store-bypass = off      # no speculation past a store; off or host's choice
indirect-branch = off   # no speculation by others' branches
l1d-flush = host        # on: the first cache is emptied whenever it yields a CPU
core-scheduling = off   # on: its threads share a core with each other only
