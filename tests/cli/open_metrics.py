# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads OpenMetrics text, strictly: what the specification forbids is a ValueError."""

import re

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SUFFIXES = {"gauge": [""], "counter": ["_total"], "info": ["_info"],
            "histogram": ["_bucket", "_count", "_sum"]}


def _labels(text):
    found = LABEL.findall(text or "")
    if ",".join(f'{name}="{value}"' for name, value in found) != (text or ""):
        raise ValueError(f"labels: {text}")
    return dict(found)


def parse(text):
    """{family: (type, [(name, labels, value)])}"""
    if not text.endswith("# EOF\n") or text.count("# EOF") != 1:
        raise ValueError("it has no single end")
    families, family, seen = {}, None, set()
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            if family in families:
                raise ValueError(f"{family} comes twice")
            families[family] = (kind, [])
        elif line.startswith("# HELP "):
            if line.split(" ")[2] != family:
                raise ValueError(line)
        else:
            match = SAMPLE.match(line)
            if not match or match[1] not in [family + suffix for suffix in SUFFIXES[families[family][0]]]:
                raise ValueError(f"in {family}: {line}")
            if (match[1], match[2]) in seen:
                raise ValueError(f"twice: {line}")
            seen.add((match[1], match[2]))
            families[family][1].append((match[1], _labels(match[2]), float(match[3])))
    return families


def value(families, family, **labels):
    """The sum of a family's samples that have these labels; histograms: how many there were."""
    kind, samples = families[family]
    name = family + {"counter": "_total", "info": "_info", "histogram": "_count"}.get(kind, "")
    return sum(number for found, has, number in samples
               if found == name and labels.items() <= has.items())
