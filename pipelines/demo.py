#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shows sdv2 at work on a clip, a camera or a file of yours. pipelines/demo.sh builds sdv2, says where it is, and
explains the options."""
import argparse
import glob
import itertools
import os
import sys
from pathlib import Path

from demo_clip import run_clip
from demo_run import FILE, H264, MODEL, PATIENT, PROMPTS, DemoError, GLib, Gst, GstPbutils, Run, build

HERE = Path(__file__).resolve().parent


def camera(options):
    devices = [options.device] if options.device else sorted(glob.glob("/dev/video*"))
    if not devices or not os.path.exists(devices[0]):
        raise DemoError(f"There is no camera ({options.device or '/dev/video0'}). Plug one in, name it by --device, or "
                        "watch a test pattern: --live --test-pattern")
    return f"v4l2src device={devices[0]} ! decodebin"


def begin_at_once(sink):
    """Lets a sink not wait for its first picture: what paces before it would learn of the delay only with that one, and
    show it too early."""
    def set_async(_bin, _parent, element):
        if element.find_property("async"):
            element.set_property("async", False)

    if isinstance(sink, Gst.Bin):  # chooses its element later
        sink.connect("deep-element-added", set_async)
    else:
        set_async(None, None, sink)


def run_live(options):
    width, height = options.size
    size = f"video/x-raw,width={width},height={height}"
    if options.test_pattern:
        source = f"videotestsrc is-live=true pattern=smpte horizontal-speed=2 ! {size},framerate={options.fps}/1"
    else:
        source = (f"{camera(options)} ! videoconvert ! aspectratiocrop aspect-ratio={width}/{height} ! videoscale ! "
                  f"{size},pixel-aspect-ratio=1/1")
    window = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not window:
        print("There is no display (DISPLAY, WAYLAND_DISPLAY): the pictures are made and measured, not shown.")
    prompts = options.prompt or PROMPTS
    # The delay that is promised holds from the first picture to the last. On a CPU two workers take a turn each, and the
    # first turns take longest. clocksync paces, and the meter behind it measures what is seen; a late picture is shown, not
    # dropped.
    turns = 2 if os.path.exists("/dev/nvidiactl") else 5
    promise = turns * 4 * Gst.SECOND // options.fps
    pipeline = build(
        f"{source} ! sdv2chunk name=chunk framerate={options.fps}/1 ! sdv2transform name=transform ! queue ! "
        f"videoconvert ! clocksync ! sdv2slo name=slo ! {'autovideosink' if window else 'fakesink'} name=sink sync=false",
        transform__model=options.model, transform__prompt=prompts[0], transform__processing_latency=promise)
    begin_at_once(pipeline.get_by_name("sink"))
    transform = pipeline.get_by_name("transform")
    coming = itertools.cycle(prompts[1:] + prompts[:1])

    def next_prompt():
        transform.set_property("prompt", next(coming))
        return GLib.SOURCE_CONTINUE

    if len(prompts) > 1:
        GLib.timeout_add_seconds(5, next_prompt)
    print(f"Live at {options.fps} FPS" + (f" for {options.seconds:g} s." if options.seconds else "; Ctrl-C ends it."))
    run = Run(pipeline, seconds=options.seconds)
    run.go()
    stats, taken = run.stats, run.chunk_stats
    if stats["frames"] < 2:
        raise DemoError("No pictures came. Is the camera free?")
    missing = taken["frames-in"] + taken["repeated-frames"] - stats["frames"]
    dropped = missing - taken["rate-dropped-frames"]  # a camera that is faster than --fps loses nothing that matters
    print("\nSLO summary")
    print(f"  rate     {stats['rate']:.1f} FPS end to end ({stats['frames']} frames)")
    if stats["latency-count"]:
        p50, p95, most = (stats[f"latency-{q}"] / 1e6 for q in ("p50", "p95", "max"))
        print(f"  latency  p50 {p50:.0f} ms, p95 {p95:.0f} ms, max {most:.0f} ms, "
              f"slope {stats['latency-slope']:+.2f} ms per minute")
    print(f"  frames   {dropped} dropped, {max(0, missing - run.losses)} not reported; "
          f"longest freeze {stats['longest-freeze'] / 1e6:.0f} ms")
    return 0


def run_file(options):
    path = Path(options.input).resolve()
    if not path.is_file():
        raise DemoError(f"There is no file {options.input}.")
    try:
        info = GstPbutils.Discoverer.new(20 * Gst.SECOND).discover_uri(path.as_uri())
    except GLib.Error as error:
        raise DemoError(f"{options.input} cannot be read: {error.message}") from error
    if not info.get_video_streams():
        raise DemoError(f"{options.input} has no video.")
    output = Path(options.output or Path(options.folder) / f"{path.stem}-restyled.mp4")
    if output.resolve() == path:
        raise DemoError("--output would overwrite --input.")
    output.parent.mkdir(parents=True, exist_ok=True)
    video = info.get_video_streams()[0]
    total = info.get_duration() * video.get_framerate_num() // (max(1, video.get_framerate_denom()) * Gst.SECOND)
    prompt = (options.prompt or PROMPTS)[0]
    audio = f"in. ! audio/x-raw ! {PATIENT} ! audioconvert ! audioresample ! avenc_aac bitrate=128000 ! queue ! mux."
    pipeline = build(
        f"mp4mux name=mux ! {FILE} name=output filesrc name=input ! decodebin name=in "
        "in. ! video/x-raw ! queue ! deinterlace ! videoconvert ! "
        f"sdv2chunk name=chunk leaky=none ! {MODEL} ! {H264} ! mux. "
        f"{audio if info.get_audio_streams() else ''}",
        input__location=str(path), output__location=str(output), transform__model=options.model,
        transform__prompt=prompt)
    print(f"{options.input}, as: {prompt}")
    run = Run(pipeline, total=total)
    run.go()
    print(f"\n{run.stats['frames']} frames restyled at {run.stats['rate']:.1f} FPS: {output}")
    return 130 if run.interrupted else 0


def size(text):
    width, _, height = text.partition("x")
    if not all(side.isdigit() and int(side) > 0 and int(side) % 16 == 0 for side in (width, height)):
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 256x256 (multiples of 16)")
    return int(width), int(height)


def positive(text):
    if (number := float(text)) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def parse_options():
    parser = argparse.ArgumentParser(
        prog="demo.sh", usage="demo.sh [OPTION...] (--help explains them)", add_help=False, allow_abbrev=False)
    parser.add_argument("--prompt", action="append")
    parser.add_argument("--model", default=os.environ.get("SDV2_MODEL") or str(HERE / "models" / "demo"))
    parser.add_argument("--size", type=size, default=(256, 256))
    parser.add_argument("--folder", default="demo-out")
    parser.add_argument("--seconds", type=positive, default=0)
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--test-pattern", action="store_true")
    parser.add_argument("--device")
    parser.add_argument("--fps", type=int, choices=range(1, 241), default=16, metavar="1...240")
    parser.add_argument("--input")
    parser.add_argument("--output")
    options = parser.parse_args()
    if options.live and options.input:
        parser.error("--live and --input exclude each other")
    if (options.test_pattern or options.device) and not options.live:
        parser.error("--test-pattern and --device need --live")
    if options.output and not options.input:
        parser.error("--output needs --input")
    if not options.model.startswith("random:") and not os.path.isdir(options.model):
        parser.error(f"there is no folder {options.model} with a model")
    return options


def main():
    options = parse_options()
    Gst.init(None)
    try:
        return run_live(options) if options.live else run_file(options) if options.input else run_clip(options)
    except DemoError as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
