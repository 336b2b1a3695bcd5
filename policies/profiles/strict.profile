# strict.profile - a program that is known to be bad, beside something precious.
# As little of everything as still runs, and nothing shared that can be kept
# apart. What the host's kernel cannot do, 'ampoule doctor' names.

mem = 64M
cpus = 1
pids = 6                # two threads of the VMM, the vCPU, and those of KVM
open-files = 64

time = 60s
grace = 1s

cpu-max = 100%          # a spinning program leaves the rest of the host alone
cpu-weight = 50
io-weight = 50
io-read = 20M           # enough to start, too little to wear a disk down
io-write = 20M
io-read-ops = 500
io-write-ops = 500

devices = harness, console  # random numbers come from the CPU, and at the start

store-bypass = off
indirect-branch = off
l1d-flush = on
core-scheduling = on
