#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests of sdv2-bench over the real engine on CPUs: bench_engine_test.py SDV2_BENCH ENGINE"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

BENCH, ENGINE = sys.argv[1:3]
MODEL = "random:tiny,dim=128,ffn=64,layers=2,text_dim=16,text_len=4,vae_dim=8"
SIDE, CHUNKS = 64, 8  # more chunks than the KV ring has slots
FRAMES = 1 + 4 * CHUNKS


class BenchEngineTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def bench(self, *args):
        command = [BENCH, "--engine", ENGINE, "--model", MODEL, "--size", f"{SIDE}x{SIDE}", "--chunks", str(CHUNKS),
                   "--warmup", "1", "--json", *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def checksum(self, *args):
        return self.bench("--steps", "2", *args)["runs"][0]["checksum"]

    def test_checksum_does_not_depend_on_the_cut(self):
        report = self.bench("--steps", "1,2", "--devices", "cpu")
        one_step, two_steps = (run["checksum"] for run in report["runs"])
        self.assertNotEqual(one_step, two_steps)
        self.assertEqual(two_steps, self.checksum("--devices", "cpu,cpu"))
        self.assertEqual(two_steps, self.checksum("--devices", "cpu,cpu", "--execution", "throughput"))
        self.assertEqual(two_steps, self.checksum("--devices", "cpu,cpu", "--plan", "0=enc.0|1=s1.b1|0=dec.1"))
        self.assertEqual(one_step, self.bench("--steps", "1", "--devices", "cpu,cpu,cpu", "--plan",
                                              "2=enc.0|1=mix|0=s1.b1")["runs"][0]["checksum"])
        self.assertNotEqual(two_steps, self.checksum("--seed", "1"))

    def test_floor(self):
        run = self.bench("--steps", "2", "--devices", "cpu,cpu", "--compare")["runs"][0]
        self.assertEqual(run["settings"]["execution"], "latency")
        floor = {stage["name"]: stage for stage in run["floor"]}
        self.assertIsNone(floor["encode"]["floor_ms"], "the roofline knows the release's autoencoder only")
        self.assertNotIn("all", floor)
        for step in ("denoise 0", "denoise 1"):
            self.assertTrue(0 < floor[step]["floor_ms"] < floor[step]["p50_ms"], floor[step])
            self.assertAlmostEqual(floor[step]["percent"], 100 * floor[step]["floor_ms"] / floor[step]["p50_ms"])

    def test_fused_kernels_are_not_checked_where_there_are_none(self):
        command = [BENCH, "--engine", ENGINE, "--model", MODEL, "--devices", "cpu", "--chunks", "1", "--check-fused"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there are no fused kernels for Float on cpu", done.stderr)

    def test_streams_together_are_as_each_alone(self):
        run = self.bench("--steps", "2", "--streams", "2", "--execution", "throughput")["runs"][0]
        self.assertEqual(run["checksums"], [self.checksum(), self.checksum("--seed", "1")])
        self.assertEqual(run["frames"], 2 * FRAMES)

    def test_a_device_that_is_slower_for_a_while_changes_no_pixel(self):
        report = self.bench("--steps", "2", "--devices", "cpu", "--fault", "device0*8@chunk3-4", "--warmup", "0", "--trace",
                            self.path("trace.json"))
        self.assertEqual(report["runs"][0]["checksum"], self.checksum())
        with open(self.path("trace.json")) as file:
            decodes = [event["dur"] for event in json.load(file)["traceEvents"] if event["name"] == "decode"]
        self.assertEqual(len(decodes), CHUNKS)
        slow, others = decodes[3:5], decodes[:3] + decodes[5:]
        # Eight times their own time, which is not below the shortest of all by much however busy the machine is.
        self.assertGreater(min(slow), 4 * min(others), decodes)

    def test_report(self):
        report = self.bench("--steps", "2", "--devices", "cpu,cpu")
        self.assertEqual(report["devices"], ["cpu", "cpu"])
        run = report["runs"][0]
        self.assertEqual(run["frames"], FRAMES)
        self.assertGreater(run["fps"], 0)
        self.assertGreater(run["first_frame_ms"], 0)
        self.assertGreater(run["memory"]["host_peak_bytes"], 1_000_000)
        self.assertRegex(run["plan"], "^0=enc")
        names = [stage["name"] for stage in run["stages"]]
        for name in ("upload", "encode", "denoise 0", "denoise 1", "decode", "download", "work", "chunk", "total"):
            self.assertIn(name, names)
        for stage in run["stages"]:
            self.assertGreater(stage["count"], 0, stage)
            self.assertTrue(0 < stage["p50_ms"] <= stage["p95_ms"] <= stage["p99_ms"], stage)

    def test_dump_and_comparison(self):
        self.bench("--steps", "2", "--dump", self.path("out.rgb"))
        self.assertEqual(os.path.getsize(self.path("out.rgb")), FRAMES * SIDE * SIDE * 3)
        same = self.bench("--steps", "2", "--devices", "cpu,cpu", "--against", self.path("out.rgb"))
        self.assertEqual(same["runs"][0]["against"], {"psnr_db": None, "largest_difference": 0})
        other = self.bench("--steps", "2", "--seed", "1", "--against", self.path("out.rgb"))["runs"][0]["against"]
        self.assertGreater(other["largest_difference"], 0)
        self.assertLess(other["psnr_db"], 99)

    def test_a_device_that_fails_ends_the_run_with_one_error(self):
        command = [BENCH, "--engine", ENGINE, "--model", MODEL, "--size", f"{SIDE}x{SIDE}", "--chunks", "40", "--devices",
                   "cpu,cpu", "--streams", "2", "--fault", "device1@chunk4"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 1, done.stderr)
        errors = [line for line in done.stderr.splitlines() if line.startswith("sdv2-bench: ")]
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertIn("device1@chunk4", errors[0])
        self.assertEqual(done.stdout, "")

    def test_trace(self):
        self.bench("--steps", "2", "--devices", "cpu,cpu", "--trace", self.path("trace.json"))
        with open(self.path("trace.json")) as file:
            events = json.load(file)["traceEvents"]
        spans = [event for event in events if event["ph"] == "X"]
        names = {event["name"] for event in spans}
        self.assertTrue({"encode", "denoise 0", "denoise 1", "decode"} <= names, names)
        self.assertEqual(len({event["tid"] for event in spans}), 2, "a line for each worker")
        self.assertTrue(all(event["dur"] >= 0 for event in spans))
        self.assertTrue(any(event["ph"] == "C" for event in events), "the length of a queue")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
