# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clips as arrays, and streams through sdv2transform with the real engine."""
import sys

import numpy as np

# The Python of .deps/ is the system's, but has not the system's packages; these bindings are among them.
sys.path.append("/usr/lib/python3/dist-packages")
import gi  # noqa: E402

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402, F401 (GstApp gives appsrc and appsink their methods)

Gst.init(None)
SIZE = 256
LINGER = 60  # seconds that the model stays loaded for the next stream
RATE = 20  # frames per second; nothing here waits for a clock
CAPS = f"video/x-raw,format=RGB,width={SIZE},height={SIZE},framerate={RATE}/1,colorimetry=sRGB"


class Failed(Exception):
    """An element's error."""


def pictures_of(sink, pipeline):
    """The pictures [256,256,3] uint8 that reach an appsink, to the end of the stream."""
    while True:
        sample = sink.emit("pull-sample")
        if sample is None:
            message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
            if message:
                raise Failed(": ".join(str(part) for part in message.parse_error()))
            return
        buffer = sample.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        yield np.frombuffer(data, np.uint8).reshape(SIZE, SIZE, 3)


def read_clip(path, frames):
    """The first frames of a file, the middle square scaled to 256x256: [T,256,256,3] uint8."""
    pipeline = Gst.parse_launch(
        "filesrc name=file ! decodebin ! videoconvert ! aspectratiocrop aspect-ratio=1/1 ! videoscale method=lanczos ! "
        f"videoconvert ! video/x-raw,format=RGB,width={SIZE},height={SIZE} ! appsink name=sink sync=false max-buffers=4")
    pipeline.get_by_name("file").set_property("location", str(path))
    pipeline.set_state(Gst.State.PLAYING)
    clip = []
    for picture in pictures_of(pipeline.get_by_name("sink"), pipeline):
        clip.append(picture)
        if len(clip) == frames:
            break
    pipeline.set_state(Gst.State.NULL)
    return np.stack(clip)


def restyle(model, pictures, prompt, noise_scale=None, seed=0, switch=None):
    """What sdv2transform makes of pictures (an iterable of [256,256,3] uint8), one by one.

    switch: (frame, prompt), another prompt from that frame's chunk on.
    """
    pipeline = Gst.parse_launch(
        "appsrc name=source format=time max-buffers=8 max-bytes=0 block=true ! sdv2transform name=transform ! "
        f"{CAPS} ! appsink name=sink sync=false max-buffers=8")
    source, transform = pipeline.get_by_name("source"), pipeline.get_by_name("transform")
    source.set_property("caps", Gst.Caps.from_string(CAPS))
    transform.set_property("model", model)
    transform.set_property("prompt", prompt)
    transform.set_property("seed", seed)
    transform.set_property("linger", LINGER)
    if noise_scale is not None:
        transform.set_property("noise-scale", noise_scale)

    pictures, pushed = iter(pictures), 0

    def push(*_):
        nonlocal pushed
        picture = next(pictures, None)
        if picture is None:
            source.end_of_stream()
            return
        if switch and pushed == switch[0]:
            control = Gst.Structure.new_empty("sdv2-control")
            control.set_value("prompt", switch[1])
            source.send_event(Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM, control))
        buffer = Gst.Buffer.new_wrapped(np.ascontiguousarray(picture).tobytes())
        buffer.pts, buffer.duration = pushed * Gst.SECOND // RATE, Gst.SECOND // RATE
        pushed += 1
        source.push_buffer(buffer)

    source.connect("need-data", push)
    pipeline.set_state(Gst.State.PLAYING)
    try:
        yield from pictures_of(pipeline.get_by_name("sink"), pipeline)
    finally:
        pipeline.set_state(Gst.State.NULL)
