# SPDX-License-Identifier: LGPL-2.1-or-later
"""The demo's main part: the bundled clip, once per prompt, in one stream, written to files and a contact sheet."""
import json
from pathlib import Path

from demo_run import FILE, H264, MODEL, PATIENT, PROMPTS, DemoError, Gst, Run, build

CLIP = Path(__file__).resolve().parent / "media" / "walk.mkv"


def decode(path, width, height, seconds):
    """The pictures of a clip, cut to the shape of width x height: (caps, bytes of each)."""
    pipeline = build(f"filesrc name=file ! decodebin ! videoconvert ! aspectratiocrop aspect-ratio={width}/{height} ! "
                     f"videoscale ! videoconvert ! video/x-raw,format=I420,width={width},height={height},"
                     "pixel-aspect-ratio=1/1 ! appsink name=pictures sync=false", file__location=str(path))
    sink = pipeline.get_by_name("pictures")
    pipeline.set_state(Gst.State.PLAYING)
    caps, pictures = None, []
    while sample := sink.pull_sample():
        buffer = sample.get_buffer()
        if seconds and buffer.pts >= seconds * Gst.SECOND:
            break
        caps = sample.get_caps()
        pictures.append(buffer.extract_dup(0, buffer.get_size()))
    error = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if not pictures:
        raise DemoError(f"{path} cannot be played: {error.parse_error()[0].message if error else 'no pictures'}")
    return caps, pictures


class ClipStream:
    """What goes in: the clip forwards and backwards by turns, so that nothing jumps, with a prompt for each turn."""

    def __init__(self, source, caps, clip, prompts):
        self.clip, self.prompts = clip, prompts
        self.total = len(clip) * len(prompts)
        self.rate = caps.get_structure(0).get_fraction("framerate")[1:]
        self.pushed = 0
        source.set_property("caps", caps)
        source.connect("need-data", self.push)

    def turn(self, time):
        """Number of the prompt at a time of the stream."""
        frame = Gst.util_uint64_scale_round(time, self.rate[0], self.rate[1] * Gst.SECOND)
        return min(frame // len(self.clip), len(self.prompts) - 1)

    def time(self, frame):
        return Gst.util_uint64_scale(frame, self.rate[1] * Gst.SECOND, self.rate[0])

    def frame(self, turn, position):
        """Number of the frame in which the picture `position` of the clip comes in a turn."""
        return turn * len(self.clip) + (position if turn % 2 == 0 else len(self.clip) - 1 - position)

    def push(self, source, _):
        if self.pushed == self.total:
            source.end_of_stream()
            return
        turn, position = divmod(self.pushed, len(self.clip))
        if position == 0:
            # Travels with the pictures: it holds from the chunk of the next one.
            control = Gst.Structure.new_empty("sdv2-control")
            control.set_value("prompt", self.prompts[turn])
            source.send_event(Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM, control))
        picture = Gst.Buffer.new_wrapped(self.clip[self.frame(turn, position) - turn * len(self.clip)])
        picture.pts = self.time(self.pushed)
        picture.duration = self.time(self.pushed + 1) - picture.pts
        self.pushed += 1
        source.push_buffer(picture)


