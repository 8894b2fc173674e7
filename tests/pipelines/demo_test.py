# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the demo with the stub engine: all its ways to run, what they write, and what they say when something is wrong.

    demo_test.py PIPELINES_DIR
"""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstPbutils", "1.0")
from gi.repository import Gst, GstPbutils  # noqa: E402

PIPELINES = Path(sys.argv[1])


def command(*options):
    # Without a display, whatever the machine has.
    return ["env", "-u", "DISPLAY", "-u", "WAYLAND_DISPLAY", "/usr/bin/python3", str(PIPELINES / "demo.py"), *options]


def media(path):
    return GstPbutils.Discoverer.new(10 * Gst.SECOND).discover_uri(Path(path).resolve().as_uri())


class DemoTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def demo(self, *options, code=0):
        run = subprocess.run(command(*options), cwd=self.folder, capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run.stdout if code == 0 else run.stderr

    def make_file(self, *lines):
        subprocess.run(["gst-launch-1.0", "-q", "mp4mux", "name=mux", "!", "filesink", f"location={self.folder}/in.mp4",
                        *" ".join(lines).split()], check=True, timeout=60)
        return "in.mp4"

    def test_clip_writes_four_files(self):
        said = self.demo("--seconds", "1", "--prompt", "a", "--prompt", "b", "--prompt", "c")
        out = self.folder / "demo-out"
        self.assertEqual({file.name for file in out.iterdir()},
                         {"restyled.mp4", "side-by-side.mp4", "contact-sheet.png", "slo.json"})
        slo = json.loads((out / "slo.json").read_text())
        self.assertEqual((slo["frames"], slo["dropped-frames"]), (90, 0))
        self.assertEqual([change["prompt"] for change in slo["prompts"]], ["a", "b", "c"])
        for name, width in (("restyled.mp4", 256), ("side-by-side.mp4", 512)):
            info = media(out / name)
            self.assertAlmostEqual(info.get_duration() / Gst.SECOND, 3.0, delta=0.1)
            self.assertEqual(info.get_video_streams()[0].get_width(), width)
            self.assertIn(name, said)
        head = (out / "contact-sheet.png").read_bytes()[:24]
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        self.assertGreater(struct.unpack(">II", head[16:])[1], 4 * 192)

    def test_live_ends_with_a_summary(self):
        said = self.demo("--live", "--test-pattern", "--seconds", "2", "--fps", "30")
        self.assertIn("no display", said)
        summary = said[said.index("SLO summary"):]
        self.assertRegex(summary, r"\b\d\d\.\d FPS end to end")
        self.assertRegex(summary, r"slope [+-]\d+\.\d+ ms per minute")
        self.assertIn("0 not reported", summary)

    def test_own_file_keeps_its_sound(self):
        name = self.make_file("videotestsrc num-buffers=30 ! video/x-raw,width=96,height=64,framerate=30/1 ! x264enc !",
                              "queue ! mux. audiotestsrc num-buffers=44 ! avenc_aac ! queue ! mux.")
        self.demo("--input", name, "--prompt", "a pencil sketch", "--output", "out.mp4")
        info = media(self.folder / "out.mp4")
        video = info.get_video_streams()[0]
        self.assertEqual((video.get_width(), video.get_height()), (96, 64))
        self.assertEqual(len(info.get_audio_streams()), 1)
        self.assertAlmostEqual(info.get_duration() / Gst.SECOND, 1.0, delta=0.1)

    def test_own_file_without_sound(self):
        name = self.make_file("videotestsrc num-buffers=10 ! video/x-raw,width=96,height=64 ! x264enc ! queue ! mux.")
        said = self.demo("--input", name)
        self.assertIn("10 frames", said)
        self.assertEqual(media(self.folder / "demo-out/in-restyled.mp4").get_audio_streams(), [])

    def test_interrupt_ends_files(self):
        slow = {**os.environ, "SDV2_STUB_PROGRAM": '{"chunk_ms": 300}'}  # the whole clip would take 26 s
        run = subprocess.Popen(command(), cwd=self.folder, stdout=subprocess.PIPE, text=True, env=slow)
        for line in run.stdout:
            if re.search("FPS", line):
                break
        run.send_signal(signal.SIGINT)
        rest, _ = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 130, rest)
        self.assertGreater(media(self.folder / "demo-out/restyled.mp4").get_duration(), 0)

    def test_errors_are_clear(self):
        self.assertIn("There is no file", self.demo("--input", "nothing.mp4", code=1))
        (self.folder / "text.mp4").write_text("no video\n")
        self.assertIn("text.mp4", self.demo("--input", "text.mp4", code=1))
        self.assertIn("no camera", self.demo("--live", "--device", "/dev/no-camera", code=1))
        self.assertIn("no folder", self.demo("--model", "/no/model", code=2))
        self.assertIn("--live", self.demo("--test-pattern", code=2))
        self.assertIn("multiples of 16", self.demo("--size", "100x100", code=2))

    def test_help_names_every_option(self):
        said = subprocess.run([PIPELINES / "demo.sh", "--help"], capture_output=True, text=True, check=True).stdout
        options = re.findall(r'add_argument\("(--[a-z-]+)"', (PIPELINES / "demo.py").read_text())
        self.assertEqual(set(options) - set(re.findall(r"--[a-z-]+", said)), set())


if __name__ == "__main__":
    Gst.init(None)
    unittest.main(argv=sys.argv[:1])
