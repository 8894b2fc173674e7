#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a model folder (dit, taehv, text_encoder .safetensors in fp16, SentencePiece tokenizer, model.json) from the averaged weights of
a checkpoint.

usage: export.py CHECKPOINT PACK OUT
"""
import json
import os
import shutil
import sys

import torch

from files import read_parts, read_safetensors, write_safetensors

FILES = {"dit": "dit.safetensors", "vae": "taehv.safetensors", "text": "text_encoder.safetensors"}


def describe(weights):
    """model.json: sizes as the weights have them, stream settings as they were trained for. weights: {part: {key: tensor}}"""
    dit, vae, text = weights["dit"], weights["vae"], weights["text"]
    rows = lambda part, key: part[key].shape[0]
    layers = lambda part: 1 + max(int(key.split(".")[1]) for key in part if key.startswith("blocks."))
    dim = rows(dit, "patch_embedding.weight")
    return {
        "format": "sdv2-model", "version": 1, "name": "sdv2 demo model",
        "dit": {"file": FILES["dit"], "dim": dim, "ffn_dim": rows(dit, "blocks.0.ffn.0.weight"), "num_heads": dim // 128,
                "num_layers": layers(dit), "freq_dim": 256, "text_dim": dit["text_embedding.0.weight"].shape[1], "text_len": 32,
                "in_dim": dit["patch_embedding.weight"].shape[1], "out_dim": rows(dit, "head.head.weight") // 4},
        "taehv": {"file": FILES["vae"], "encoder_width": rows(vae, "encoder.0.weight"),
                  "decoder_widths": [vae[f"decoder.{i}.conv.4.bias"].shape[0] for i in (3, 9, 15)] + [rows(vae, "decoder.20.weight")]},
        "text_encoder": {"file": FILES["text"], "vocab": rows(text, "token_embedding.weight"),
                         "dim": text["token_embedding.weight"].shape[1], "dim_attn": rows(text, "blocks.0.attn.q.weight"),
                         "dim_ffn": rows(text, "blocks.0.ffn.fc1.weight"),
                         "num_heads": text["blocks.0.pos_embedding.embedding.weight"].shape[1], "num_layers": layers(text)},
        "tokenizer": "spiece.model",
        # The first chunk is told 700, later ones at least 50 (schedule.py).
        "stream": {"steps": [700], "num_steps": 1, "min_timestep": 50, "noise_scale": 0.3, "shift": 8.0, "chunk_latents": 1,
                   "kv_frames": 6, "sink_frames": 3, "adaptive_sink_threshold": -1.0, "width": 256, "height": 256}}


def read_model(folder):
    """The weights of a model folder under the keys of a checkpoint; its step count is not known: 0."""
    stored = {f"ema.{part}.{key}": value for part, name in FILES.items() for key, value in read_safetensors(f"{folder}/{name}").items()}
    return {"step": torch.zeros(()), **stored}


def main():
    checkpoint, pack, out = sys.argv[1:4]
    os.makedirs(out, exist_ok=True)
    stored = read_parts(checkpoint)
    weights = {part: {k[len(f"ema.{part}."):]: v for k, v in stored.items() if k.startswith(f"ema.{part}.")} for part in FILES}
    for part, name in FILES.items():
        write_safetensors(f"{out}/{name}", weights[part])
    shutil.copy(f"{pack}/spiece.model", out)
    with open(f"{out}/model.json", "w") as file:
        json.dump(describe(weights), file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
