#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests of bench-table.sh on CPU workers: bench_table_test.py BENCH_TABLE SDV2_BENCH"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TABLE, BENCH = sys.argv[1:3]
QUICK = ["--cpu", "--sizes", "64x64", "--vae", "taehv", "--gpus", "1,2", "--steps", "1,2", "--chunks", "3"]


def table(*args):
    return subprocess.run([sys.executable, TABLE, "--bench", BENCH, *args], capture_output=True, text=True, timeout=200)


class BenchTableTest(unittest.TestCase):
    def test_has_a_row_for_every_number_of_devices_and_steps(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.json"
            done = table("--models", "tiny", *QUICK, "--json", str(file))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            rows = json.loads(file.read_text())
        self.assertEqual([(row["gpus"], row["steps"]) for row in rows], [(1, 1), (1, 2), (2, 1), (2, 2)])
        for row in rows:
            self.assertGreater(row["fps"], 0)
            self.assertGreater(row["percent_of_ideal"], 0)
            self.assertLessEqual(row["chunk_p50_ms"], row["chunk_p99_ms"])
        self.assertEqual(len(done.stdout.splitlines()), 1 + len(rows))

    def test_goes_on_after_a_model_that_fails(self):
        done = table("--models", "no-such-model,tiny", *QUICK, "--gpus", "1", "--steps", "1")
        self.assertEqual(done.returncode, 1)
        lines = done.stdout.splitlines()
        self.assertIn("no-such-model", lines[1])
        self.assertTrue(lines[2].startswith("tiny"), lines)

    def test_says_what_did_not_fit_in_time(self):
        done = table("--models", "tiny", *QUICK, "--limit", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not run within 0 s: tiny 64x64 taehv on 1; tiny 64x64 taehv on 2", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
