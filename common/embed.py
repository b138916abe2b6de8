#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a C header holding a text file as one string constant: embed.py INPUT OUTPUT NAME."""
import sys

source, output, name = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    lines = file.read().split("\n")
with open(output, "w", encoding="utf-8") as file:
    file.write("#pragma once\nstatic const char %s[] =\n" % name)
    for line in lines[:-1]:
        file.write('    "%s\\n"\n' % line.replace("\\", "\\\\").replace('"', '\\"'))
    file.write("    ;\n")
