# SPDX-License-Identifier: LGPL-2.1-or-later
"""The figures of the emulated hosts as rows of docs/benchmarks.md: (what, ours, peer, beside, goal)."""
import statistics

BY_HAND = "the same by hand"


def median(values):
    """None of none."""
    return statistics.median(values) if values else None


def handover_rows(figures):
    handover = figures["handover"]
    for event in ("unplug", "replug"):
        yield (f"hand-over, {event}: ms lost", median(handover["ours"][event]), BY_HAND,
               median(handover["manual"][event]), "50")


def outage_rows(figures):
    outage = figures["outage"]
    for mine, other, what, peer in (("ours", "manual", "bonded", BY_HAND),
                                    ("oursTeamed", "teaming", "teamed", "virsh migrate of a teamed guest")):
        for figure, unit in (("lostMilliseconds", "ms lost"), ("seconds", "s")):
            ours, beside = (median([move[figure] for move in outage.get(who, ())]) for who in (mine, other))
            yield f"whole move of a {what} guest: {unit}", ours, peer, beside, ""


def whole_move_rows(figures):
    move = figures["wholeMove"]
    yield (f"whole move with a disk of {move['diskMebibytes']} MiB, s", median(move["ours"]),
           "virsh migrate, all prepared by hand", median(move["manual"]), "")


def function_rows(figures):
    medians = figures["functions"]["medianMilliseconds"]
    for name, words in (("ip", "ip -json -details link show"), ("virsh", "virsh nodedev-list, nodedev-dumpxml")):
        yield (f"list of {figures['functions']['functions']} functions, ms", medians["ours"], words,
               medians[name], "")


ROWS = [({"handover"}, handover_rows), ({"outage"}, outage_rows), ({"wholeMove"}, whole_move_rows),
        ({"functions"}, function_rows)]
