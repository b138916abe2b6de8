# SPDX-License-Identifier: LGPL-2.1-or-later
"""Both daemons: introspection, every method's malformed input, broken messages, lifetime."""

import json
import os
import signal
import subprocess
import unittest

import tap
from service import Daemon, PATIENCE, wait_for
from varlink import NUL, Closed, Interface, Refused

SERVICE = "org.varlink.service"
MESSAGE_BYTES = 1024 * 1024
JSON_DEPTH = 32


class Protocol:
    """The tests; VARIABLE, NAME and FILE say which daemon."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(cls.VARIABLE).start()
        description = cls.daemon.call(f"{SERVICE}.GetInterfaceDescription",
                                      {"interface": cls.NAME})["description"]
        cls.description = description
        cls.interface = Interface(description)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    def setUp(self):
        self.connection = self.daemon.connect()
        self.addCleanup(self.connection.close)

    def assert_alive(self):
        self.assertIn(self.NAME, self.daemon.call(f"{SERVICE}.GetInfo")["interfaces"])

    def refused(self, method, parameters):
        with self.assertRaises(Refused) as caught:
            self.connection.call(method, parameters)
        return caught.exception

    def test_description_is_the_file_in_the_tree(self):
        top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        with open(os.path.join(top, self.FILE), encoding="utf-8") as file:
            self.assertEqual(self.description, file.read())
        self.assertEqual(self.interface.name, self.NAME)

    def test_info_names_product_and_interfaces(self):
        info = self.connection.call(f"{SERVICE}.GetInfo")
        self.assertEqual(info["product"], os.path.basename(self.daemon.binary))
        self.assertEqual(sorted(info["interfaces"]), sorted([SERVICE, self.NAME]))

    def test_every_malformed_parameter_is_refused_by_name(self):
        count = 0
        for method, parameters in self.interface.methods.items():
            for place, value in self.interface.spoilt(parameters):
                error = self.refused(f"{self.NAME}.{method}", value)
                self.assertEqual(error.name, f"{SERVICE}.InvalidParameter", (method, place, value))
                self.assertEqual(error.parameters["parameter"], place, (method, value))
                count += 1
        self.assertGreater(count, 100)
        self.assert_alive()

    def test_every_method_answers_strange_but_well_formed_input_with_a_known_error(self):
        known = {f"{self.NAME}.{name}" for name in self.interface.errors}
        for method, parameters in self.interface.methods.items():
            try:
                self.connection.call(f"{self.NAME}.{method}", self.interface.sample(parameters))
            except Refused as error:
                self.assertIn(error.name, known, method)
                self.assertEqual(sorted(error.parameters), ["cause", "object", "remedy"], method)
                self.assertTrue(error.parameters["cause"], method)
        self.assert_alive()

    def test_unknown_names_are_refused(self):
        for method, name in ((f"{self.NAME}.Nonesuch", "MethodNotFound"),
                             ("org.example.None.Such", "InterfaceNotFound")):
            self.assertEqual(self.refused(method, {}).name, f"{SERVICE}.{name}")
        error = self.refused(f"{SERVICE}.GetInterfaceDescription", {"interface": "org.example.X"})
        self.assertEqual(error.name, f"{SERVICE}.InterfaceNotFound")

    def assert_cut_off(self, data):
        """The daemon refuses or closes, and goes on serving others."""
        try:
            self.connection.send(data)
            self.assertIn("error", self.connection.receive())
        except (Closed, BrokenPipeError, ConnectionResetError):
            pass
        self.assert_alive()

    def test_broken_messages_end_only_their_connection(self):
        deep = b'{"method":"%s.GetInfo","parameters":%s}' % (
            SERVICE.encode(), b'{"x":' * JSON_DEPTH + b"1" + b"}" * JSON_DEPTH)
        for data in (b"", b"{", b"[]", b"7", b"null", b'{"method":7}', b"{}", b"\xff\xfe", deep,
                     b'{"method":"x"}', b'{"method":"\\u0000"}', b'{"method":"a","method":"b"}',
                     b'{"method":"%s.GetInfo","parameters":[]}' % SERVICE.encode(),
                     b'{"method":"%s.GetInfo","surplus":1}' % SERVICE.encode()):
            with self.subTest(data=data[:40]):
                self.connection.close()
                self.connection = self.daemon.connect()
                self.assert_cut_off(data + NUL)

    def test_message_size_has_a_limit(self):
        method = f'{{"method":"{SERVICE}.GetInfo"'.encode()
        largest = method + b" " * (MESSAGE_BYTES - len(method) - 1) + b"}"
        self.connection.send(largest + NUL)
        self.assertIn("parameters", self.connection.receive())
        self.assert_cut_off(largest[:-1] + b" }" + NUL)

    def test_unfinished_message_harms_nobody(self):
        self.connection.send(b'{"method":"')
        self.assert_alive()
        self.connection.close()
        self.assert_alive()

    def test_calls_of_a_connection_are_answered_in_order(self):
        for name in (self.NAME, "org.example.X", SERVICE) * 20:
            self.connection.ask(f"{SERVICE}.GetInterfaceDescription", {"interface": name})
        for name in (self.NAME, "org.example.X", SERVICE) * 20:
            reply = self.connection.receive()
            if name == "org.example.X":
                self.assertEqual(reply["error"], f"{SERVICE}.InterfaceNotFound")
            else:
                self.assertIn(f"interface {name}", reply["parameters"]["description"])

    def test_message_may_come_byte_by_byte(self):
        for byte in json.dumps({"method": f"{SERVICE}.GetInfo"}).encode() + NUL:
            self.connection.send(bytes([byte]))
        self.assertIn("interfaces", self.connection.receive()["parameters"])

    def test_only_root_and_the_group_may_call(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to call as somebody else")
        os.chmod(self.daemon.directory, 0o755)
        script = ("import socket,sys\ns = socket.socket(socket.AF_UNIX)\n"
                  "try:\n s.connect(sys.argv[1])\n"
                  f" s.sendall(b'{{\"method\":\"{self.NAME}.ListJobs\"}}\\0')\n"
                  " print(s.recv(4096))\n"
                  "except OSError as error:\n print(error)\n")
        for mode in (0o660, 0o666):
            os.chmod(self.daemon.socket, mode)
            done = subprocess.run(["/usr/bin/python3", "-c", script, self.daemon.socket],
                                  user=65534, group=65534, extra_groups=[], capture_output=True,
                                  text=True, timeout=PATIENCE, check=True)
            self.assertNotIn("jobs", done.stdout)
        os.chmod(self.daemon.socket, 0o660)

    def test_jobs_that_are_not_there(self):
        self.assertEqual(self.connection.call(f"{self.NAME}.ListJobs"), {"jobs": []})
        for method in ("WatchJob", "CancelJob"):
            error = self.refused(f"{self.NAME}.{method}", {"job": "nonesuch"})
            self.assertEqual(error.name, f"{self.NAME}.JobNotFound")

    def test_leases_that_are_not_there(self):
        self.assertEqual(self.connection.call(f"{self.NAME}.ListLeases"), {"leases": []})
        for method, more in (("Renew", {"timeoutSeconds": 5}), ("Release", {})):
            error = self.refused(f"{self.NAME}.{method}",
                                 {"lease": "nonesuch", "generation": 1, **more})
            self.assertEqual(error.name, f"{self.NAME}.LeaseNotFound")

    def test_guest_that_is_not_there(self):
        error = self.refused(f"{self.NAME}.Describe", {"guest": "nonesuch"})
        self.assertEqual(error.name, f"{self.NAME}.GuestNotFound")
        self.assertIn("nonesuch", error.parameters["object"])


class Lifetime:
    """Starts and ends of a daemon; VARIABLE says which."""

    def setUp(self):
        self.daemon = Daemon(self.VARIABLE)
        self.addCleanup(self.daemon.close)

    def test_ends_when_asked(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.daemon.start()
            self.daemon.process.send_signal(number)
            self.assertEqual(self.daemon.process.wait(PATIENCE), 0, self.daemon.read_log())

    def test_ends_with_clients_connected(self):
        self.daemon.start()
        idle, busy = self.daemon.connect(), self.daemon.connect()
        busy.send(b'{"method":"')
        self.assertEqual(self.daemon.terminate(), 0)
        self.assertRaises(Closed, idle.receive)
        idle.close()
        busy.close()

    def test_replaces_a_dead_socket_but_not_a_living_one(self):
        self.daemon.start()
        self.daemon.kill()
        self.assertTrue(os.path.exists(self.daemon.socket))
        self.daemon.start()
        second = subprocess.run(self.daemon.arguments(), capture_output=True, text=True,
                                timeout=PATIENCE, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn(self.daemon.socket, second.stderr)
        self.daemon.call("org.varlink.service.GetInfo")

    def test_wrong_usage_and_configuration(self):
        for arguments, status in ((["--nonesuch"], 2), (["surplus"], 2), (["--version"], 0),
                                  (["--help"], 0)):
            done = subprocess.run([self.daemon.binary, *arguments], capture_output=True,
                                  timeout=PATIENCE, check=False)
            self.assertEqual(done.returncode, status, arguments)
        with open(self.daemon.config, "w", encoding="utf-8") as file:
            file.write("[storage]\nimage-directoris=/x\n")
        done = subprocess.run(self.daemon.arguments(), capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("image-directoris", done.stderr)

    def test_serves_without_libvirt(self):
        self.daemon.uri = "test:///nonesuch.xml"
        self.daemon.start()
        connection = self.daemon.connect()
        self.addCleanup(connection.close)
        with self.assertRaises(Refused) as caught:
            connection.call(f"{self.NAME}.Describe", {"guest": "x"})
        self.assertEqual(caught.exception.name, f"{self.NAME}.HypervisorUnavailable")
        self.assertEqual(connection.call(f"{self.NAME}.ListLeases"), {"leases": []})

    def test_many_connections_come_and_go(self):
        self.daemon.start()
        before = len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))
        for _ in range(300):
            self.daemon.call("org.varlink.service.GetInfo")
        wait_for(lambda: len(os.listdir(f"/proc/{self.daemon.process.pid}/fd")) <= before + 1,
                 "descriptors are given back")


class StorageProtocol(Protocol, unittest.TestCase):
    VARIABLE, NAME, FILE = "STORPREPD", "io.migprep.Storage", "storprep/io.migprep.Storage.varlink"


class NetworkProtocol(Protocol, unittest.TestCase):
    VARIABLE, NAME, FILE = "NETPREPD", "io.migprep.Network", "netprep/io.migprep.Network.varlink"


class StorageLifetime(Lifetime, unittest.TestCase):
    VARIABLE, NAME = "STORPREPD", "io.migprep.Storage"


class NetworkLifetime(Lifetime, unittest.TestCase):
    VARIABLE, NAME = "NETPREPD", "io.migprep.Network"


if __name__ == "__main__":
    tap.main()
