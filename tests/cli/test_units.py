# SPDX-License-Identifier: LGPL-2.1-or-later
"""systemd understands the units, and orders them as they promise."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import tap

SOURCE, BUILT = pathlib.Path(os.environ["UNITS"]), pathlib.Path(os.environ["BUILT_UNITS"])
SUFFIXES = (".service", ".socket", ".target")


# Each gives a service a mount namespace, from which no mount reaches the host (systemd.exec(5)), or
# did so in some version of systemd.
NAMESPACED = ("ProtectSystem", "ProtectHome", "ProtectHostname", "ProtectKernelTunables",
              "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectProc",
              "ProcSubset", "PrivateTmp", "PrivateDevices", "PrivateMounts", "PrivateUsers",
              "PrivateIPC", "MountFlags", "MountAPIVFS", "RootDirectory", "RootImage", "DynamicUser",
              "ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths",
              "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "ExtensionImages",
              "LoadCredential", "SetCredential")
# Each gives it a list of devices, and disks may be any (systemd.resource-control(5)).
DEVICES = ("ProtectClock", "DeviceAllow", "DevicePolicy")
CAPABILITIES = {
    "netprepd.service": "CAP_NET_ADMIN CAP_NET_RAW",
    "storprepd.service": "CAP_DAC_OVERRIDE CAP_FOWNER CAP_CHOWN",
    "storprepd-nfs.service": "CAP_DAC_OVERRIDE CAP_SYS_ADMIN CAP_NET_BIND_SERVICE CAP_SYS_PTRACE "
                             "CAP_SETUID CAP_SETGID",
}


class Units(unittest.TestCase):
    def setUp(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="units-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.names = [self.take(path) for folder in (SOURCE, BUILT) for path in folder.iterdir()
                      if path.suffix in SUFFIXES]

    def take(self, path):
        """What is to be installed is not there yet: any program stands for it."""
        text = re.sub(r"/\S*/(netprepd|storprepd|storprep-nfs|migprep)\b(?=\s|'|$)", "/bin/true",
                      path.read_text(encoding="utf-8"))
        (self.directory / path.name).write_text(text, encoding="utf-8")
        return path.name

    def test_systemd_has_nothing_to_complain_about(self):
        self.assertGreaterEqual(len(self.names), 7)
        for name in self.names:
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=one",
                                   name], cwd=self.directory, capture_output=True, text=True,
                                  check=False, timeout=120,
                                  env={**os.environ, "SYSTEMD_UNIT_PATH": f"{self.directory}:"})
            ours = [line for line in done.stderr.splitlines()
                    if any(known in line for known in self.names)]
            self.assertEqual((done.returncode, ours), (0, []), name)

    def test_daemons_are_confined(self):
        """What mounts for its host can have no namespace, so much of what confines others is not
        for it; what reads others' text is not what mounts."""
        for name, threshold in (("netprepd.service", 24), ("storprepd.service", 35),
                                ("storprepd-nfs.service", 52)):
            done = subprocess.run(["systemd-analyze", "security", "--no-pager", "--offline=true",
                                   f"--threshold={threshold}", self.directory / name],
                                  capture_output=True, text=True, check=False, timeout=120)
            self.assertEqual(done.returncode, 0, done.stdout.splitlines()[-1:] + [done.stderr])

    def test_mounts_reach_the_host(self):
        for key in NAMESPACED:
            self.assertEqual(self.settings("storprepd-nfs.service", key), [], key)

    def test_storprepd_reaches_disks_and_sees_what_is_mounted(self):
        for key in DEVICES + ("MountFlags", "PrivateDevices", "PrivateTmp", "ProtectHome",
                              "ProtectHostname", "ProtectProc"):
            self.assertEqual(self.settings("storprepd.service", key), [], key)

    def test_what_mounts_is_there_for_storprepd_and_nobody_else(self):
        path, = self.settings("storprepd-nfs.socket", "ListenSequentialPacket")
        self.assertEqual(self.settings("storprepd.service", "Environment"),
                         [f"STORPREP_NFS_SOCKET={path}"])
        self.assertEqual(self.settings("storprepd-nfs.socket", "SocketMode"), ["0600"])
        for key in ("Requires", "After"):
            self.assertIn("storprepd-nfs.socket", self.settings("storprepd.service", key))
        for name in ("storprepd-nfs.socket", "storprepd-nfs.service"):
            self.assertEqual(self.settings(name, "PartOf"), ["storprepd.service"])

    def test_daemons_have_no_capability_more(self):
        for name, wanted in CAPABILITIES.items():
            self.assertEqual(sorted(self.settings(name, "CapabilityBoundingSet")),
                             sorted(wanted.split()))
            self.assertEqual(self.settings(name, "AmbientCapabilities"), [])
            self.assertEqual(self.settings(name, "NoNewPrivileges"), ["yes"])

    def test_daemons_start_with_the_host_and_not_only_when_called(self):
        """Leases that were open when the host went down are to be put right."""
        for name in ("netprepd.service", "storprepd.service"):
            self.assertEqual(self.settings(name, "WantedBy"), ["multi-user.target"])

    def settings(self, name, key):
        text = (self.directory / name).read_text(encoding="utf-8")
        return " ".join(re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)).split()

    def test_guests_leave_before_anything_that_they_need(self):
        after = self.settings("migprep-shutdown.service", "After")
        for needed in ("libvirt-guests.service", "virt-guest-shutdown.target", "libvirtd.service",
                       "netprepd.service", "storprepd.service", "network-online.target",
                       "remote-fs.target", "virtlogd.service", "virtlockd.service"):
            self.assertIn(needed, after)
        # An order behind a target that is not there is none.
        self.assertIn("virt-guest-shutdown.target",
                      self.settings("migprep-shutdown.service", "Wants"))

    def test_target_waits_for_the_drain_and_ends_with_it(self):
        for key in ("Requires", "After"):
            self.assertEqual(self.settings("migprep-maintenance.target", key),
                             ["migprep-maintenance.service"])
        self.assertEqual(self.settings("migprep-maintenance.service", "PartOf"),
                         ["migprep-maintenance.target"])


if __name__ == "__main__":
    tap.main()
