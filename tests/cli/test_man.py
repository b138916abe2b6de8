# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual says of options, statuses, keys, methods and errors what the programs and files say."""

import os
import pathlib
import re
import subprocess
import unittest

import tap

TOP = pathlib.Path(__file__).resolve().parents[2]
MAN = TOP / "docs/man"
BUILD = pathlib.Path(os.environ["BUILD"])
MIGPREP = os.environ["MIGPREP"]
PROGRAMS = {"netprepd": BUILD / "netprep/netprepd", "storprepd": BUILD / "storprep/storprepd",
            "netprep-guest": BUILD / "netprep/guest/netprep-guest", "migprep": MIGPREP}
NO_HELP = {"storprep-nfs"}  # for storprepd alone
INTERFACES = {"io.migprep.Network": TOP / "netprep/io.migprep.Network.varlink",
              "io.migprep.Storage": TOP / "storprep/io.migprep.Storage.varlink"}


def page(name):
    path = MAN / name
    return (path if path.exists() else BUILD / "docs" / name).read_text(encoding="utf-8")


def section(text, title):
    """The lines below a heading (.Sh or .Ss) up to the next one."""
    match = re.search(rf"^\.S[hs] {re.escape(title)}\n(.*?)(?=^\.S[hs] |\Z)", text, re.M | re.S)
    return match[1] if match else ""