class ContactSheet:
    """Gathers pairs (input | output) and writes the sheet: a row for the input, then one for each prompt."""

    SIZE, GAP, BAND, COLUMNS = 192, 6, 30, 6

    def __init__(self, sink, stream):
        self.stream = stream
        # A new prompt needs some chunks to be seen, in a turn backwards at the other end of the clip.
        settle = len(stream.clip) // 5
        last = len(stream.clip) - 1 - settle
        positions = [settle + (last - settle) * i // (self.COLUMNS - 1) for i in range(self.COLUMNS)]
        self.wanted = {stream.time(stream.frame(turn, position)): (turn, column)
                       for turn in range(len(stream.prompts)) for column, position in enumerate(positions)}
        self.tiles = {}  # (row, column): RGB rows
        sink.connect("new-sample", self.take)

    def take(self, sink):
        buffer = sink.pull_sample().get_buffer()
        place = self.wanted.get(buffer.pts)
        if place:
            turn, column = place
            line = 3 * self.SIZE
            pixels = buffer.extract_dup(0, buffer.get_size())
            rows = [pixels[i:i + 2 * line] for i in range(0, len(pixels), 2 * line)]
            self.tiles[0, column] = [row[:line] for row in rows]
            self.tiles[turn + 1, column] = [row[line:] for row in rows]
        return Gst.FlowReturn.OK

    def write(self, path):
        labels = ["input"] + self.stream.prompts
        step = self.SIZE + self.GAP
        width = self.COLUMNS * step + self.GAP + (self.COLUMNS * step + self.GAP) % 4
        gap, white = b"\xff" * (3 * self.GAP), b"\xff" * (3 * width)
        empty = [b"\xdd" * (3 * self.SIZE)] * self.SIZE
        lines = []
        for row in range(len(labels)):
            lines += [white] * self.BAND
            tiles = [self.tiles.get((row, column), empty) for column in range(self.COLUMNS)]
            lines += [gap.join([b"", *parts, b""]).ljust(3 * width, b"\xff") for parts in zip(*tiles)]
        lines += [white] * self.GAP
        texts = " ! ".join(
            f"textoverlay name=label{i} halignment=left valignment=top xpad={self.GAP} "
            f"ypad={i * (self.SIZE + self.BAND) + 4} color=0xff202020 draw-shadow=false draw-outline=false "
            'font-desc="Sans 16px" auto-resize=false' for i in range(len(labels)))
        pipeline = build(f"appsrc name=sheet format=time caps=video/x-raw,format=RGB,width={width},height={len(lines)},"
                         f"framerate=1/1 ! videoconvert ! {texts} ! videoconvert ! video/x-raw,format=RGB ! "
                         "pngenc compression-level=9 ! filesink name=file", file__location=str(path),
                         **{f"label{i}__text": text for i, text in enumerate(labels)})
        source = pipeline.get_by_name("sheet")
        pipeline.set_state(Gst.State.PLAYING)
        buffer = Gst.Buffer.new_wrapped(b"".join(lines))
        buffer.pts = 0
        source.push_buffer(buffer)
        source.end_of_stream()
        message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        pipeline.set_state(Gst.State.NULL)
        if not message or message.type == Gst.MessageType.ERROR:
            raise DemoError(f"{path} cannot be written: {message.parse_error()[0].message if message else 'no answer'}")


def run_clip(options):
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    width, height = options.size
    prompts = options.prompt or PROMPTS
    caps, clip = decode(CLIP, width, height, options.seconds)
    tile = ContactSheet.SIZE
    pipeline = build(
        f"appsrc name=source format=time ! tee name=in ! {PATIENT} ! compositor name=sides sink_1::xpos={width} ! "
        f"video/x-raw,width={2 * width},height={height} ! tee name=both "
        f"in. ! sdv2chunk name=chunk leaky=none ! {MODEL} ! tee name=out ! {H264} ! mp4mux ! {FILE} name=restyled "
        "out. ! queue ! sides. "
        f"both. ! queue ! textoverlay name=label halignment=right ! {H264} ! mp4mux ! {FILE} name=beside "
        f"both. ! queue ! videoscale ! videoconvert ! video/x-raw,format=RGB,width={2 * tile},height={tile},"
        "pixel-aspect-ratio=1/1 ! appsink name=sheet sync=false async=false emit-signals=true",
        transform__model=options.model, label__font_desc=f"Sans {height // 18}px", label__auto_resize=False,
        restyled__location=str(folder / "restyled.mp4"), beside__location=str(folder / "side-by-side.mp4"))
    stream = ClipStream(pipeline.get_by_name("source"), caps, clip, prompts)
    sheet = ContactSheet(pipeline.get_by_name("sheet"), stream)
    label = pipeline.get_by_name("label")

    def name_prompt(_, info):
        label.set_property("text", prompts[stream.turn(info.get_buffer().pts)])
        return Gst.PadProbeReturn.OK

    label.get_static_pad("video_sink").add_probe(Gst.PadProbeType.BUFFER, name_prompt)
    print(f"A clip of {len(clip)} frames, once for each of {len(prompts)} prompts that change while the stream runs:")
    run = Run(pipeline, total=stream.total)
    run.go()
    sheet.write(folder / "contact-sheet.png")
    # A file is read as fast as the model goes: times against the clock would say nothing.
    report = {key: value for key, value in run.stats.items()
              if not key.startswith(("latency", "window-latency", "mark", "window-mark", "jitter", "late", "early"))}
    report["prompts"] = [{"prompt": prompt, "from-stream-time": time} for prompt, time in run.applied]
    (folder / "slo.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")

    print(f"\n{run.stats['frames']} frames restyled at {run.stats['rate']:.1f} FPS, "
          f"{run.stats['dropped-frames']} dropped.")
    for name, what in (("contact-sheet.png", "the styles at a glance: look here first"),
                       ("side-by-side.mp4", "input and output in step"), ("restyled.mp4", "the output"),
                       ("slo.json", "the measurements")):
        print(f"  {folder / name}: {what}")
    return 130 if run.interrupted else 0
