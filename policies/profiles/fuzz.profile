# fuzz.profile - the same program over and over, as fast as it goes. It looks
# for its own faults, there is no secret beside it worth protecting by side
# channels, and it gives way to everything else on the host.

mem = 64M               # a target that needs more has a fault, or --mem
time = 10s              # a longer run hangs
grace = 1s
cpu-max = none          # all that is left over ...
cpu-weight = 10         # ... but nothing that others want
io-weight = 10
store-bypass = host     # speculation is speed
indirect-branch = host
