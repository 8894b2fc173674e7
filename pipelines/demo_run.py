# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the demo's parts share: pipelines are built, run to their end, and watched while they run."""
import signal
import sys

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
    gi.require_version("GstPbutils", "1.0")
    from gi.repository import GLib, Gst, GstApp, GstPbutils  # noqa: F401 (GstApp gives appsink its methods)
except (ImportError, ValueError) as problem:
    sys.exit(f"demo: {problem}. GStreamer's Python bindings are missing: run subprojects/setup.sh.")

PROMPTS = ["a pencil sketch", "an ink cartoon with flat colours", "neon edges at night", "a pop art poster"]
# No limit but memory: what runs beside the model has to wait for it.
PATIENT = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0"
MODEL = "sdv2transform name=transform ! sdv2slo name=slo"
# Sinks of files do not wait for each other: an encoder takes many pictures before it gives the first.
H264 = "queue ! videoconvert ! video/x-raw,format=I420 ! x264enc speed-preset=veryfast pass=qual quantizer=20 ! queue"
FILE = "filesink async=false"


class DemoError(Exception):
    """What went wrong, and what to do."""


def build(description, **properties):
    """A pipeline. properties: element__property=value, for values that would need quoting in a description."""
    try:
        pipeline = Gst.parse_launch(description)
    except GLib.Error as error:
        raise DemoError(f"{error.message} (run subprojects/setup.sh, which installs what GStreamer needs)") from error
    for name, value in properties.items():
        element, _, key = name.partition("__")
        pipeline.get_by_name(element).set_property(key.replace("_", "-"), value)
    return pipeline


def values(structure):
    names = (structure.nth_field_name(i) for i in range(structure.n_fields()))
    return {name: structure.get_value(name) for name in names}


def describe(message):
    """An error in words: what failed, and the detail behind the place in the code."""
    error, detail = message.parse_error()
    lines = (detail or "").splitlines()[1:]
    return "\n".join([error.message, *lines])


class Run:
    """Runs a pipeline to its end, to Ctrl-C (files end properly) or for `seconds`; a line of progress per second."""

    def __init__(self, pipeline, total=0, seconds=0):
        self.pipeline, self.total, self.seconds = pipeline, total, seconds
        self.loop = GLib.MainLoop()
        self.error = None
        self.interrupted = False
        self.losses = 0  # frames that were reported as dropped or not transformed
        self.applied = []  # (prompt, time of the first frame made with it)
        self.slo, self.transform = pipeline.get_by_name("slo"), pipeline.get_by_name("transform")

    def go(self):
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)
        handler = GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGINT, self.on_interrupt)
        GLib.timeout_add_seconds(1, self.on_second)
        # The model is loaded in the background; a live source must not start before it is there.
        if self.pipeline.set_state(Gst.State.PAUSED) != Gst.StateChangeReturn.FAILURE:
            self.loop.run()
        else:
            message = bus.pop_filtered(Gst.MessageType.ERROR)
            self.error = describe(message) if message else "The pipeline does not start."
        self.stats = values(self.slo.get_property("stats"))
        self.chunk_stats = values(self.pipeline.get_by_name("chunk").get_property("stats"))
        self.pipeline.set_state(Gst.State.NULL)
        if not self.interrupted:
            GLib.source_remove(handler)
        if self.error:
            raise DemoError(self.error)

    def stop(self):
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE

    def on_interrupt(self):
        print("  stopping (Ctrl-C again: at once)")
        self.interrupted = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        return self.stop()

    def on_second(self):
        stats = values(self.slo.get_property("stats"))
        if stats["frames"] > 0:
            of_total = f" of {self.total}" if self.total else ""
            prompt = self.applied[-1][0] if self.applied else self.transform.get_property("prompt")
            print(f"  {stats['frames']:5d}{of_total} frames  {stats['window-rate']:5.1f} FPS  {prompt}", flush=True)
        return GLib.SOURCE_CONTINUE

    def on_message(self, _, message):
        structure = message.get_structure()
        if message.type == Gst.MessageType.ERROR:
            if "window was closed" in message.parse_error()[0].message:
                self.stop()
            elif not self.error or message.src == self.transform:
                # The model's own words are better than those of what it stopped; they may come a little later.
                self.error = describe(message)
                GLib.timeout_add(200, self.loop.quit)
        elif message.type == Gst.MessageType.WARNING:
            print("  warning:", *message.parse_warning(), file=sys.stderr)
        elif message.type == Gst.MessageType.EOS:
            self.loop.quit()
        elif message.type == Gst.MessageType.LATENCY:
            self.pipeline.recalculate_latency()
        elif message.type == Gst.MessageType.QOS:
            self.losses += message.src.get_name() in ("chunk", "transform")
        elif message.type == Gst.MessageType.PROGRESS:
            kind, _, text = message.parse_progress()
            if kind == Gst.ProgressType.COMPLETE:
                print(" ", text, flush=True)
                self.pipeline.set_state(Gst.State.PLAYING)
                if self.seconds:
                    GLib.timeout_add(int(self.seconds * 1000), self.stop)
        elif structure and structure.get_name() == "sdv2-applied" and structure.get_string("property") == "prompt":
            self.applied.append((structure.get_string("value"), structure.get_value("stream-time")))
