# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it costs to see a host's virtual functions: netprepd, ip, and virsh, in turns on one host.

Each is a program that is started, asks, and prints all that it was told; virsh has to be asked
twice. Figures, without a verdict."""

import json
import statistics

ROUNDS = 20
NETWORK = "/run/netprep/io.migprep.Network"
WAYS = {
    "ours": f"varlinkctl call -j {NETWORK} io.migprep.Network.ListFunctions {{}}",
    "ip": "ip -json -details link show",
    "virsh": "virsh -q \"$(virsh -q nodedev-list --cap pci | sed 's/.*/nodedev-dumpxml &;/')\"",
}
# One line a run: which way, and its microseconds. The first round only warms up.
MEASURE = "\n".join([
    "measure() { begin=${EPOCHREALTIME/./}; \"way_$1\" > /dev/null || exit 1",
    "    echo \"$1 $((${EPOCHREALTIME/./} - begin))\"; }",
    *(f"way_{name}() {{ {command}; }}" for name, command in WAYS.items()),
    f"for round in $(seq 0 {ROUNDS}); do for way in {' '.join(WAYS)}; do measure $way; done; done"])


def run(lab):
    host = lab.host(1)
    with lab.case("each way tells of the same functions"):
        ours = json.loads(host.output(WAYS["ours"]))["functions"]
        names = {function["address"] for function in ours}
        assert names, "netprepd lists no functions"
        links = json.loads(host.output(WAYS["ip"]))
        assert len(names) == sum(len(link.get("vfinfo_list", [])) for link in links), links
        tree = host.output(WAYS["virsh"])
        for name in names:
            assert f"pci_{name.replace(':', '_').replace('.', '_')}</name>" in tree, name
        lab.result["functions"] = len(names)
    with lab.case(f"{ROUNDS} times each, in turns"):
        publish(lab.result, host.run(["bash", "-c", MEASURE], seconds=300).stdout)


def publish(result, text):
    """Milliseconds of each way, the first round left out, and the ratios of the medians."""
    taken = {name: [] for name in WAYS}
    for line in text.splitlines():
        name, microseconds = line.split()
        taken[name].append(round(int(microseconds) / 1000, 2))
    medians = {name: statistics.median(values[1:]) for name, values in taken.items()}
    result["milliseconds"] = {name: values[1:] for name, values in taken.items()}
    result["medianMilliseconds"] = medians
    result["ratio"] = {name: round(medians["ours"] / medians[name], 3)
                       for name in WAYS if name != "ours"}
    for name, median in medians.items():
        print(f"#   {name:<6}{median:9.2f} ms", flush=True)
    print(f"#   ours to the others: {result['ratio']}", flush=True)
