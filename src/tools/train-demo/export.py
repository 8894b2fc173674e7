#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a model folder (dit, vae, text .safetensors in fp16, tokenizer, model.json) from the averaged weights of a checkpoint.

usage: export.py CHECKPOINT PACK OUT
"""
import json
import os
import shutil
import sys

from files import read_parts, write_safetensors

# The settings that the model was trained for.
MODEL = {
    "format": 1, "name": "sdv2 demo model",
    "dit": {"file": "dit.safetensors", "dim": 256, "ffn_dim": 1024, "num_heads": 2, "num_layers": 8, "freq_dim": 256, "text_dim": 128,
            "text_len": 32, "in_dim": 16, "out_dim": 16},
    "vae": {"kind": "taehv", "file": "vae.safetensors"},
    "text": {"file": "text.safetensors", "tokenizer": "spiece.model", "vocab": 800, "dim": 128, "dim_attn": 128, "dim_ffn": 320,
             "num_heads": 2, "num_layers": 2, "num_buckets": 32, "max_distance": 128},
    "defaults": {"width": 256, "height": 256, "noise_scale": 0.3, "steps": 1, "num_kv_cache": 6, "num_sink": 3,
                 "adapt_sink_threshold": -1, "min_timestep": 50}}


def main():
    checkpoint, pack, out = sys.argv[1:4]
    os.makedirs(out, exist_ok=True)
    stored = read_parts(checkpoint)
    for part in ("dit", "vae", "text"):
        prefix = f"ema.{part}."
        write_safetensors(f"{out}/{part}.safetensors", {k[len(prefix):]: v for k, v in stored.items() if k.startswith(prefix)})
    shutil.copy(f"{pack}/spiece.model", out)
    with open(f"{out}/model.json", "w") as file:
        json.dump(MODEL, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
