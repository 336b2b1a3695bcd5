#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""syscall_names.py - writes a C table of system calls by number.

usage: syscall_names.py OUTPUT COMPILER [ARGUMENT...]

The names are those of <asm/unistd_64.h> as the compiler sees it.
"""
import re
import subprocess
import sys

output, compiler = sys.argv[1], sys.argv[2:]
macros = subprocess.run(
    compiler + ["-E", "-dM", "-x", "c", "-"], check=True, text=True,
    input="#include <asm/unistd_64.h>\n", capture_output=True).stdout
names = {}
for line in macros.splitlines():
    match = re.match(r"#define __NR_(\w+) (\d+)$", line)
    if match:
        names[int(match[2])] = match[1]

with open(output, "w", encoding="ascii") as c:
    print("/* Generated from <asm/unistd_64.h>. */", file=c)
    print('#include "policies/syscall_names.h"\n', file=c)
    print("#include <errno.h>\n#include <string.h>\n", file=c)
    print("static const char *const names[] = {", file=c)
    for number in sorted(names):
        print(f'\t[{number}] = "{names[number]}",', file=c)
    print("};\n", file=c)
    print("const char *syscall_name(uint32_t number)\n{", file=c)
    print("\tif (number >= sizeof(names) / sizeof(names[0]))", file=c)
    print("\t\treturn NULL;", file=c)
    print("\treturn names[number];\n}\n", file=c)
    print("int syscall_number(const char *name)\n{", file=c)
    print("\tconst int count = sizeof(names) / sizeof(names[0]);\n", file=c)
    print("\tfor (int i = 0; i < count; i++) {", file=c)
    print("\t\tif (names[i] && !strcmp(names[i], name))", file=c)
    print("\t\t\treturn i;\n\t}\n\treturn -ENOENT;\n}", file=c)
