# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the guides name is there: verbs, options, checks, methods, keys, and the ends of links."""

import json
import os
import pathlib
import re
import subprocess
import unittest

import tap

TOP = pathlib.Path(__file__).resolve().parents[2]
MIGPREP = os.environ["MIGPREP"]
GUIDES = [TOP / "README.md", *sorted((TOP / "docs").glob("*-guide.md")), TOP / "docs/from-virsh-migrate.md"]
INTERFACES = [TOP / "netprep/io.migprep.Network.varlink", TOP / "storprep/io.migprep.Storage.varlink"]


def read(path):
    return path.read_text(encoding="utf-8")


def help_of(*words):
    return subprocess.run([MIGPREP, *words, "--help"], text=True, capture_output=True, check=True).stdout


def code(text):
    """What is written as code, in lines and in blocks."""
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```\n.*?^```$", "", text, flags=re.M | re.S))
    return [line for block in blocks for line in block.splitlines()] + spans


class Guides(unittest.TestCase):
    def commands(self):
        """(guide, verb, options) of each migprep command that is shown."""
        for guide in GUIDES:
            for line in code(read(guide)):
                for verb, rest in re.findall(r"(?:^|&& |# )migprep ([a-z][a-z-]+)([^&|#]*)", line):
                    yield guide.name, verb, set(re.findall(r"(?<!\S)(--[a-z][a-z-]+)", rest))

    def test_commands_are_ones_that_there_are(self):
        verbs = set(re.findall(r"^  ([a-z-]+) +\S", help_of().split("Verbs:")[1].split("\n\n")[0], re.M))
        told = {verb: set(re.findall(r"--[a-z][a-z-]+", help_of(verb))) for verb in verbs}
        shown = list(self.commands())
        self.assertGreater(len(shown), 30)
        for guide, verb, options in shown:
            self.assertIn(verb, told, guide)
            self.assertEqual(options - told[verb], set(), f"{guide}: migprep {verb}")

    def test_options_beside_those_of_virsh_are_ones_of_migrate(self):
        rows = re.findall(r"^\| `[^|]*\| (`--[^|]*) \|", read(TOP / "docs/from-virsh-migrate.md"), re.M)
        options = set(re.findall(r"--[a-z][a-z-]+", " ".join(rows)))
        self.assertGreater(len(options), 4)
        self.assertEqual(options - set(re.findall(r"--[a-z][a-z-]+", help_of("migrate"))), set())

    def test_checks_are_ones_that_there_are(self):
        listed = subprocess.run([MIGPREP, "check", "--catalogue"], text=True, capture_output=True,
                                check=True).stdout
        known = set(re.findall(r"^## (\S+)$", listed, re.M))
        for guide in GUIDES:
            for span in code(read(guide)):
                if re.fullmatch(r"(host|guest|network|storage)\.[a-z-]+", span):
                    self.assertIn(span, known, guide.name)

    def test_methods_and_errors_are_ones_that_there_are(self):
        text = "".join(map(read, INTERFACES))
        known = set(re.findall(r"^(?:method|error) (\w+)", text, re.M)) | {"MESSAGE_ID"}
        for span in code(read(TOP / "docs/orchestrators-guide.md")):
            if re.fullmatch(r"([A-Z][a-z]+){1,4}", span):
                self.assertIn(span, known)

    def test_calls_have_the_parameters_of_their_methods(self):
        text = "".join(map(read, INTERFACES))
        shown = [match for guide in GUIDES for line in code(read(guide))
                 for match in re.findall(r"varlinkctl call \S+ io\.migprep\.\w+\.(\w+) '(.*)'", line)]
        self.assertGreater(len(shown), 3)
        for method, parameters in shown:
            declared = re.search(rf"^method {method}\((.*?)\) ->", text, re.M | re.S)[1]
            fields = dict(re.findall(r"(\w+): (\??)(?:\([^)]*\)|[^,(]+)", declared))
            given = set(json.loads(parameters))
            self.assertEqual(given - set(fields), set(), method)
            self.assertEqual({name for name, maybe in fields.items() if not maybe} - given, set(), method)

    def test_links_lead_somewhere(self):
        for guide in GUIDES:
            for target in re.findall(r"\]\((?!http)([^)#]+)\)", read(guide)):
                self.assertTrue((guide.parent / target).exists(), f"{guide.name}: {target}")

    def test_readme_fits_one_screen(self):
        self.assertLessEqual(len(read(TOP / "README.md").splitlines()), 75)


if __name__ == "__main__":
    tap.main()
