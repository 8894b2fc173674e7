#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests of sdv2-bench over the stub engine: bench_test.py SDV2_BENCH STUB_ENGINE"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

BENCH, STUB = sys.argv[1:3]
HEIGHT, WIDTH = 32, 48
FRAME = HEIGHT * WIDTH * 3


def run(*args, program=None, engine=STUB):
    env = dict(os.environ)
    env.pop("SDV2_STUB_PROGRAM", None)
    if program is not None:
        env["SDV2_STUB_PROGRAM"] = json.dumps(program)
    command = [BENCH, *(["--engine", engine] if engine else []), *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


class BenchTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def report(self, *args, program=None):
        done = run("--model", "any", "--size", f"{HEIGHT}x{WIDTH}", "--json", *args, program=program)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def checksum(self, *args, program=None):
        return self.report(*args, program=program)["runs"][0]["checksum"]

    def test_checksum_depends_on_pixels_alone(self):
        reference = self.checksum("--chunks", "6")
        self.assertEqual(reference, self.checksum("--chunks", "6"))
        self.assertEqual(reference, self.checksum("--chunks", "6", "--capacity", "1", "--warmup", "0"))
        self.assertEqual(reference, self.checksum("--chunks", "6", program={"chunk_ms": [5, 0, 3, 1]}))
        self.assertEqual(reference, self.checksum("--chunks", "6", "--devices", "cpu,cpu"))
        self.assertNotEqual(reference, self.checksum("--chunks", "5"))
        self.assertNotEqual(reference, self.checksum("--chunks", "6", "--seed", "1"))
        self.assertNotEqual(reference, self.checksum("--chunks", "6", "--prompt", "oil painting"))
        self.assertNotEqual(reference, self.checksum("--chunks", "6", "--noise-scale", "0.5"))

    def test_streams_are_separate(self):
        report = self.report("--streams", "3", "--chunks", "4")["runs"][0]
        self.assertEqual(len(set(report["checksums"])), 3, "each stream has its own seed")
        self.assertEqual(report["checksums"][0], self.checksum("--chunks", "4"))
        self.assertEqual(report["frames"], 3 * (5 + 3 * 4))

    def test_json(self):
        report = self.report("--steps", "1,2,4", "--chunks", "3", program={"chunk_ms": 2})
        for key, value in {"model": "any", "height": HEIGHT, "width": WIDTH, "streams": 1, "chunks": 3,
                           "devices": ["cpu"]}.items():
            self.assertEqual(report[key], value)
        self.assertGreater(report["load_ms"], 0)
        self.assertEqual([each["steps"] for each in report["runs"]], [1, 2, 4])
        for each in report["runs"]:
            self.assertEqual(each["frames"], 13)
            self.assertGreater(each["fps"], 0)
            self.assertGreater(each["first_frame_ms"], 2)
            self.assertGreater(each["memory"]["host_peak_bytes"], 1_000_000)
            self.assertEqual(each["memory"]["devices"][0]["device"], "cpu")
            self.assertEqual(each["settings"]["steps"], each["steps"])
            self.assertIsInstance(each["plan"], str)
            names = [stage["name"] for stage in each["stages"]]
            self.assertEqual(names, ["upload", "encode", "denoise", "decode", "download", "work", "chunk", "total"])
            for stage in each["stages"]:
                self.assertEqual(stage["count"], 3)
                self.assertTrue(0 < stage["p50_ms"] <= stage["p95_ms"] <= stage["p99_ms"], stage)
            times = {stage["name"]: stage["p50_ms"] for stage in each["stages"]}
            self.assertTrue(2 <= times["work"] <= times["chunk"] <= times["total"], times)
            self.assertRegex(each["checksum"], "^[0-9a-f]{16}$")

    def test_size_comes_from_the_model(self):
        done = run("--model", "any", "--json", "--chunks", "1", program={"width": 64, "height": 16, "chunk": 2})
        report = json.loads(done.stdout)
        self.assertEqual((report["height"], report["width"]), (16, 64))
        self.assertEqual(report["runs"][0]["frames"], 9)

    def test_table(self):
        done = run("--model", "any", "--size", "32x48", "--steps", "1,2", "--chunks", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("checksum", "first frame", "upload", "denoise", "download", "total"):
            self.assertIn(word, done.stdout)
        self.assertEqual(sum(" total " in line and "host" in line and "MiB" not in line
                             for line in done.stdout.splitlines()), 2)

    def test_comparison_with_plain_kernels(self):
        runs = self.report("--check-fused", "--steps", "1,2", "--chunks", "2")["runs"]
        # The stub makes the same pictures whatever the kernels.
        self.assertEqual([each["against"] for each in runs], 2 * [{"psnr_db": None, "largest_difference": 0}])
        table = run("--model", "any", "--size", "32x48", "--check-fused", "--steps", "2", "--chunks", "1").stdout
        self.assertIn("against plain kernels, steps=2: PSNR inf dB", table)
        self.assertEqual([name for name in os.listdir(tempfile.gettempdir()) if name.startswith("sdv2-bench-")], [])

    def test_floors_of_unknown_networks_are_unknown(self):
        floor = self.report("--compare", "--chunks", "2")["runs"][0]["floor"]
        self.assertEqual([stage["name"] for stage in floor], ["encode", "denoise", "decode"])
        self.assertTrue(all(stage["p50_ms"] > 0 and stage["floor_ms"] is None for stage in floor), floor)

    def test_raw_frames_dump_and_comparison(self):
        # Inverted by the stub: the output is known.
        frames = bytes([10]) * FRAME + bytes([20]) * FRAME + bytes([30]) * FRAME
        with open(self.path("in.rgb"), "wb") as file:
            file.write(frames)
        self.report("--frames", self.path("in.rgb"), "--chunks", "1", "--dump", self.path("out.rgb"))
        with open(self.path("out.rgb"), "rb") as file:
            out = bytearray(file.read())
        self.assertEqual(out, b"".join(bytes([255 - v]) * FRAME for v in (10, 20, 30, 10, 20)))

        same = self.report("--frames", self.path("in.rgb"), "--chunks", "1", "--against", self.path("out.rgb"))
        self.assertEqual(same["runs"][0]["against"], {"psnr_db": None, "largest_difference": 0})
        out[7] -= 10
        with open(self.path("out.rgb"), "wb") as file:
            file.write(out)
        other = self.report("--frames", self.path("in.rgb"), "--chunks", "1", "--against", self.path("out.rgb"))
        against = other["runs"][0]["against"]
        self.assertEqual(against["largest_difference"], 10)
        # 10 log10(255^2 * bytes / 100)
        self.assertAlmostEqual(against["psnr_db"], 71.757, places=2)

        with open(self.path("out.rgb"), "wb") as file:
            file.write(out[:-1])
        for size, word in ((len(out) - 1, "less"), (len(out) + 1, "more")):
            with open(self.path("out.rgb"), "wb") as file:
                file.write(out.ljust(size, b"x")[:size])
            done = run("--model", "any", "--size", "32x48", "--chunks", "1", "--against", self.path("out.rgb"))
            self.assertEqual(done.returncode, 1)
            self.assertIn(word, done.stderr)

    def test_trace(self):
        self.report("--chunks", "2", "--trace", self.path("trace.json"))
        with open(self.path("trace.json")) as file:
            self.assertGreaterEqual(len(json.load(file)["traceEvents"]), 2)

    def test_frames_at_a_rate_have_deadlines(self):
        paced = ("--target-fps", "200", "--chunks", "5", "--warmup", "0")
        report = self.report(*paced, "--target-latency", "60000", "--streams", "2")
        self.assertEqual((report["target_fps"], report["target_latency_ms"]), (200, 60000))
        run_ = report["runs"][0]
        deadlines = run_["deadlines"]
        self.assertEqual({key: deadlines[key] for key in ("due", "met", "met_percent", "latest_ms", "repeated", "source")},
                         {"due": 10, "met": 10, "met_percent": 100.0, "latest_ms": 0.0, "repeated": 0, "source": 0})
        self.assertEqual((deadlines["chunks_on_rung"], deadlines["degraded_until_s"]), ({"0": 10}, 0))
        self.assertEqual(run_["checksums"][0], self.checksum("--chunks", "5"), "the pixels do not depend on the clock")
        # The 21 frames of a stream take a tenth of a second.
        self.assertLess(run_["fps"], 2 * 260)
        # Five frames have to be collected before a chunk begins: 1 ms cannot be met.
        late = self.report(*paced, "--target-latency", "1")["runs"][0]["deadlines"]
        self.assertEqual((late["due"], late["met"], late["met_percent"]), (5, 0, 0.0))
        self.assertGreater(late["latest_ms"], 15)
        self.assertEqual(self.report(*paced)["target_latency_ms"], 500)
        self.assertNotIn("deadlines", self.report("--chunks", "2")["runs"][0])

    def test_what_was_given_up_is_told(self):
        program = {"rungs": [[2, 1, "restyled"], [4, 3, "repeated"], [6, 4, "source"], [7, 0, "restyled"]]}
        paced = ("--target-fps", "200", "--chunks", "10", "--warmup", "0", "--target-latency", "60000")
        run_ = self.report(*paced, "--degrade", "steps,repeat,source", program=program)["runs"][0]
        self.assertEqual(run_["settings"]["degrade"], ["steps", "repeat", "source"])
        deadlines = run_["deadlines"]
        self.assertEqual((deadlines["due"], deadlines["met"]), (10, 8), "what is repeated has not met its deadline")
        self.assertEqual((deadlines["repeated"], deadlines["source"]), (2, 1))
        self.assertEqual(deadlines["chunks_on_rung"], {"0": 5, "1": 2, "3": 2, "4": 1})
        self.assertGreater(deadlines["degraded_until_s"], 0)
        # Two chunks of 20 ms were left out, and those around them are shown at their time.
        self.assertAlmostEqual(deadlines["longest_freeze_ms"], 40, delta=0.1)
        table = run("--model", "any", "--size", "32x48", *paced, program=program).stdout
        self.assertIn("8 of 10 met", table)
        self.assertIn("2 chunks repeated the last picture, 1 showed the source; chunks by rung 0: 5 1: 2 3: 2 4: 1", table)

    def test_admission_is_asked_for(self):
        paced = ("--target-fps", "200", "--target-latency", "400", "--chunks", "2", "--warmup", "0")
        asked = self.report(*paced, "--admit")["runs"][0]["settings"]
        self.assertEqual((asked["target_fps"], asked["target_latency"]), (200, 400))
        self.assertEqual(self.report(*paced)["runs"][0]["settings"]["target_fps"], 0)
        program = {"fail_session": {"code": "busy", "message": "this would fit: 1 step"}}
        refused = run("--model", "any", "--size", "32x48", *paced, "--admit", program=program)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("this would fit: 1 step", refused.stderr)
        self.assertEqual(run("--model", "any", "--size", "32x48", "--admit").returncode, 2)

    def test_deadlines_without_a_rate(self):
        run_ = self.report("--target-latency", "60000", "--chunks", "3")["runs"][0]
        self.assertEqual((run_["deadlines"]["due"], run_["deadlines"]["met"]), (3, 3))

    def test_runs_take_seconds(self):
        report = self.report("--target-fps", "100", "--seconds", "0.5", "--warmup", "0")
        self.assertEqual((report["seconds"], report["chunks"]), (0.5, None))
        self.assertEqual(report["runs"][0]["frames"], 1 + 4 * 13, "the last one that begins before is 49")
        self.assertGreater(self.report("--seconds", "0.2")["runs"][0]["frames"], 9)

    def test_deadlines_and_plan_in_tables(self):
        done = run("--model", "any", "--size", "32x48", "--chunks", "3", "--target-latency", "60000", "--show-plan",
                   program={"chunk_ms": 2})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("3 of 3 met (100.00 %)", done.stdout)
        self.assertRegex(done.stdout, r"plan for \d steps: 0=enc\.0")
        self.assertRegex(done.stdout, r"device0 +cpu +denoise +\d+\.\d+ ms +#")
        self.assertRegex(done.stdout, "device0 is the busiest")

    def test_long_runs_show_progress(self):
        done = run("--model", "any", "--size", "32x48", "--chunks", "30", "--warmup", "0", "--json",
                   program={"chunk_ms": 100})
        self.assertRegex(done.stderr, r"\d+ of 30 chunks")
        self.assertEqual(json.loads(done.stdout)["runs"][0]["frames"], 1 + 4 * 30)
        done = run("--model", "any", "--size", "32x48", "--chunks", "2", "--json")
        self.assertNotIn("chunks", done.stderr)

    def test_wrong_usage(self):
        for args, word in {
            (): "--model is missing",
            ("--model",): "--model needs a value",
            ("--model", "any", "--modell", "x"): "--modell",
            ("--model", "any", "extra"): "extra",
            ("--model", "any", "--steps", "5"): "--steps",
            ("--model", "any", "--steps", "1,,2"): "--steps",
            ("--model", "any", "--steps=1x"): "--steps",
            ("--model", "any", "--size", "480"): "--size",
            ("--model", "any", "--size", "480x830"): "multiples of 16",
            ("--model", "any", "--compare", "--streams", "2"): "--compare",
            ("--model", "any", "--compare", "--execution", "throughput"): "--compare",
            ("--model", "any", "--check-fused", "--dump", "x"): "--check-fused",
            ("--model", "any", "--check-fused", "--kernels", "plain"): "--check-fused",
            ("--model", "any", "--check-fused", "--seconds", "1"): "--check-fused",
            ("--model", "any", "--linears", "int4"): "--linears",
            ("--model", "any", "--chunks", "0"): "--chunks",
            ("--model", "any", "--seconds", "0"): "--seconds",
            ("--model", "any", "--seconds", "3", "--chunks", "3"): "exclude each other",
            ("--model", "any", "--target-fps", "-1"): "--target-fps",
            ("--model", "any", "--target-latency", "soon"): "--target-latency",
            ("--model", "any", "--show-plan", "--json"): "--show-plan",
            ("--model", "any", "--noise-scale", "1.5"): "--noise-scale",
            ("--model", "any", "--noise-scale", "nan"): "--noise-scale",
            ("--model", "any", "--precision", "fp8"): "--precision",
            ("--model", "any", "--vae", "none"): "--vae",
            ("--model", "any", "--execution", "fast"): "--execution",
            ("--model", "any", "--seed", "-1"): "--seed",
            ("--model", "any", "--streams", "0"): "--streams",
            ("--model", "any", "--steps", "1,2", "--dump", "x"): "--dump",
        }.items():
            done = run(*args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertIn(word, done.stderr)
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("usage:", done.stdout)

    def test_failures(self):
        size = ("--model", "any", "--size", "32x48", "--chunks", "3")
        with open(self.path("odd.rgb"), "wb") as file:
            file.write(b"123")
        for args, program, engine, word in (
            (size, None, self.path("no-engine.so"), "no-engine.so"),
            (size, None, "libm.so.6", "sdv2_abi_supported"),
            (size, {"abi_version": 7}, STUB, "does not support"),
            ((*size, "--devices", "gpu"), None, STUB, "devices"),
            (size, {"fail_load": {"code": "not found", "message": "no such folder"}}, STUB, "no such folder"),
            (size, {"fail_chunks": [{"chunk": 1, "code": "device", "message": "lost"}]}, STUB, "lost"),
            ((*size, "--frames", self.path("none.rgb")), None, STUB, "none.rgb"),
            ((*size, "--frames", self.path("odd.rgb")), None, STUB, "whole RGB frames"),
            ((*size, "--against", self.path("none.rgb")), None, STUB, "none.rgb"),
            ((*size, "--dump", self.path("no/folder.rgb")), None, STUB, "folder.rgb"),
            ((*size, "--trace", self.path("no/folder.json")), None, STUB, "folder.json"),
        ):
            done = run(*args, program=program, engine=engine)
            self.assertEqual(done.returncode, 1, (args, program, done.stdout))
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
