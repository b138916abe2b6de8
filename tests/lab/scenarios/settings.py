# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings of functions and forwarding entries on a real card: what it takes, refuses and keeps."""

import time

from emulation.move import Move

TEST = "/usr/lib/lab/test_function_settings_contract"
FUNCTION = 3  # of no guest
# What igb says to what it cannot do: the driver and the option are named.
REFUSED = ("link-state: VF 3 of pf0: driver igb does not accept its link state enable: "
           "Operation not supported",
           "vlan-of-802.1ad: VF 3 of pf0: driver igb does not accept its VLAN 7 (priority 0, "
           "802.1ad): Protocol not supported",
           "minimum-rate: VF 3 of pf0: driver igb does not accept its transmit rates (minimum 10, "
           "maximum 100 Mbit/s): Invalid argument")
TAKEN = ("vlan: taken", "spoof-check-off: taken", "trust: taken", "hand-over: by the guest")
WATCH_SECONDS = 2


def run(lab):
    host = lab.host(1)
    output = contract(lab, host)
    for text in (*REFUSED, *TAKEN):
        with lab.case(text):
            assert text in output, output
    entries(lab, host)


def contract(lab, host):
    """The contract test on the host's card, each of its results a case; its output."""
    done = host.run(["env", "MIGPREP_TEST_PF=pf0", f"MIGPREP_TEST_VF={FUNCTION}", TEST, "--tap"],
                    check=False)
    results = [line for line in done.stdout.splitlines() if line.startswith(("ok", "not ok"))]
    with lab.case("the contract test ends well"):
        assert done.returncode == 0 and results, done.stdout + done.stderr
    for line in results:
        with lab.case(line.split("/", 1)[-1]):
            assert line.startswith("ok") and "SKIP" not in line, done.stdout
    return done.stdout


def own_entries(host, guest):
    """Those for the guest's MAC in the card's own filter."""
    return [line for line in host.output("bridge fdb show dev pf0").splitlines()
            if line.startswith(guest.mac) and "self" in line]


def watch(probe, what):
    """Nothing is lost for a while."""
    begin = time.monotonic()
    probe.wait_reply(begin + WATCH_SECONDS, 30)
    lost = probe.window(begin, begin + WATCH_SECONDS)["lost"]
    print(f"#   {what}: {lost} probes lost", flush=True)
    assert lost <= 2, f"{what}: {lost} probes lost"


def entries(lab, host):
    """A guest stays reachable with an entry for its MAC on the card, and a move leaves none."""
    guest = lab.guest("guest1")
    guest.create(host)
    guest.create_bond(host)
    with lab.probe(guest) as probe:
        with lab.case("an entry for the MAC of a function in use does no harm"):
            host.run(f"bridge fdb add {guest.mac} dev pf0")
            watch(probe, "with the entry")
            host.run(f"bridge fdb del {guest.mac} dev pf0")
            watch(probe, "without it again")
        seen = []
        with lab.case("during a move the card of the source has the entry, afterwards none has"):
            figures = Move(lab, guest, probe).run(
                lambda event: seen.extend(own_entries(host, guest))
                if event.get("name") == "migrate" else None)
            assert figures["result"] == "moved", figures["error"]
            assert seen, "the card had no entry while the guest migrated"
            for each in lab.hosts:
                assert not own_entries(each, guest), f"{each.name} keeps {own_entries(each, guest)}"
            outage = figures["outageMilliseconds"]
            print("#   " + ", ".join(f"{name} {lost} ms" for name, lost in outage.items()),
                  flush=True)
