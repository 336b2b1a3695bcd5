# function.profile - answers one request and ends: many at a time on one host,
# each of them small and short.

mem = 64M               # a runtime and its data; more by --mem
time = 30s              # nobody waits longer for an answer
grace = 2s              # after SIGTERM there is nothing worth waiting for
cpu-max = 100%          # one CPU altogether, so that neighbours get theirs
