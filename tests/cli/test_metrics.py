# SPDX-License-Identifier: LGPL-2.1-or-later
"""Metrics of a host for monitoring, and the journal's catalogue."""

import json
import os
import pathlib
import re
import stat
import subprocess
import tempfile
import unittest

import open_metrics
import tap
from world import World

TOP = pathlib.Path(__file__).resolve().parents[2]


class Metrics(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def test_both_daemons_are_one_text(self):
        done = self.world.run("metrics")
        self.assertEqual(done.returncode, 0, done.errors)
        families = open_metrics.parse(done.output)
        self.assertEqual(set(families), {"netprep_jobs", "storprep_jobs", "migprep_daemon_up"})
        self.assertEqual(open_metrics.value(families, "migprep_daemon_up"), 2)

    def test_daemon_that_is_away_is_a_figure(self):
        self.world.stop("host1", "storage")
        done = self.world.run("metrics")
        self.assertEqual(done.returncode, 6)
        families = open_metrics.parse(done.output)
        self.assertEqual(open_metrics.value(families, "migprep_daemon_up", daemon="storprepd"), 0)
        self.assertIn("netprep_jobs", families)

    def test_textfile_is_complete_and_readable(self):
        path = os.path.join(self.world.directory, "migprep.prom")
        done = self.world.run("metrics", "--textfile", path, "--host", "host2")
        self.assertEqual((done.returncode, done.output), (0, ""))
        with open(path, encoding="utf-8") as file:
            open_metrics.parse(file.read())
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o444, 0o444)

    def test_place_that_takes_no_file(self):
        done = self.world.run("metrics", "--textfile", "/nonexistent/x.prom")
        self.assertEqual(done.returncode, 1)


class Dashboard(unittest.TestCase):
    """docs/grafana-dashboard.json asks only for what is counted."""

    def test_each_figure_is_one_of_ours(self):
        board = json.loads((TOP / "docs/grafana-dashboard.json").read_text(encoding="utf-8"))
        asked = " ".join(target["expr"] for panel in board["panels"]
                         for target in panel.get("targets", []))
        names = set(re.findall(r"\b((?:netprep|storprep|migprep)_\w+)", asked))
        sources = "".join((TOP / name).read_text() for name in (
            "common/daemon_metrics.c", "common/job.c", "common/job_endings.c", "common/cli/verb_metrics.c",
            "netprep/network_metrics.c", "netprep/bulletin.c", "storprep/migration.c"))
        families = re.findall(r'open_metrics_family\(\w+, METRIC_(\w+),\s*"(\w+)"', sources)
        suffixes = {"GAUGE": [""], "COUNTER": ["_total"], "INFO": ["_info"],
                    "HISTOGRAM": ["_bucket", "_count", "_sum"]}
        known = {name + suffix for kind, name in families for suffix in suffixes[kind]}
        self.assertGreater(len(names), 8)
        self.assertEqual({name for name in names if name.split("_", 1)[1] not in known}, set())


class Catalogue(unittest.TestCase):
    """journalctl -x explains every message that has an id."""

    PATH = TOP / "units/migprep.catalog"
    ID = re.compile(r'"([0-9a-f]{32})"')

    def written(self):
        """(id, where) of each id in the sources."""
        return [(found, path.name) for folder in ("common", "netprep", "storprep")
                for path in sorted((TOP / folder).rglob("*.[ch]"))
                for found in self.ID.findall(path.read_text())]

    def test_each_id_is_written_once(self):
        ids = [found for found, _ in self.written()]
        self.assertEqual(len(ids), len(set(ids)), self.written())

    def test_each_id_is_explained_and_none_extra(self):
        explained = re.findall(r"^-- ([0-9a-f]{32})$", self.PATH.read_text(), re.M)
        self.assertEqual(sorted(explained), sorted(found for found, _ in self.written()))

    def test_journalctl_takes_it(self):
        with tempfile.TemporaryDirectory() as root:
            place = pathlib.Path(root, "usr/lib/systemd/catalog")
            place.mkdir(parents=True)
            (place / "migprep.catalog").write_bytes(self.PATH.read_bytes())
            pathlib.Path(root, "var/lib/systemd/catalog").mkdir(parents=True)
            subprocess.run(["journalctl", "--update-catalog", "--root", root], check=True,
                           capture_output=True)
            listed = subprocess.run(["journalctl", "--list-catalog", "--root", root], check=True,
                                    text=True, capture_output=True).stdout
        self.assertEqual(len(listed.splitlines()), len(self.written()))


if __name__ == "__main__":
    tap.main()
