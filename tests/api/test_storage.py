# SPDX-License-Identifier: LGPL-2.1-or-later
"""storprepd: disks, targets and their leases, restarts and crashes, the migration job."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import threading
import unittest

import open_metrics
import tap
from service import GUEST, UUID, Daemon, wait_for
from varlink import Closed, Refused

NAME = "io.migprep.Storage"
MEBIBYTE = 1024 * 1024


class Storage(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon("STORPREPD")
        self.addCleanup(self.daemon.close)
        self.daemon.start()

    def call(self, method, parameters=None):
        return self.daemon.call(f"{NAME}.{method}", parameters)

    def refused(self, code, method, parameters=None):
        with self.assertRaises(Refused) as caught:
            self.call(method, parameters)
        self.assertEqual(caught.exception.name, f"{NAME}.{code}", caught.exception)
        return caught.exception.parameters

    def path(self, name):
        return os.path.join(self.daemon.images, name)

    def target(self, name, **more):
        return {"path": self.path(name), "format": "qcow2", "virtualSizeBytes": MEBIBYTE, **more}

    def request(self, targets, token="t", seconds=600):
        return {"owner": "test", "token": token, "guest": {"name": GUEST, "uuid": UUID},
                "targets": targets, "timeoutSeconds": seconds}

    def create(self, targets, **more):
        return self.call("CreateTargets", self.request(targets, **more))["lease"]

    def release(self, lease):
        return self.call("Release", {"lease": lease["lease"], "generation": lease["generation"]})

    def leases(self):
        return self.call("ListLeases")["leases"]

    def files(self):
        return sorted(os.listdir(self.daemon.images))


class Metrics(Storage):
    def read(self):
        return open_metrics.parse(self.call("GetMetrics")["text"])

    def test_leases_are_counted_by_state(self):
        lease = self.create([self.target("a")])
        families = self.read()
        self.assertEqual(open_metrics.value(families, "storprep_leases", kind="targets", state="ready"), 1)
        self.assertEqual(open_metrics.value(families, "storprep_degraded_guests"), 0)
        self.release(lease)
        self.assertEqual(open_metrics.value(self.read(), "storprep_leases"), 0)

    def test_jobs_are_counted_by_outcome(self):
        image = self.path("a")
        with open(image, "wb") as file:
            file.truncate(MEBIBYTE)
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        connection.call_more(f"{NAME}.DigestImages", {"paths": [image]})
        families = self.read()
        self.assertEqual(open_metrics.value(families, "storprep_jobs", kind="DigestImages", outcome="done"), 1)
        self.assertEqual(open_metrics.value(families, "storprep_job_seconds", kind="DigestImages"), 1)
        self.assertEqual(open_metrics.value(families, "storprep_downtime_seconds"), 0)

    def test_libvirt_that_is_away_is_a_figure(self):
        daemon = Daemon("STORPREPD", "qemu+unix:///system?socket=/nonexistent")
        self.addCleanup(daemon.close)
        daemon.start()
        families = open_metrics.parse(daemon.call(f"{NAME}.GetMetrics")["text"])
        self.assertEqual(open_metrics.value(families, "storprep_libvirt_up"), 0)


class Checks(Storage):
    OF_HOST = {"host.libvirt-answers", "host.not-in-maintenance", "host.name-not-localhost",
               "host.tls-files", "host.firewall-open", "host.libvirt-system",
               "host.no-shutdown-planned"}

    def setUp(self):
        self.daemon = Daemon("STORPREPD")
        self.addCleanup(self.daemon.close)
        self.image = self.daemon.use_guest()
        self.daemon.start()

    def outcomes(self, **parameters):
        found = self.call("Check", parameters)
        return {result["check"]: result["outcome"] for result in found["results"]}, found["facts"]

    def test_guest_is_ready_and_its_facts_are_what_the_other_host_asks_for(self):
        outcomes, facts = self.outcomes(role="source", guest=GUEST)
        for check in ("host.libvirt-answers", "guest.exists", "guest.running", "guest.no-job",
                      "guest.not-transient-disk", "storage.disks-movable"):
            self.assertEqual(outcomes[check], "passed", outcomes)
        self.assertEqual(facts["guest"], {"name": GUEST, "uuid": UUID})
        outcomes, _ = self.outcomes(role="destination", facts=facts)
        self.assertEqual(outcomes["guest.absent-there"], "failed")  # it is this very host
        self.assertEqual(outcomes["storage.path-allowed"], "failed")
        self.assertEqual(outcomes["host.hypervisor-same"], "passed")

    def test_unknown_guest(self):
        outcomes, _ = self.outcomes(role="source", guest="nonesuch")
        self.assertEqual(outcomes, {"host.libvirt-answers": "passed", "guest.exists": "failed",
                                    "host.libvirt-system": "failed"})

    def test_nothing_told_is_nothing_passed(self):
        outcomes, _ = self.outcomes(role="destination", facts={})
        for check in self.OF_HOST:
            self.assertNotEqual(outcomes.pop(check), "unknown")
        self.assertEqual(set(outcomes.values()), {"unknown"})

    def test_host_alone(self):
        self.assertEqual(set(self.outcomes(role="host")[0]), self.OF_HOST)

    def test_way_to_another_host_is_tried(self):
        outcomes, _ = self.outcomes(role="passage", destination="localhost", facts={})
        self.assertEqual(outcomes["host.name-resolves"], "failed")
        self.assertEqual(outcomes["host.migration-ports-reachable"], "unknown")
        for odd in ({"facts": {}}, {"destination": "", "facts": {}}, {"destination": "host2"},
                    {"destination": "host2", "facts": {}, "measureSeconds": 4, "guest": GUEST},
                    {"destination": "host2", "facts": {}, "measureSeconds": 1}):
            self.refused("InvalidArgument", "Check", {"role": "passage", **odd})

    def test_address_is_told_without_any_check(self):
        outcomes, facts = self.outcomes(role="address")
        self.assertEqual(outcomes, {})
        self.assertIn("hostName", facts)

    def test_guests_are_listed(self):
        self.assertEqual(self.call("ListGuests"),
                         {"guests": [{"guest": {"name": GUEST, "uuid": UUID}, "state": "running"}]})

    def test_baseline_takes_processors_only(self):
        for text in ("", "<cpu", "<domain/>"):
            self.refused("InvalidArgument", "BaselineProcessor", {"processors": [text]})
        self.refused("LimitExceeded", "BaselineProcessor", {"processors": ["<cpu/>"] * 65})
        self.refused("HypervisorFailed", "BaselineProcessor", {"processors": ["<cpu/>"]})

    def test_role_needs_its_subject(self):
        self.refused("InvalidArgument", "Check", {"role": "source"})
        self.refused("InvalidArgument", "Check", {"role": "destination"})

    def test_nothing_is_left_behind(self):
        self.outcomes(role="source", guest=GUEST)
        self.assertEqual((self.leases(), self.files()), ([], []))


class Targets(Storage):
    def test_files_are_as_asked_and_private(self):
        shapes = [self.target("a.qcow2"),
                  self.target("b.qcow2", clusterSizeBytes=131072, extendedL2=True,
                              lazyRefcounts=True, refcountBits=32, compat="1.1"),
                  self.target("c.qcow2", compat="0.10", clusterSizeBytes=4096),
                  self.target("d.raw", format="raw")]
        lease = self.create(shapes)
        self.assertEqual(lease["state"], "ready")
        self.assertEqual(lease["paths"], [shape["path"] for shape in shapes])
        for shape in shapes:
            done = subprocess.run(["qemu-img", "info", "-f", shape["format"], "--output=json",
                                   shape["path"]], capture_output=True, check=True)
            info = json.loads(done.stdout)
            data = info.get("format-specific", {}).get("data", {})
            self.assertEqual(info["virtual-size"], MEBIBYTE)
            for name, key in (("compat", "compat"), ("lazyRefcounts", "lazy-refcounts"),
                              ("refcountBits", "refcount-bits"), ("extendedL2", "extended-l2")):
                if name in shape:
                    self.assertEqual(data[key], shape[name])
            mode = os.stat(shape["path"]).st_mode
            self.assertEqual((stat.S_ISREG(mode), stat.S_IMODE(mode)), (True, 0o600))
        self.assertEqual(self.release(lease), {"kept": False})
        self.assertEqual((self.files(), self.leases()), ([], []))

    def test_room_is_taken_beforehand_when_asked(self):
        size = 4 * MEBIBYTE
        lease = self.create([self.target("a", virtualSizeBytes=size, preallocation="falloc"),
                             self.target("b", virtualSizeBytes=size, preallocation="full",
                                         format="raw"),
                             self.target("c", virtualSizeBytes=size, preallocation="off")])
        used = [os.stat(path).st_blocks * 512 for path in lease["paths"]]
        self.assertTrue(used[0] >= size and used[1] >= size and used[2] < size, used)
        self.release(lease)
        self.refused("InvalidArgument", "CreateTargets", self.request(
            [self.target("a", format="raw", preallocation="metadata")]))

    def digests(self, *names):
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        replies = connection.call_more(f"{NAME}.DigestImages",
                                       {"paths": [self.path(name) for name in names]})
        return replies[-1]["result"]["images"]

    def test_digest_tells_how_far_it_is(self):
        whole, part = 130 << 20, 64 << 20
        with open(self.path("large"), "wb") as image:
            image.truncate(whole)
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        replies = connection.call_more(f"{NAME}.DigestImages", {"paths": [self.path("large")]})
        told = [reply["progress"] for reply in replies if reply.get("progress")]
        # A watcher gets the latest, not each of them.
        self.assertLessEqual({step["doneBytes"] for step in told}, {0, part, 2 * part})
        self.assertEqual({(step["path"], step["sizeBytes"]) for step in told},
                         {(self.path("large"), whole)})
        self.assertEqual(replies[-1]["result"]["images"][0]["sizeBytes"], whole)
        os.unlink(self.path("large"))

    def test_target_over_a_base_that_is_proven_to_be_equal(self):
        self.make_base("base", b"content")
        image = self.digests("base")[0]
        self.assertEqual(image["sizeBytes"], 4096)
        self.assertEqual(image["digest"], hashlib.sha256(b"content".ljust(4096, b"\0")).hexdigest())
        base = {**image, "format": "raw"}
        lease = self.create([self.target("top", backing=[base])])
        info = json.loads(subprocess.run(["qemu-img", "info", "-f", "qcow2", "--output=json",
                                          self.path("top")], capture_output=True,
                                         check=True).stdout)
        self.assertEqual((info["full-backing-filename"], info["backing-filename-format"]),
                         (self.path("base"), "raw"))
        self.release(lease)
        self.assertEqual(self.files(), ["base"])

    def test_base_that_differs_is_named_and_nothing_is_made(self):
        self.make_base("base", b"content")
        base = {**self.digests("base")[0], "format": "raw"}
        self.make_base("base", b"Content")
        error = self.refused("ImageInvalid", "CreateTargets",
                             self.request([self.target("top", backing=[base])]))
        self.assertIn(self.path("base"), error["object"])
        os.unlink(self.path("base"))
        self.refused("ProgramFailed", "CreateTargets",
                     self.request([self.target("top", backing=[base])]))
        self.refused("TargetRefused", "CreateTargets", self.request(
            [self.target("top", backing=[{**base, "path": "/etc/passwd"}])]))
        for change in ({"format": "raw"}, {"preallocation": "full"}):
            self.refused("InvalidArgument", "CreateTargets",
                         self.request([self.target("top", backing=[base], **change)]))
        self.refused("InvalidArgument", "CreateTargets", self.request(
            [self.target("top", backing=[{**base, "digest": "x"}])]))
        self.refused("LimitExceeded", "CreateTargets",
                     self.request([self.target("top", backing=[base] * 17)]))
        self.refused("TargetRefused", "DigestImages", {"paths": ["/etc/passwd"]})
        self.assertEqual((self.files(), self.leases()), ([], []))

    def make_base(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content.ljust(4096, b"\0"))

    def test_repeating_a_request_changes_nothing(self):
        targets = [self.target("a.qcow2")]
        first = self.create(targets)
        inode = os.stat(self.path("a.qcow2")).st_ino
        again = self.create(targets)
        self.assertEqual((first["lease"], first["generation"]),
                         (again["lease"], again["generation"]))
        self.assertEqual(os.stat(self.path("a.qcow2")).st_ino, inode)
        self.refused("LeaseConflict", "CreateTargets", self.request([self.target("b.qcow2")]))
        self.refused("TargetExists", "CreateTargets", self.request(targets, token="u"))
        self.assertEqual(self.files(), ["a.qcow2"])

    def test_the_same_request_from_many_at_once_is_one_lease(self):
        targets = [self.target(f"{i}.qcow2") for i in range(8)]
        found, threads = [], []
        for _ in range(8):
            threads.append(threading.Thread(
                target=lambda: found.append(self.create(targets)["lease"])))
            threads[-1].start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(found), len(set(found))), (8, 1))
        self.assertEqual(len(self.files()), 8)

    def test_existing_file_is_named_and_kept(self):
        with open(self.path("b.qcow2"), "w", encoding="utf-8") as file:
            file.write("precious")
        error = self.refused("TargetExists", "CreateTargets",
                             self.request([self.target("a.qcow2"), self.target("b.qcow2")]))
        self.assertIn(self.path("b.qcow2"), error["object"])
        self.assertTrue(error["remedy"])
        self.assertEqual((self.files(), self.leases()), (["b.qcow2"], []))
        with open(self.path("b.qcow2"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "precious")

    def test_links_are_not_followed(self):
        outside = os.path.join(self.daemon.directory, "outside")
        os.mkdir(outside)
        os.symlink(os.path.join(outside, "file"), self.path("dangling"))
        os.symlink(outside, self.path("directory"))
        self.refused("TargetExists", "CreateTargets", self.request([self.target("dangling")]))
        self.refused("TargetRefused", "CreateTargets",
                     self.request([self.target("directory/a.qcow2")]))
        for path in ("/etc/migprep-test", f"{self.daemon.images}/../a", "a", "",
                     f"{self.daemon.images}/missing/a"):
            self.refused("TargetRefused", "CreateTargets",
                         self.request([{**self.target("x"), "path": path}]))
        self.assertEqual((os.listdir(outside), self.leases()), ([], []))

    def test_bad_values_are_refused(self):
        for change in ({"virtualSizeBytes": 0}, {"virtualSizeBytes": -1}, {"virtualSizeBytes": 1},
                       {"virtualSizeBytes": 2**63 - 1}, {"clusterSizeBytes": 3},
                       {"clusterSizeBytes": 2**40}, {"compat": "1.2"}, {"refcountBits": 3},
                       {"compat": "0.10", "extendedL2": True}, {"format": "raw", "compat": "1.1"}):
            self.refused("InvalidArgument", "CreateTargets",
                         self.request([self.target("a", **change)]))
        for change in ({"owner": ""}, {"token": "x" * 256}, {"targets": []}, {"timeoutSeconds": 0},
                       {"timeoutSeconds": 86401}, {"guest": {"name": "x", "uuid": "y"}}):
            self.refused("InvalidArgument", "CreateTargets",
                         {**self.request([self.target("a")]), **change})
        self.refused("LimitExceeded", "CreateTargets",
                     self.request([self.target(f"{i}") for i in range(129)]))
        self.assertEqual((self.files(), self.leases()), ([], []))

    def test_no_space_names_the_directory_and_the_bytes(self):
        size = 64 * 1024**4
        error = self.refused("NoSpace", "CreateTargets", self.request(
            [self.target("a", format="raw", virtualSizeBytes=size)]))
        self.assertIn(self.daemon.images, error["object"])
        self.assertIn(f"{size} bytes are needed", error["cause"])
        self.assertEqual((self.files(), self.leases()), ([], []))

    def test_generation_must_be_the_lease_s(self):
        lease = self.create([self.target("a")])
        wrong = {"lease": lease["lease"], "generation": lease["generation"] + 1}
        self.refused("StaleGeneration", "Renew", {**wrong, "timeoutSeconds": 5})
        self.refused("StaleGeneration", "Release", wrong)
        self.refused("InvalidArgument", "Release", {**wrong, "generation": 0})
        self.assertEqual(self.files(), ["a"])

    def test_targets_are_served_until_they_are_closed(self):
        lease = self.create([self.target("a"), self.target("b", format="raw")])
        key = {"lease": lease["lease"], "generation": lease["generation"]}
        served = self.call("OpenTargets", key)["targets"]
        self.assertEqual([target["path"] for target in served], lease["paths"])
        self.assertEqual(self.call("OpenTargets", key)["targets"], served)
        for target in served:
            place = os.stat(os.path.dirname(target["socket"]))
            self.assertEqual(stat.S_IMODE(place.st_mode), 0o700)
            self.assertEqual(self.nbd_size(target["socket"]), MEBIBYTE)
        self.call("CloseTargets", key)
        self.assertFalse(any(os.path.exists(target["socket"]) for target in served))
        again = self.call("OpenTargets", key)["targets"]
        self.release(lease)
        self.assertFalse(any(os.path.exists(target["socket"]) for target in again))
        self.assertEqual(self.files(), [])
        for method in ("OpenTargets", "CloseTargets"):
            self.refused("LeaseNotFound", method, key)

    @staticmethod
    def nbd_size(socket):
        done = subprocess.run(["qemu-img", "info", "--output=json", "--image-opts",
                               f"driver=raw,file.driver=nbd,file.server.type=unix,file.server.path={socket}"],
                              capture_output=True, check=True)
        return json.loads(done.stdout)["virtual-size"]

    def test_expired_lease_removes_its_files(self):
        self.create([self.target("a")], seconds=1)
        wait_for(lambda: not self.leases(), "the lease ends")
        self.assertEqual(self.files(), [])

    def test_renewed_lease_outlives_its_first_deadline(self):
        self.create([self.target("short")], token="s", seconds=1)
        lease = self.create([self.target("a")], seconds=1)
        renewed = self.call("Renew", {"lease": lease["lease"], "generation": lease["generation"],
                                      "timeoutSeconds": 600})["lease"]
        self.assertGreater(renewed["remainingSeconds"], 500)
        wait_for(lambda: self.files() == ["a"], "the other lease ends")


class DeadServer(Storage):
    """The program that asks NFS servers gets no answer."""

    def setUp(self):
        self.daemon = Daemon("STORPREPD")
        self.addCleanup(self.daemon.close)
        # storprepd looks for it beside itself.
        self.daemon.binary = shutil.copy(self.daemon.binary, self.daemon.directory)
        self.stuck = os.path.join(self.daemon.directory, "storprep-nfs")
        with open(self.stuck, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nsleep 86400 & wait\n")
        os.chmod(self.stuck, 0o755)
        # What is reached by a link may be a server's; a plain directory of this host is none.
        elsewhere = f"{self.daemon.images}.elsewhere"
        os.rename(self.daemon.images, elsewhere)
        os.symlink(elsewhere, self.daemon.images)
        self.daemon.start()

    def find(self, connection):
        connection.ask(f"{NAME}.FindProbe", {
            "directory": self.daemon.images, "nonce": "n",
            "name": ".migprep-probe-00000000-0000-4000-8000-000000000000"})

    def test_the_daemon_answers_others_and_the_call_ends_at_its_deadline(self):
        waiting = [self.daemon.connect() for _ in range(8)]
        for connection in waiting:
            self.addCleanup(connection.close)
            self.find(connection)
        wait_for(self.stuck_programs, "the program runs")
        self.assertEqual(self.leases(), [])  # while nobody has had an answer
        self.assertTrue(self.stuck_programs())
        for connection in waiting:
            reply = connection.receive()
            self.assertEqual(reply["error"], f"{NAME}.TimedOut", reply)
            self.assertIn("2049", reply["parameters"]["remedy"])
        wait_for(lambda: not self.stuck_programs(), "the program and what it started are gone")

    def stuck_programs(self):
        return subprocess.run(["pgrep", "-f", self.stuck], stdout=subprocess.PIPE, text=True,
                              check=False).stdout.split()


class Shares(Storage):
    def export(self, **more):
        return {"owner": "test", "token": "t", "directory": self.daemon.images,
                "hosts": ["127.0.0.1"], "squash": "none", "timeoutSeconds": 600, **more}

    def test_exports_are_for_named_hosts_and_image_directories(self):
        for host in ("*", "", "10.0.0.0/8", "@group", "host?", "0.0.0.0", "-o", "a b"):
            error = self.refused("ShareRefused", "Export", self.export(hosts=[host]))
            self.assertTrue(error["remedy"])
        self.refused("TargetRefused", "Export", self.export(directory="/etc"))
        self.refused("TargetRefused", "Export", self.export(directory=self.path("missing")))
        self.refused("InvalidArgument", "Export", self.export(hosts=[]))
        self.refused("LimitExceeded", "Export", self.export(hosts=["127.0.0.1"] * 65))
        self.assertEqual(self.leases(), [])

    @unittest.skipIf(os.path.exists("/proc/fs/nfsd/threads"), "this host serves NFS")
    def test_export_without_a_server_says_how_to_start_it(self):
        error = self.refused("ShareUnavailable", "Export", self.export())
        self.assertIn("systemctl enable --now nfs-server", error["remedy"])
        self.assertEqual(self.leases(), [])

    def mount(self, **more):
        return {"owner": "test", "token": "t", "server": "127.0.0.1", "exportPath": "/srv",
                "path": self.path("shared"), "timeoutSeconds": 600, **more}

    def test_mounts_are_of_one_host_and_within_image_directories(self):
        self.refused("ShareRefused", "Mount", self.mount(server="*"))
        self.refused("InvalidArgument", "Mount", self.mount(exportPath="/srv/.."))
        self.refused("TargetRefused", "Mount", self.mount(path="/etc/shared"))
        self.refused("TargetRefused", "Mount", self.mount(path=self.path("missing/shared")))
        self.assertEqual((self.files(), self.leases()), ([], []))

    def test_what_is_not_shared_cannot_be_taken_back(self):
        self.refused("LeaseNotFound", "Unmount", {"owner": "test", "path": self.path("shared")})
        self.refused("LeaseNotFound", "Unexport",
                     {"owner": "test", "directory": self.daemon.images})

    @unittest.skipIf(os.path.exists("/proc/fs/nfsd/threads"), "this host serves NFS")
    def test_mount_that_fails_leaves_nothing(self):
        with self.assertRaises(Refused):
            self.call("Mount", self.mount())
        self.assertEqual((self.files(), self.leases()), ([], []))

    def test_a_probe_is_found_by_its_nonce_and_gone_after_its_lease(self):
        placed = self.call("PlaceProbe", {"owner": "test", "token": "t", "timeoutSeconds": 600,
                                          "directory": self.daemon.images})
        where = {"directory": self.daemon.images, "name": placed["name"]}
        self.assertEqual(self.call("FindProbe", {**where, "nonce": placed["nonce"]}),
                         {"found": True})
        self.assertFalse(self.call("FindProbe", {**where, "nonce": "x"})["found"])
        self.refused("InvalidArgument", "FindProbe",
                     {**where, "name": "../../etc/passwd", "nonce": "x"})
        self.assertEqual(self.release(placed["lease"]), {"kept": False})
        self.assertEqual((self.files(), self.leases()), ([], []))

    def test_a_probe_survives_no_kill_for_longer_than_its_lease(self):
        self.call("PlaceProbe", {"owner": "test", "token": "t", "timeoutSeconds": 1,
                                 "directory": self.daemon.images})
        self.daemon.kill()
        self.daemon.start()
        wait_for(lambda: not self.leases(), "the lease ends")
        self.assertEqual(self.files(), [])

    def test_images_are_identified(self):
        with open(self.path("a"), "w", encoding="utf-8") as file:
            file.write("content")
        found, absent = self.call("IdentifyImages",
                                  {"paths": [self.path("a"), self.path("b")]})["images"]
        self.assertEqual((found["inode"], found["sizeBytes"]),
                         (os.stat(self.path("a")).st_ino, 7))
        self.assertFalse(absent["found"])
        self.refused("TargetRefused", "IdentifyImages", {"paths": ["/etc/passwd"]})
        self.refused("LimitExceeded", "IdentifyImages", {"paths": [self.path("a")] * 129})

    @unittest.skipIf(os.path.exists("/proc/fs/nfsd/threads"), "this host serves NFS")
    def test_an_export_that_is_not_there_is_not_reachable(self):
        with open("/etc/passwd", encoding="utf-8") as users:
            known = any(line.startswith(("libvirt-qemu:", "qemu:")) for line in users)
        asked = {"server": "127.0.0.1", "exportPath": "/srv"}
        if not known:
            self.refused("ShareRefused", "ProbeExport", asked)
            return
        found = self.call("ProbeExport", asked)
        self.assertEqual((found["reachable"], found["writable"]), (False, False))
        self.assertTrue(found["reason"])

    def test_targets_are_not_committed(self):
        lease = self.create([self.target("a")])
        self.refused("InvalidArgument", "Commit",
                     {"lease": lease["lease"], "generation": lease["generation"]})
        self.assertEqual(self.files(), ["a"])


class Restart(Storage):
    def test_leases_survive_a_restart_and_a_kill(self):
        lease = self.create([self.target("a")])
        for end in (self.daemon.terminate, self.daemon.kill):
            end()
            self.daemon.start()
            found = self.leases()[0]
            self.assertEqual((found["lease"], found["generation"], found["state"]),
                             (lease["lease"], lease["generation"], "ready"))
            self.assertEqual(self.create([self.target("a")])["lease"], lease["lease"])
        self.release(lease)
        self.assertEqual((self.files(), self.leases()), ([], []))

    def test_generations_do_not_repeat_after_a_restart(self):
        first = self.create([self.target("a")])
        self.release(first)
        self.daemon.kill()
        self.daemon.start()
        self.assertGreater(self.create([self.target("a")])["generation"], first["generation"])

    def test_lease_that_expired_meanwhile_is_undone(self):
        self.create([self.target("a")], seconds=1)
        self.daemon.kill()
        self.daemon.start()
        wait_for(lambda: not self.leases(), "the lease ends")
        self.assertEqual(self.files(), [])

    def test_kill_during_creation_leaves_nothing_or_all(self):
        """Killed when the first, the tenth, ... file shows: afterwards all are there, or none."""
        targets = [self.target(f"{i}.qcow2") for i in range(24)]
        for seen in (1, 5, 10, 20):
            def attempt():
                try:
                    self.create(targets)
                except (Closed, ConnectionError, OSError):
                    pass
            thread = threading.Thread(target=attempt)
            thread.start()
            wait_for(lambda: len(self.files()) >= seen, "files are made")
            self.daemon.kill()
            thread.join()
            self.daemon.start()
            wait_for(lambda: all(lease["state"] == "ready" for lease in self.leases()),
                     "remains are removed")
            self.assertEqual(len(self.files()), 24 if self.leases() else 0)
            for lease in self.leases():
                self.release(lease)
            self.assertEqual(self.files(), [])


class Migrations(Storage):
    def setUp(self):
        super().setUp()
        self.daemon.terminate()
        self.image = self.daemon.use_guest()
        self.daemon.start()

    def migrate(self, **more):
        return {"guest": GUEST, "destinationUri": "qemu+ssh://192.0.2.1/system",
                "copyDisks": ["vda"], **more}

    def test_disks_are_described(self):
        found = self.call("Describe", {"guest": GUEST})
        self.assertEqual(found["guest"], {"name": GUEST, "uuid": UUID})
        self.assertEqual((found["state"], found["migrating"]), ("running", False))
        disks = {disk["target"]: disk for disk in found["disks"]}
        self.assertEqual(disks["vda"], {"target": "vda", "path": self.image, "format": "raw",
                                        "virtualSizeBytes": 4096, "migration": "copy",
                                        "provable": True, "storage": "file", "header": "raw",
                                        "readOnly": False, "shareable": False,
                                        "transient": False, "encrypted": False})
        self.assertEqual(disks["sda"]["migration"], "none")
        self.assertEqual(found["possible"], "copy")
        self.assertEqual(self.call("Describe", {"guest": UUID}), found)

    def test_what_the_caller_proved_and_wants_decides_what_is_possible(self):
        def possible(**more):
            found = self.call("Describe", {"guest": GUEST, **more})
            return found["possible"], found.get("obstacle")

        self.assertEqual(possible(sharedDisks=["vda"]), ("shared", None))
        self.assertEqual(possible(copyDisks=["vda"]), ("copy", None))
        kind, obstacle = possible(sharedDisks=["vda"], copyDisks=["vda"])
        self.assertEqual(kind, "none")
        self.assertIn("overwrite itself", obstacle)
        self.refused("LimitExceeded", "Describe", {"guest": GUEST, "copyDisks": ["vda"] * 129})

    def test_targets_belong_on_another_host(self):
        error = self.refused("GuestBusy", "CreateTargets", self.request([self.target("a")]))
        self.assertIn(GUEST, error["object"])
        self.assertEqual((self.files(), self.leases()), ([], []))

    def test_failed_migration_says_that_the_guest_keeps_running(self):
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        with self.assertRaises(Refused) as caught:
            connection.call_more(f"{NAME}.Migrate", self.migrate())
        self.assertEqual(caught.exception.name, f"{NAME}.MigrationFailed")
        self.assertIn("the guest keeps running here", caught.exception.parameters["cause"])
        self.assertEqual(self.call("Describe", {"guest": GUEST})["state"], "running")

    def test_job_is_listed_and_watched_after_its_end(self):
        job = self.call("Migrate", self.migrate())["job"]
        self.assertIn(job, [found["job"] for found in self.call("ListJobs")["jobs"]])
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        with self.assertRaises(Refused) as caught:
            connection.call_more(f"{NAME}.WatchJob", {"job": job})
        self.assertEqual(caught.exception.name, f"{NAME}.MigrationFailed")
        self.assertIn(GUEST, caught.exception.parameters["object"])
        wait_for(lambda: self.call("ListJobs")["jobs"][0]["state"] == "failed", "the job ends")
        self.call("CancelJob", {"job": job})

    def test_policy_is_the_nearest_level_s(self):
        def told():
            values = self.call("GetPolicy", {"guest": GUEST})["values"]
            return {value["name"]: (value["value"], value["level"]) for value in values}

        self.assertEqual(told()["max-downtime"], ("0", "default"))
        self.daemon.kill()
        with open(self.daemon.config, "a", encoding="utf-8") as file:
            file.write("[migration]\nmax-downtime=300\nbandwidth=50\ncluster=north\n"
                       "[cluster north]\nmax-downtime=500\n")
        self.daemon.start()
        self.assertEqual(told()["bandwidth"], ("50", "global"))
        self.assertEqual(told()["max-downtime"], ("500", "cluster"))
        self.assertEqual(self.call("GetPolicy", {"guest": GUEST})["cluster"], "north")

    def test_policy_of_a_guest_is_checked_before_libvirt_has_it(self):
        for name, value in (("downtime", "1"), ("max-downtime", "long"), ("tls", "true")):
            self.refused("InvalidArgument", "SetPolicy",
                         {"guest": GUEST, "name": name, "value": value})
        self.refused("GuestNotFound", "GetPolicy", {"guest": "nonesuch"})
        self.refused("GuestNotFound", "SetPolicy",
                     {"guest": "nonesuch", "name": "tls", "value": None})

    def test_policy_of_a_guest_is_kept_in_its_metadata(self):
        request = {"guest": GUEST, "name": "on-timeout", "value": "suspend"}
        for value, level in (("suspend", "guest"), ("abort", "guest"), (None, "default")):
            values = self.call("SetPolicy", {**request, "value": value})["values"]
            found = next(v for v in values if v["name"] == "on-timeout")
            self.assertEqual((found["value"], found["level"]), (value or "continue", level))

    def test_place_of_a_guest_is_told_with_its_policy(self):
        for value, level in (("host2 host3", "guest"), (None, "default")):
            values = self.call("SetPolicy",
                               {"guest": GUEST, "name": "hosts", "value": value})["values"]
            found = next(v for v in values if v["name"] == "hosts")
            self.assertEqual((found["value"], found["level"]), (value or "", level))
        self.refused("InvalidArgument", "SetPolicy",
                     {"guest": GUEST, "name": "apart", "value": "two words"})

    def test_host_tells_what_it_has_whatever_leases_there_are(self):
        placed = self.call("PlaceProbe", {"owner": "test", "token": "t", "timeoutSeconds": 600,
                                          "directory": self.daemon.images})
        volumes = self.call("DescribeHost")["volumes"]
        self.assertEqual([volume["directory"] for volume in volumes], [self.daemon.images])
        self.release(placed["lease"])

    def test_host_tells_what_it_has_and_who_runs_here(self):
        told = self.call("DescribeHost")
        self.assertGreater(told["processors"], 0)
        self.assertEqual([volume["directory"] for volume in told["volumes"]],
                         [self.daemon.images])
        self.assertGreater(told["volumes"][0]["freeBytes"], 0)
        self.assertIn(UUID, [load["guest"]["uuid"] for load in told["guests"]])

    def test_guests_stop_only_as_asked_and_start_again(self):
        for request in ({"guest": "nonesuch", "how": "shutdown", "timeoutSeconds": 1},):
            self.refused("GuestNotFound", "StopGuest", request)
        self.refused("InvalidArgument", "StopGuest",
                     {"guest": GUEST, "how": "shutdown", "timeoutSeconds": 0})
        self.refused("HypervisorFailed", "StartGuest", {"guest": GUEST})
        self.call("StopGuest", {"guest": GUEST, "how": "shutdown", "timeoutSeconds": 60})
        wait_for(lambda: self.call("Describe", {"guest": GUEST})["state"] == "shutoff",
                 "the guest stops")
        self.call("StartGuest", {"guest": GUEST})
        self.assertEqual(self.call("Describe", {"guest": GUEST})["state"], "running")

    def test_plans_that_cannot_work_are_refused_at_once(self):
        self.refused("GuestNotFound", "Migrate", self.migrate(guest="nonesuch"))
        self.refused("InvalidArgument", "Migrate", self.migrate(copyDisks=["vdb"]))
        self.refused("InvalidArgument", "Migrate", self.migrate(copyDisks=["vda", "vda"]))
        self.refused("DiskUnsupported", "Migrate", self.migrate(copyDisks=["sda"]))
        self.refused("InvalidArgument", "Migrate", self.migrate(bandwidthMebibytes=-1))
        self.refused("InvalidArgument", "Migrate", self.migrate(maximumDowntimeMilliseconds=-1))
        error = self.refused("InvalidArgument", "Migrate", self.migrate(tunnelled=True))
        self.assertEqual(error["object"], "tunnelled and copyDisks")
        self.refused("GuestBusy", "Migrate", self.migrate(mode="offline"))
        for change in ({"diskPaths": [{"target": "vdz", "path": "/a"}]},
                       {"diskPaths": [{"target": "vda", "path": "a"}]},
                       {"networks": [{"from": "nonesuch", "to": "blue"}]}):
            self.refused("InvalidArgument", "Migrate", self.migrate(**change))
        self.refused("GuestBusy", "SendDisks", {"guest": GUEST, "host": "host2", "disks": []})
        self.refused("InvalidArgument", "SendDisks", {"guest": GUEST, "host": "-x", "disks": []})
        self.refused("GuestBusy", "Migrate", self.migrate(sentDisks=[
            {"target": "vda", "path": self.image, "inode": 1, "modifiedNanoseconds": 1}]))
        for uri in ("", "host", "qemu+ssh://host/session", "qemu:///system",
                    "qemu+ssh://host/system?command=/bin/true"):
            self.refused("InvalidArgument", "Migrate", self.migrate(destinationUri=uri))
        for shared in (["vdb"], ["sda"], ["vda"]):
            self.refused("InvalidArgument", "Migrate", self.migrate(sharedDisks=shared))
        error = self.refused("DiskUnsupported", "Migrate",
                             self.migrate(copyDisks=[], sharedDisks=["vda"]))
        self.assertIn("shared_filesystems", error["remedy"])
        os.unlink(self.image)
        error = self.refused("DiskUnsupported", "Migrate", self.migrate(copyDisks=[]))
        self.assertIn("vda", error["object"])
        self.assertEqual(self.call("ListJobs"), {"jobs": []})


if __name__ == "__main__":
    tap.main()