def help_of(*words):
    return subprocess.run([*words, "--help"], text=True, capture_output=True, check=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout


def verbs():
    return re.findall(r"^  ([a-z-]+) +\S", help_of(MIGPREP).split("Verbs:")[1].split("\n\n")[0], re.M)


def options_in_help(text):
    """GLib lists them one a line; the others name them in their usage."""
    told = text.split("\nExample")[0]
    pattern = r"^  (?:-h, )?--([a-z][a-z-]+)" if "Help Options" in told else r"--([a-z][a-z-]+)"
    return set(re.findall(pattern, told, re.M))


def options_in_page(text):
    items = re.findall(r"^\.It .*$", section(text, "OPTIONS"), re.M)
    return {name for item in items for name in re.findall(r"Fl -([a-z][a-z-]+)", item)}


class Options(unittest.TestCase):
    def test_each_verb_has_a_page_with_its_options_and_none_extra(self):
        for verb in verbs():
            with self.subTest(verb):
                self.assertEqual(options_in_page(page(f"migprep-{verb}.8")),
                                 options_in_help(help_of(MIGPREP, verb)))

    def test_each_verb_that_prints_json_has_a_schema(self):
        schemas = {path.name.split(".")[0] for path in (TOP / "docs/schemas").iterdir()}
        wanted = {"drain" if verb == "return" else verb for verb in verbs()  # they print the same
                  if "--json" in help_of(MIGPREP, verb)}
        self.assertEqual(schemas, wanted | {"status-watch", "error", "check-catalogue"})

    def test_no_page_is_about_a_verb_that_is_not_there(self):
        pages = {path.stem for path in MAN.glob("migprep-*.8")}
        self.assertEqual(pages, {f"migprep-{verb}" for verb in verbs()})

    def test_each_program_has_a_page_with_its_options_and_none_extra(self):
        for name, program in PROGRAMS.items():
            with self.subTest(name):
                self.assertEqual(options_in_page(page(f"{name}.8")), options_in_help(help_of(program)))

    def test_verbs_of_netprep_guest_are_explained(self):
        told = set(re.findall(r"^  ([a-z][a-z-]+) (?:--|\[--)", help_of(PROGRAMS["netprep-guest"]), re.M))
        explained = set(re.findall(r"^\.It Cm ([a-z-]+)$", page("netprep-guest.8"), re.M))
        self.assertEqual(told, explained)

    def test_verbs_of_migprep_are_listed_with_their_pages(self):
        listed = re.findall(r"^\.It Cm ([a-z-]+)\n.*\n\.Xr migprep-([a-z-]+) 8$", page("migprep.8"), re.M)
        self.assertEqual(listed, [(verb, verb) for verb in verbs()])

    def test_each_installed_program_has_a_page(self):
        sources = "".join(path.read_text() for path in TOP.glob("*/**/meson.build")
                          if "tests" not in path.parts and "build" not in path.parts)
        programs = set(re.findall(r"executable\(\s*'([\w-]+)'", sources))
        self.assertEqual(programs, set(PROGRAMS) | NO_HELP)
        for name in programs:
            self.assertIn(f".Nm {name}\n", page(f"{name}.8"))


class Statuses(unittest.TestCase):
    @staticmethod
    def listed(text):
        items = section(text, "EXIT STATUS")
        return {int(number): words.replace("\n", " ")
                for number, words in re.findall(r"^\.It (\d+)\n(.*?)(?=^\.)", items, re.M | re.S)}

    def test_exit_statuses_are_those_of_the_command(self):
        header = (TOP / "common/cli/exit_status.h").read_text()
        wanted = {int(number) for number in re.findall(r"EXIT_STATUS_\w+ = (\d+)", header)}
        self.assertEqual(set(self.listed(page("migprep.8"))), wanted)

    def test_some_verbs_have_their_own(self):
        for verb in ("check", "proxy"):
            told = help_of(MIGPREP, verb).split("Exit status:\n")[1]
            wanted = {int(number): words for number, words in re.findall(r"^  (\d+) (.*)$", told, re.M)}
            self.assertEqual({n: words.strip() for n, words in
                              self.listed(page(f"migprep-{verb}.8")).items()}, wanted)


class Configuration(unittest.TestCase):
    def keys(self):
        """(group, key) that the configuration has."""
        table = (TOP / "common/config.c").read_text()
        policy = (TOP / "common/policy.c").read_text()
        names = re.findall(r'\[POLICY_\w+\] = \{ "([a-z-]+)"', policy)
        for group, key in re.findall(r'^    \{ ("[^"]+"|\w+_PREFIX), ("[^"]+"|NULL), read_', table, re.M):
            group = {"PHYSICAL_NETWORK_PREFIX": "physical-network NAME",
                     "CLUSTER_PREFIX": "cluster NAME"}.get(group, group.strip('"'))
            if key != "NULL":
                yield group, key.strip('"')
            elif group == "migration":  # a cluster has the same ones
                yield from ((group, name) for name in names)

    def test_each_key_is_explained_in_its_group_and_none_extra(self):
        text = page("migprep.conf.5")
        told = {(group, key) for group in re.findall(r"^\.Ss \[(.*)\]$", text, re.M)
                for key in re.findall(r"^\.It Ic ([a-z-]+)", section(text, f"[{group}]"), re.M)}
        self.assertEqual(told, set(self.keys()))

    def test_each_thing_that_only_a_guest_says_is_explained(self):
        table = (TOP / "storprep/guest_place.c").read_text()
        told = re.findall(r"^\.It Ic ([a-z]+)", section(page("migprep-policy.8"), "Places"), re.M)
        self.assertEqual(told, re.findall(r'\[GUEST_PLACE_\w+\] = \{ "([a-z]+)"', table))

    def test_the_example_is_understood(self):
        example = section(page("migprep.conf.5"), "EXAMPLES")
        example = re.sub(r"^\.(Bd|Ed).*\n", "", example, flags=re.M)
        path = BUILD / "example.conf"
        path.write_text(example, encoding="utf-8")
        done = subprocess.run([MIGPREP, "drain", "--dry-run", "--config", path, "--network-socket",
                               "/nonexistent/a", "--storage-socket", "/nonexistent/b"],
                              text=True, capture_output=True, check=False)
        self.assertNotIn("example.conf", done.stderr)
        self.assertEqual(done.returncode, 6, done.stderr)  # past the configuration: no daemon


class Interfaces(unittest.TestCase):
    def test_each_method_type_and_error_is_there_and_none_extra(self):
        for name, path in INTERFACES.items():
            text = page(f"{name}.7")
            for kind, title, macro in (("method", "METHODS", "Ic"), ("type", "TYPES", "Ic"),
                                       ("error", "FAULTS", "Er")):
                with self.subTest(f"{name} {kind}"):
                    told = re.findall(rf"^\.It {macro} (\w+)$", section(text, title), re.M)
                    self.assertEqual(told, re.findall(rf"^{kind} (\w+)", path.read_text(), re.M))

    def test_each_check_is_there(self):
        told = re.findall(r"^\.It Sy (\S+)$", page("migprep-checks.7"), re.M)
        listed = subprocess.run([MIGPREP, "check", "--catalogue"], text=True, capture_output=True,
                                check=True).stdout
        self.assertEqual(told, re.findall(r"^## (\S+)$", listed, re.M))


class Form(unittest.TestCase):
    def pages(self):
        return [*MAN.glob("*.[578]"), *(BUILD / "docs").glob("*.7")]

    def test_pages_are_well_formed(self):
        for path in self.pages():
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], text=True,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_references_lead_somewhere(self):
        known = {path.name for path in self.pages()}
        others = {"ssh.1", "systemctl.1", "varlinkctl.1", "virsh.1"}
        for path in self.pages():
            for name, number in re.findall(r"^\.Xr (\S+) (\d)", path.read_text(), re.M):
                self.assertIn(f"{name}.{number}", known | others, path.name)


if __name__ == "__main__":
    tap.main()
