# SPDX-License-Identifier: LGPL-2.1-or-later
"""The figures of tests/bench/run as the tables of docs/benchmarks.md."""
import os
import textwrap

import lab_table

ONLY_ANSWERS = "a server that only answers"
SYNC = "fdatasync of 256 bytes, one after the other"


def call_rows(figures):
    daemon, peers = figures["daemons"]["storprepd"], figures["peers"]
    least, systemd = peers["least"], peers["systemd"]
    for name, key in (("GetInfo", "info"), ("ListJobs", "listJobs"), ("ListLeases", "listLeases")):
        ours = daemon[key]
        yield (f"{name}: calls for each second of a core, 8 callers", ours["callsPerCoreSecond"],
               ONLY_ANSWERS, least["callsPerCoreSecond"], "20,000")
        yield (f"{name}: calls a second, 8 callers", ours["callsPerSecond"], ONLY_ANSWERS,
               least["callsPerSecond"], "")
        yield (f"{name}: median in µs, one caller", ours["alone"]["medianMicroseconds"],
               ONLY_ANSWERS, least["alone"]["medianMicroseconds"], "")
        yield (f"{name}: p99 in µs, one caller", ours["alone"]["p99Microseconds"], ONLY_ANSWERS,
               least["alone"]["p99Microseconds"], "200")
    if systemd:
        peer = os.path.basename(systemd["socket"])
        yield ("GetInfo: calls a second, 8 callers", daemon["info"]["callsPerSecond"], peer,
               systemd["callsPerSecond"], "")
        yield ("GetInfo: median in µs, one caller", daemon["info"]["alone"]["medianMicroseconds"],
               peer, systemd["alone"]["medianMicroseconds"], "")
        yield ("GetInfo: p99 in µs, one caller", daemon["info"]["alone"]["p99Microseconds"], peer,
               systemd["alone"]["p99Microseconds"], "")


def lease_rows(figures):
    for rush in figures["growth"]["rush"]:
        goal = "1,000" if rush["callers"] > 1 else ""
        yield (f"leases made and ended a second, callers: {rush['callers']}", rush["durablePerSecond"],
               SYNC, rush["syncsPerSecond"], goal)
    yield ("a lease made and ended, ms of processor", figures["growth"]["rush"][-1]["processorMilliseconds"],
           "", None, "")


def recovery_rows(figures):
    for kind in ("open", "expired"):
        yield (f"restart with 1,000 {kind} leases, ms",
               figures["recovery"][kind]["doneMilliseconds"], "", None, "1,000")


def inventory_rows(figures):
    inventory = figures["inventory"]
    yield ("inventory of 1,024 VFs, ms", inventory["medianMilliseconds"],
           "a plain walk of the same tree", inventory["plainMilliseconds"], "50")


def target_rows(figures):
    for name, words, goal in (("one", "one target of 100 GiB, ms", "50"),
                              ("hundred", "a hundred targets of 100 GiB, ms", "2,000")):
        targets = figures["targets"][name]
        yield (words, targets["medianMilliseconds"], "qemu-img create",
               targets["qemuImgMilliseconds"], goal)


def plan_rows(figures):
    yield ("plan of 100 guests on 10 hosts, ms",
           max(plan["maximumMilliseconds"] for plan in figures["plan"]["plans"]), "", None, "2,000")


def check_rows(figures):
    check = figures["check"]
    yield "check of one guest, s; each answer takes 0.5 s", check["oneGuestSeconds"], "", None, "2"
    yield ("check of 50 guests, s; each answer takes 0.5 s", check["fiftyGuestsSeconds"],
           "one guest", check["oneGuestSeconds"], "6")


def daemon_rows(figures):
    virsh = figures["peers"]["virsh"] or {}
    for name, daemon in figures["daemons"].items():
        yield (f"{name}: start until READY=1, ms", daemon["startMilliseconds"],
               "virsh --version", virsh.get("milliseconds"), "50")
        yield (f"{name}: start, ms of processor", daemon["startProcessorMilliseconds"],
               "virsh --version", virsh.get("processorMilliseconds"), "")
        yield f"{name}: resident when ready, MiB", daemon["residentReadyMebibytes"], "", None, ""
        yield f"{name}: resident at rest, MiB", daemon["residentMebibytes"], "", None, "12"
        yield (f"{name}: resident after the calls, MiB", daemon["residentAfterMebibytes"], "",
               None, "12")


# What has to be measured for them, and the rows.
ROWS = [({"peers", "daemons"}, call_rows), ({"peers", "daemons"}, daemon_rows),
        ({"growth"}, lease_rows), ({"recovery"}, recovery_rows), ({"inventory"}, inventory_rows),
        ({"targets"}, target_rows), ({"plan"}, plan_rows), ({"check"}, check_rows), *lab_table.ROWS]


def number(value):
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def print_machine(machine):
    words = (f"{machine['processors']} processors ({machine['processor']}), {machine['system']}, "
             f"kernel {machine['kernel']}; load {machine['loadBefore']:.1f} before and "
             f"{machine['loadAfter']:.1f} after.")
    print(f"## {machine['date']}\n`tests/bench/run` on", textwrap.fill(words, 100), end="\n\n")


def print_rows(figures):
    print("| | ours | beside | | ours / beside | goal |\n|---|---|---|---|---|---|")
    for rows in [rows for needed, rows in ROWS if needed <= figures.keys()]:
        for what, ours, peer, beside, goal in rows(figures):
            if ours is None:
                continue
            ratio = f"{ours / beside:.2f}" if beside else ""
            print(f"| {what} | {number(ours)} | {peer if beside else ''} | {number(beside)} | {ratio} "
                  f"| {goal} |")


def print_growth(figures):
    print("\n| VFs, and leases | ListFunctions, ms | ListLeases, ms | Reserve, ms | leases made and "
          "ended a second, one caller |\n|---|---|---|---|---|")
    for step in figures["growth"]["growth"]:
        print(f"| {step['count']:,} | {number(step['listFunctionsMilliseconds'])} | "
              f"{number(step['listLeasesMilliseconds'])} | {number(step['reserveMilliseconds'])} | "
              f"{number(step['durablePerSecond'])} |")


def print_all(figures):
    print_machine(figures["machine"])
    print_rows(figures)
    if "growth" in figures:
        print_growth(figures)
