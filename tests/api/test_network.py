# SPDX-License-Identifier: LGPL-2.1-or-later
"""netprepd on a host without SR-IOV: what it says, and that nothing is ever half done."""

import os
import unittest

import open_metrics
import tap
from service import GUEST, UUID, Daemon
from varlink import Interface, Refused

NAME = "io.migprep.Network"
ELSEWHERE = "11111111-2222-3333-4444-555555555555"  # a guest of another host


class Network(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("NETPREPD")
        cls.daemon.use_guest()
        cls.daemon.start()
        cls.interface = Interface(cls.daemon.call("org.varlink.service.GetInterfaceDescription",
                                                  {"interface": NAME})["description"])

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    def call(self, method, parameters=None):
        return self.daemon.call(f"{NAME}.{method}", parameters)

    def refused(self, code, method, parameters=None):
        with self.assertRaises(Refused) as caught:
            self.call(method, parameters)
        self.assertEqual(caught.exception.name, f"{NAME}.{code}", caught.exception)
        return caught.exception.parameters

    def finished(self, method, parameters):
        """The end of a job: its error."""
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        with self.assertRaises(Refused) as caught:
            connection.call_more(f"{NAME}.{method}", parameters)
        return caught.exception

    def vnic(self, **more):
        settings = {**self.interface.sample("Settings"), "macAddress": "52:54:00:aa:00:01",
                    "nodeGuid": None, "portGuid": "0011223344556677"}
        return {**self.interface.sample("Vnic"), "settings": settings, "alias": "hostdev0", "function": "0000:01:10.0",
                "guestAddress": "0000:04:00.0", "guestPath": "02.3/00.0", "macAddress": None,
                "bond": "bond0", "backup": "eth0", "physicalNetwork": "nonesuch", "teaming": None,
                "configuration": None, **more}

    def reserve(self, **more):
        return {"owner": "test", "token": "t", "guest": {"name": "web2", "uuid": ELSEWHERE},
                "vnics": [self.vnic()], "timeoutSeconds": 60, **more}

    def assert_nothing_held(self):
        self.assertEqual(self.call("ListLeases"), {"leases": []})

    def test_guest_without_passthrough_is_described(self):
        found = self.call("Describe", {"guest": GUEST})
        self.assertEqual(found["guest"], {"name": GUEST, "uuid": UUID})
        self.assertEqual((found["state"], found["vnics"], found["bonds"], found["agent"]),
                         ("running", [], [], False))
        self.assertTrue(found["agentError"])
        self.assertTrue(all(nic["path"] == "virtioOnly" for nic in found["virtioNics"]))

    def test_checks_of_a_guest_without_passthrough(self):
        found = self.call("Check", {"role": "source", "guest": GUEST})
        self.assertEqual([(result["check"], result["outcome"]) for result in found["results"]],
                         [("guest.no-host-devices", "passed")])
        self.assertEqual(found["facts"], {"networks": [], "bridges": [], "vnics": [], "links": [],
                                          "cards": [], "macAddresses": [], "devices": [],
                                          "sockets": []})
        there = self.call("Check", {"role": "destination", "facts": found["facts"]})
        self.assertEqual(there["results"], [])

    def test_checks_of_the_host_say_what_they_found(self):
        found = self.call("Check", {"role": "host"})
        self.assertEqual([result["check"] for result in found["results"]],
                         ["host.iommu-on", "host.vfio-present"])
        self.assertTrue(all(result["evidence"] for result in found["results"]))
        self.assertTrue(found["invalidatedBy"])

    def test_checks_need_what_their_role_is_about(self):
        self.refused("InvalidArgument", "Check", {"role": "source"})
        self.refused("InvalidArgument", "Check", {"role": "destination"})

    def test_functions_are_those_of_sysfs(self):
        addresses = {found["address"] for found in self.call("ListFunctions")["functions"]}
        self.assertLessEqual(addresses, set(os.listdir("/sys/bus/pci/devices")))

    def test_networks_that_no_card_leads_to_are_not_physical(self):
        self.assertEqual(self.call("ListPhysicalNetworks"), {"networks": []})

    def test_nothing_is_lost_where_nothing_is_held(self):
        self.assertEqual(self.call("ListLeaks"), {"leaks": []})

    def test_unknown_physical_network_is_refused_and_nothing_held(self):
        with self.assertRaises(Refused) as caught:
            self.call("Reserve", self.reserve())
        self.assertIn("nonesuch", str(caught.exception))
        self.assertTrue(caught.exception.parameters["remedy"])
        self.assert_nothing_held()

    def test_guest_that_is_here_already_is_refused(self):
        guest = {"name": GUEST, "uuid": UUID}
        error = self.refused("GuestBusy", "Reserve", self.reserve(guest=guest))
        self.assertIn(GUEST, error["object"])
        self.assert_nothing_held()

    def test_bad_reservations_are_refused(self):
        for change in ({"owner": ""}, {"owner": "x" * 256}, {"token": ""}, {"timeoutSeconds": 0},
                       {"timeoutSeconds": 86401}, {"timeoutSeconds": -1},
                       {"guest": {"name": "web2", "uuid": "x"}},
                       {"guest": {"name": "", "uuid": ELSEWHERE}}):
            self.refused("InvalidArgument", "Reserve", self.reserve(**change))
        self.refused("LimitExceeded", "Reserve", self.reserve(vnics=[self.vnic()] * 33))
        self.assert_nothing_held()

    def test_detach_of_a_guest_that_is_not_there(self):
        error = self.finished("Detach", {"owner": "test", "token": "t", "guest": "nonesuch",
                                         "timeoutSeconds": 60})
        self.assertEqual(error.name, f"{NAME}.GuestNotFound")
        self.assert_nothing_held()

    def test_metrics_count_what_failed(self):
        def failures():
            families = open_metrics.parse(self.call("GetMetrics")["text"])
            self.assertEqual(open_metrics.value(families, "netprep_libvirt_up"), 1)
            self.assertEqual(open_metrics.value(families, "netprep_functions"), 0)
            self.assertEqual(open_metrics.value(families, "netprep_events", kind="degraded"), 0)
            return open_metrics.value(families, "netprep_failures", method="Describe",
                                      error="GuestNotFound")
        before = failures()
        self.refused("GuestNotFound", "Describe", {"guest": "nonesuch"})
        self.assertEqual(failures(), before + 1)

    def test_work_on_leases_that_are_not_there(self):
        lease = {"lease": UUID, "generation": 1}
        for method in ("Attach", "Release"):
            self.assertEqual(self.finished(method, lease).name, f"{NAME}.LeaseNotFound")

    def test_each_change_is_in_the_log_with_its_caller(self):
        self.refused("InvalidArgument", "Reserve", self.reserve(token=""))
        self.call("Describe", {"guest": GUEST})
        log = self.daemon.read_log()
        self.assertRegex(log, rf"{NAME}.Reserve by uid {os.getuid()}, process {os.getpid()}, "
                              r"guest 'web2', owner 'test'\n")
        self.assertNotIn(f"{NAME}.Describe by", log)

    def test_hooks_of_a_guest_without_an_agent_are_none(self):
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        self.assertEqual(self.call("Describe", {"guest": GUEST})["hooks"], [])
        result = connection.call_more(f"{NAME}.RunHooks", {"guest": GUEST,
                                                          "phase": "before_migration"})[-1]
        self.assertEqual(result["result"], {"count": 0})
        self.refused("InvalidArgument", "RunHooks", {"guest": "", "phase": "before_migration"})
        error = self.finished("RunHooks", {"guest": "nonesuch", "phase": "after_hibernation"})
        self.assertEqual(error.name, f"{NAME}.GuestNotFound")

    def test_guest_without_passthrough_needs_no_bond(self):
        error = self.finished("SetUpBond", {"guest": GUEST})
        self.assertEqual(error.name, f"{NAME}.InvalidArgument")
        self.assertIn(GUEST, error.parameters["object"])
        self.assertTrue(error.parameters["remedy"])

    def test_detach_of_a_guest_without_passthrough_holds_nothing(self):
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        result = connection.call_more(f"{NAME}.Detach", {
            "owner": "test", "token": "t", "guest": GUEST, "timeoutSeconds": 60})[-1]["result"]
        lease = result["lease"]
        self.assertEqual((result["vnics"], lease["functions"], lease["state"]),
                         ([], [], "detached"))
        released = connection.call_more(f"{NAME}.Release", {
            "lease": lease["lease"], "generation": lease["generation"]})[-1]["result"]
        self.assertEqual(released, {"outcome": "returned"})
        self.assert_nothing_held()

    def detach(self, connection):
        return connection.call_more(f"{NAME}.Detach", {
            "owner": "test", "token": "t", "guest": GUEST, "timeoutSeconds": 60}
            )[-1]["result"]["lease"]

    def test_watchers_hear_what_happens(self):
        watcher, connection = self.daemon.connect(), self.daemon.connect()
        self.addCleanup(watcher.close)
        self.addCleanup(connection.close)
        watcher.ask(f"{NAME}.Watch", more=True)
        self.assertEqual(self.event(watcher)["kind"], "watching")
        lease = self.detach(connection)
        detached = self.event(watcher)
        self.assertEqual((detached["kind"], detached["lease"], detached["guest"]),
                         ("detached", lease["lease"], {"name": GUEST, "uuid": UUID}))
        result = connection.call_more(f"{NAME}.ForceRelease", {
            "lease": lease["lease"], "generation": lease["generation"],
            "reason": "a test"})[-1]["result"]
        self.assertEqual(result, {"freed": [], "kept": []})
        forced = self.event(watcher)
        self.assertEqual(forced["kind"], "forced")
        self.assertIn(f"uid {os.getuid()}, process {os.getpid()}: a test", forced["detail"])
        self.assert_nothing_held()

    def test_watchers_hear_what_a_drain_announces(self):
        watcher = self.daemon.connect()
        self.addCleanup(watcher.close)
        watcher.ask(f"{NAME}.Watch", more=True)
        self.assertEqual(self.event(watcher)["kind"], "watching")
        guest = {"name": GUEST, "uuid": UUID}
        self.call("Announce", {"kind": "moved", "guest": guest, "detail": "to host2\nand\x1b[2J on"})
        event = self.event(watcher)
        self.assertEqual((event["kind"], event["guest"], event["lease"]), ("moved", guest, None))
        self.assertTrue(event["detail"].isprintable(), event["detail"])
        self.call("Announce", {"kind": "drained", "guest": None, "detail": "nobody is here"})
        self.assertEqual(self.event(watcher)["kind"], "drained")

    def test_what_is_announced_is_checked(self):
        self.refused("InvalidArgument", "Announce",
                     {"kind": "moved", "guest": {"name": "a\nb", "uuid": UUID}, "detail": ""})
        self.refused("InvalidArgument", "Announce",
                     {"kind": "moved", "guest": {"name": "a", "uuid": "b"}, "detail": ""})

    def event(self, watcher):
        reply = watcher.receive()
        self.assertTrue(reply["continues"])
        return reply["parameters"]["event"]

    def test_watch_has_no_single_answer(self):
        self.refused("InvalidArgument", "Watch")


if __name__ == "__main__":
    tap.main()
