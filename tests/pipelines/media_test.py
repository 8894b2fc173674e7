# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the scripts in pipelines/ on real streams, with the stub engine: files, RTMP and SRT on loopback, shared memory, and cameras, screens
and SDI cards that test sources stand for. Sound and picture are compared by a clip that flashes and beeps once a second.

    media_test.py PIPELINES_DIR NGINX_DIR
"""
import array
import re
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

Gst.init(None)
PIPELINES, NGINX = Path(sys.argv[1]), Path(sys.argv[2])
FPS, RATE = 25, 48000
SIZE = ("--width", "96", "--height", "64", "--fps", str(FPS))
SECONDS = 120  # far above what a test needs


def installed(*elements):
    return all(Gst.ElementFactory.find(element) for element in elements)


def needs(*elements):
    missing = [element for element in elements if not installed(element)]
    return unittest.skipIf(missing, f"GStreamer has no {', '.join(missing)} here")


# --- The clip: 25 dark frames, a bright one with a beep of its length, and so on --------------------------------------------------------------

def clip_sources(flashes):
    """gst-launch words: pads v. and a. of concat elements get the pictures and the sound."""
    words = []
    for bright in [0, *[1, 0] * flashes]:
        frames = 1 if bright else FPS - (1 if words else 0)
        colour, wave = ("0xffc0c0c0", "sine") if bright else ("0xff404040", "silence")
        words += f"videotestsrc num-buffers={frames} pattern=solid-color foreground-color={colour} !".split()
        words += f"video/x-raw,format=I420,width=96,height=64,framerate={FPS}/1 ! v.".split()
        words += f"audiotestsrc num-buffers={frames} samplesperbuffer={RATE // FPS} wave={wave} freq=1000 !".split()
        words += f"audio/x-raw,format=S16LE,rate={RATE},channels=1 ! a.".split()
    return words


CLIP_VIDEO = "concat name=v ! identity single-segment=true ! queue".split()
CLIP_AUDIO = "concat name=a ! identity single-segment=true ! queue max-size-time=0 ! audioconvert".split()


def pulses(samples):
    """Centres, in seconds, of the stretches in which (time, value) is far from its median."""
    middle = statistics.median(value for _, value in samples)
    far = [(at, abs(value - middle)) for at, value in samples]
    threshold = max(value for _, value in far) / 8
    centres, weight, moment = [], 0, 0
    for at, value in [*far, (0, 0)]:
        if value > threshold:
            weight, moment = weight + value, moment + at * value
        elif weight:
            centres.append(moment / weight)
            weight = moment = 0
    return centres


def flashes_and_beeps(path):
    """Running times of both in a file, in seconds, and the number of frames."""
    pipeline = Gst.parse_launch(
        f"filesrc location={path} ! decodebin name=in "
        "in. ! video/x-raw ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=v sync=false "
        f"in. ! audio/x-raw ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate={RATE},channels=1 ! appsink name=a sync=false")
    pipeline.set_state(Gst.State.PLAYING)

    def samples(name):
        sink = pipeline.get_by_name(name)
        while (sample := sink.emit("pull-sample")) is not None:
            buffer = sample.get_buffer()
            at = sample.get_segment().to_running_time(Gst.Format.TIME, buffer.pts) / Gst.SECOND
            yield at, buffer.extract_dup(0, buffer.get_size())

    pictures = [(at + 0.5 / FPS, sum(data) / len(data)) for at, data in samples("v")]
    sound = []
    for at, data in samples("a"):
        values = array.array("h", data)
        for i in range(0, len(values), RATE // 1000):
            window = values[i:i + RATE // 1000]
            sound.append((at + (i + len(window) / 2) / RATE, sum(value * value for value in window) / len(window)))
    pipeline.set_state(Gst.State.NULL)
    return pulses(pictures), pulses(sound), len(pictures)


# --- Processes --------------------------------------------------------------------------------------------------------------------------------

def script_words(script, *options):
    """The gst-launch words of a script."""
    line = subprocess.run([PIPELINES / script, "--print", *SIZE, *options], check=True, capture_output=True, text=True).stdout
    words = shlex.split(line)
    assert words[:2] == ["gst-launch-1.0", "-e"], line
    return words[2:]


def replace(words, element, *replacement):
    """Another element, with its own properties, in the place of the named one."""
    begin = words.index(element)
    end = begin + 1
    while end < len(words) and "=" in words[end] and "/" not in words[end].split("=")[0]:
        end += 1
    return [*words[:begin], *" ".join(replacement).split(), *words[end:]]


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class MediaTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.logs = 0

    def start(self, words):
        self.logs += 1
        log = self.folder / f"log{self.logs}"
        with open(log, "w") as out:
            process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, cwd=self.folder)
        process.log = log
        self.addCleanup(self.stop, process)
        return process

    def launch(self, *words):
        return self.start(["gst-launch-1.0", "-e", *words])

    @staticmethod
    def stop(process):
        if process.poll() is None:
            process.kill()
            process.wait()

    def said(self, process):
        return f"{shlex.join(map(str, process.args))}\n{process.log.read_text()[-3000:]}"

    def finish(self, process):
        """Waits for the end, which must be a good one; what it said."""
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.fail("did not end: " + self.said(process))
        self.assertEqual(process.returncode, 0, self.said(process))
        return process.log.read_text()

    def interrupt(self, process):
        """Ends a pipeline as Ctrl-C does; what it said."""
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)
        return process.log.read_text()

    def wait_until(self, condition, *processes):
        limit = time.monotonic() + SECONDS
        while not condition():
            for process in processes:
                self.assertIsNone(process.poll(), self.said(process))
            self.assertLess(time.monotonic(), limit, "\n".join(self.said(process) for process in processes))
            time.sleep(0.02)

    def offsets(self, name):
        """By how much each beep comes after its flash, in seconds."""
        seen, heard, _ = flashes_and_beeps(self.folder / name)
        self.assertEqual(len(seen), len(heard), (name, seen, heard))
        return [beep - flash for flash, beep in zip(seen, heard)]

    # --- Files ---

    def test_a_file_keeps_sound_and_picture_in_step(self):
        self.finish(self.launch(*"matroskamux name=mux ! filesink location=in.mkv".split(), *CLIP_VIDEO, *"! x264enc ! mux.".split(),
                                *CLIP_AUDIO, *"! mux.".split(), *clip_sources(3)))
        said = self.finish(self.start([PIPELINES / "file-to-file.sh", *SIZE, "--input", "in.mkv", "--output", "out.mp4"]))
        self.assertIn(f"{4 * FPS} frames in", said)
        offsets = self.offsets("out.mp4")
        self.assertEqual(len(offsets), 3)
        for offset in offsets:
            self.assertLess(abs(offset), 1 / FPS, offsets)
        self.assertEqual(flashes_and_beeps(self.folder / "out.mp4")[2], 4 * FPS)

    # --- Devices, which test sources stand for ---

    VIDEO = f"videotestsrc is-live=true num-buffers=50 ! video/x-raw,framerate={FPS}/1"
    AUDIO = "audiotestsrc is-live=true num-buffers=100 samplesperbuffer=960"

    def run_with_stand_ins(self, words):
        said = self.finish(self.launch(*words))
        self.assertRegex(said, r"(?m)^\d\d frames in")

    def test_webcam_preview(self):
        words = replace(script_words("webcam-preview.sh"), "v4l2src", self.VIDEO)
        self.run_with_stand_ins(replace(words, "autovideosink", "fakesink sync=true"))

    def test_screen(self):
        words = replace(script_words("screen.sh"), "ximagesrc", self.VIDEO)
        self.run_with_stand_ins(replace(words, "autovideosink", "fakesink sync=true"))

    def test_decklink(self):
        words = replace(script_words("broadcast/decklink.sh"), "decklinkvideosrc", self.VIDEO)
        words = replace(words, "decklinkaudiosrc", self.AUDIO)
        card = "capsfilter caps=video/x-raw,format=UYVY,width=1920,height=1080,framerate=25/1 ! fakesink sync=true"
        self.run_with_stand_ins(replace(replace(words, "decklinkvideosink", card), "decklinkaudiosink", "fakesink sync=true"))

    # --- Networks and processes ---

    def start_rtmp_server(self):
        if not (NGINX / "usr/sbin/nginx").exists():
            self.skipTest("nginx with its RTMP module is not there (subprojects/setup.sh unpacks it)")
        port = free_port()
        (self.folder / "nginx.conf").write_text(
            f"load_module {NGINX}/usr/lib/nginx/modules/ngx_rtmp_module.so;\n"
            "daemon off; master_process off; pid nginx.pid; error_log stderr info;\n"
            "events { }\n"
            f"rtmp {{ access_log off; server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}\n")
        server = self.start([NGINX / "usr/sbin/nginx", "-p", self.folder, "-c", "nginx.conf"])

        def listens():
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == 0
        self.wait_until(listens, server)
        return f"rtmp://127.0.0.1:{port}/live", server

    def publish(self, address, flashes):
        """The clip, live, to an RTMP address."""
        return self.launch(*f"flvmux name=mux streamable=true ! rtmp2sink location={address}".split(),
                           *CLIP_VIDEO, *f"! clocksync ! x264enc tune=zerolatency key-int-max={FPS} ! h264parse ! mux.".split(),
                           *CLIP_AUDIO, *"! clocksync ! avenc_aac ! aacparse ! mux.".split(), *clip_sources(flashes))

    def record(self, address, name):
        """What an RTMP address gives, unchanged, into a file."""
        return self.launch(*f"matroskamux name=mux ! filesink location={name} rtmp2src location={address} ! flvdemux name=in".split(),
                           *"in.video ! queue ! h264parse ! mux. in.audio ! queue ! aacparse ! mux.".split())

    def test_rtmp_to_rtmp_keeps_sound_and_picture_in_step(self):
        address, server = self.start_rtmp_server()
        recorders = [self.record(f"{address}/in", "in.mkv"), self.record(f"{address}/out", "out.mkv")]
        script = self.start([PIPELINES / "rtmp-rtmp.sh", *SIZE, "--source", f"{address}/in", "--location", f"{address}/out"])
        self.wait_until(lambda: len(re.findall("play: name='in'", server.log.read_text())) == 2, server, script, *recorders)
        self.finish(self.publish(f"{address}/in", 5))
        for process in (script, *recorders):
            self.finish(process)
        # AAC delays sound by up to 21 ms each time that it is coded, so both are compared as they came and as they left.
        # The first flash may fall into the start of the stream.
        came, left = self.offsets("in.mkv"), self.offsets("out.mkv")
        self.assertGreaterEqual(len(left), 4)
        for before, after in zip(came[-4:], left[-4:]):
            self.assertLess(abs(after - before), 1 / FPS, (came, left))

    @needs("rtmp2sink")
    def test_webcam_to_rtmp(self):
        address, server = self.start_rtmp_server()
        recorder = self.record(f"{address}/out", "out.mkv")
        self.wait_until(lambda: "play: name='out'" in server.log.read_text(), server, recorder)
        words = replace(script_words("webcam-rtmp.sh", "--location", f"{address}/out"), "v4l2src", self.VIDEO)
        self.run_with_stand_ins(replace(words, "autoaudiosrc", self.AUDIO))
        self.finish(recorder)
        pictures = flashes_and_beeps(self.folder / "out.mkv")[2]
        self.assertGreaterEqual(pictures, 40)

    @needs("srtsrc", "srtsink", "mpegtsmux")
    def test_srt(self):
        into, out = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
        script = self.start([PIPELINES / "srt.sh", *SIZE, "--source", f"srt://127.0.0.1:{into}?mode=listener",
                             "--location", f"srt://127.0.0.1:{out}?mode=listener"])
        sender = self.launch(*f"mpegtsmux name=mux alignment=7 ! srtsink uri=srt://127.0.0.1:{into} {self.VIDEO.replace('50', '500')}".split(),
                             *"! x264enc tune=zerolatency key-int-max=25 ! mux. audiotestsrc is-live=true ! avenc_aac ! mux.".split())
        receiver = self.launch(*f"srtsrc uri=srt://127.0.0.1:{out} ! tsdemux ! h264parse ! avdec_h264 !".split(),
                               *"identity eos-after=50 ! fakesink".split())
        self.finish(receiver)
        self.interrupt(sender)
        self.interrupt(script)

    @needs("shmsrc", "shmsink")
    def test_shared_memory(self):
        before, after = self.folder / "before", self.folder / "after"
        caps = f"video/x-raw,format=I420,width=96,height=64,framerate={FPS}/1"
        feeder = self.launch(*f"videotestsrc is-live=true ! {caps} ! shmsink socket-path={before} shm-size=4000000 sync=false".split())
        self.wait_until(before.exists, feeder)
        script = self.start([PIPELINES / "broadcast/shm.sh", *SIZE, "--source", before, "--location", after])
        self.wait_until(after.exists, feeder, script)
        playout = self.launch(*f"shmsrc socket-path={after} is-live=true do-timestamp=true ! {caps} ! identity eos-after=50 ! fakesink".split())
        self.finish(playout)
        self.assertRegex(self.interrupt(script), r"(?m)^\d+ frames in")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
