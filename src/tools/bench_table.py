#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs sdv2-bench over models, sizes, autoencoders and numbers of devices, and prints one table beside the published figures.

Every row is one model on so many devices, loaded once for all numbers of steps. "ideal" is what the devices would give if their
stages' times added up to nothing but themselves: 4 frames * devices / (device time of a chunk, summed over the stages of the
run on one device). A row that fails says why and the table goes on.
"""
import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

# Frames per second on H100 GPUs, by (model, size): GPUs -> for 1, 2, 3, 4 steps. StreamDiffusionV2, figures 9 and 11.
PUBLISHED = {
    ("1.3b", "480x832"): {1: (20.47, 17.97, 15.68, 13.95), 2: (39.77, 34.67, 30.69, 27.06), 3: (43.88, 43.79, 41.13, 38.09),
                          4: (44.38, 43.41, 43.08, 42.26)},
    ("1.3b", "512x512"): {1: (26.21, 24.02, 21.51, 19.43), 2: (51.76, 46.92, 41.09, 37.49), 3: (63.45, 62.76, 56.75, 54.09),
                          4: (64.52, 63.99, 62.43, 61.57)},
    ("14b", "480x832"): {1: (12.68, 8.64, 6.49, 5.28), 2: (25.39, 17.31, 13.23, 10.69), 3: (37.55, 25.02, 19.12, 15.42),
                         4: (39.24, 33.36, 25.02, 20.05)},
    ("14b", "512x512"): {1: (18.71, 13.01, 10.09, 8.26), 2: (37.12, 25.72, 20.11, 16.65), 3: (53.84, 37.47, 29.34, 24.35),
                         4: (58.28, 51.09, 38.41, 31.62)},
}
HEADER = ("model  size     vae    GPUs steps      fps  published  chunk p50   p99 ms  first frame  % of ideal  plan")


def gpu_count():
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    return sum(line.startswith("GPU ") for line in listing.splitlines())


def find_bench():
    """The benchmark of this checkout's build, or of the bundle that this file lies in."""
    built = Path(__file__).resolve().parents[2] / "build/src/tools/sdv2-bench"
    program = str(built) if built.exists() else shutil.which("sdv2-bench")
    if program is None:
        sys.exit("bench-table: there is no sdv2-bench. Build it (ninja -C build), in a bundle say ./run bench-table.sh, or name it: --bench FILE")
    return program


def numbers(text):
    return [int(part) for part in text.split(",")]


def parse():
    parser = argparse.ArgumentParser(prog="bench-table.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="1.3b,14b", help="1.3b, 14b, tiny (default %(default)s)")
    parser.add_argument("--sizes", default="480x832,512x512", help="HxW,… (default %(default)s)")
    parser.add_argument("--vae", default="wan,taehv", help="wan, taehv (default %(default)s)")
    parser.add_argument("--steps", default="1,2,3,4", help="(default %(default)s)")
    parser.add_argument("--gpus", help="numbers of devices (default: 1, 2, 3, 4 and 8, as far as there are)")
    parser.add_argument("--cpu", action="store_true", help="CPU workers instead of GPUs, to try the script")
    parser.add_argument("--chunks", type=int, default=24, help="chunks of a run (default %(default)s)")
    parser.add_argument("--limit", type=float, default=540, help="seconds; what has not begun by then is left out (default %(default)s)")
    parser.add_argument("--bench", metavar="FILE", help="the sdv2-bench to run (default: this build's or this bundle's)")
    parser.add_argument("--json", metavar="FILE", help="write the rows as JSON too")
    return parser.parse_args()


def bench(program, model, size, vae, devices, options, time_left):
    command = [program, "--model", f"random:{model}", "--size", size, "--vae", vae, "--devices", ",".join(devices), "--steps", options.steps,
                 "--chunks", str(options.chunks), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=max(1, time_left))
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return json.loads(done.stdout)


def device_ms(run, chunks):
    """Milliseconds of device time that one chunk takes, over all stages."""
    return sum(stage["p50_ms"] * stage["count"] for stage in run["stages"] if stage["device"] != "host") / chunks


def rows_of(report, model, size, vae, gpus, chunks, alone):
    for run in report["runs"]:
        if gpus == 1:
            alone[(model, size, vae, run["steps"])] = device_ms(run, chunks)
        work = alone.get((model, size, vae, run["steps"])) or device_ms(run, chunks)
        chunk = next(stage for stage in run["stages"] if stage["name"] == "chunk")
        published = PUBLISHED.get((model, size), {}).get(gpus)
        yield dict(model=model, size=size, vae=vae, gpus=gpus, steps=run["steps"], fps=run["fps"],
                   published=published[run["steps"] - 1] if published and vae == "wan" else None, chunk_p50_ms=chunk["p50_ms"],
                   chunk_p99_ms=chunk["p99_ms"], first_frame_ms=run["first_frame_ms"],
                   percent_of_ideal=100 * run["fps"] / (4000 * gpus / work), plan=run["plan"])


def show(row):
    published = f"{row['published']:9.2f}" if row["published"] else "        -"
    print(f"{row['model']:6s} {row['size']:8s} {row['vae']:6s} {row['gpus']:4d} {row['steps']:5d} {row['fps']:8.2f}  {published}  "
          f"{row['chunk_p50_ms']:9.1f} {row['chunk_p99_ms']:8.1f} {row['first_frame_ms']:9.1f} ms {row['percent_of_ideal']:10.1f}  "
          f"{row['plan']}", flush=True)


def main():
    options = parse()
    program = options.bench or find_bench()
    available = 8 if options.cpu else gpu_count()
    if available == 0:
        sys.exit("bench-table: there is no GPU here (nvidia-smi lists none); --cpu tries the script on CPU workers")
    counts = numbers(options.gpus) if options.gpus else [n for n in (1, 2, 3, 4, 8) if n <= available]
    if min(counts) < 1 or max(counts) > available:
        sys.exit(f"bench-table: --gpus {options.gpus}: there are {available} here")
    begin, rows, failed, left_out = time.monotonic(), [], 0, []
    alone = {}  # device time of a chunk on one device
    print(HEADER, flush=True)
    for model in options.models.split(","):
        for vae in options.vae.split(","):
            for size in options.sizes.split(","):
                for gpus in counts:
                    name = f"{model} {size} {vae} on {gpus}"
                    time_left = options.limit - (time.monotonic() - begin)
                    if time_left <= 0:
                        left_out.append(name)
                        continue
                    devices = ["cpu"] * gpus if options.cpu else [f"cuda:{i}" for i in range(gpus)]
                    try:
                        report = bench(program, model, size, vae, devices, options, time_left)
                    except subprocess.TimeoutExpired:
                        left_out.append(name)
                        continue
                    except (RuntimeError, ValueError) as error:
                        failed += 1
                        print(f"{name}: {error}", flush=True)
                        continue
                    for row in rows_of(report, model, size, vae, gpus, options.chunks, alone):
                        rows.append(row)
                        show(row)
    if left_out:
        print(f"not run within {options.limit:g} s: {'; '.join(left_out)}")
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    return 1 if failed or left_out else 0


if __name__ == "__main__":
    sys.exit(main())
