#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains the demo model: autoencoder, then DiT and text encoder. Resumable.

usage: train.py PACK OUT [--resume FOLDER] [--smoke] [name=value ...]
PACK is the folder of prepare_data.py, or "synthetic" (with --smoke: a test on random pictures). OUT receives log.jsonl, checkpoint
parts (part_N.safetensors: weights and their average, fp16) about once a minute, and sample sheets. --resume continues from such
parts, or from a model folder: the autoencoder is taken over (when the parts hold no DiT training, step 0, the DiT starts fresh) and the DiT goes on with a short warm-up of the rate. Numbers of CONFIG can be set by name.
"""
import json
import os
import sys
import time

import numpy as np
import torch

import styles
from causal_dit import CausalDiT
from clips import ClipSource
from evaluate import evaluate
from export import read_model
from files import read_parts, write_parts
from taehv import DECODER_WIDTHS, ENCODER_WIDTH, TAEHV
from train_autoencoder import train_autoencoder
from train_dit import DitTrainer, make_cache
from umt5 import UMT5

CONFIG = dict(
    seed=0, size=256, ae_seconds=150.0, ae_steps=100000, ae_clips=700, ae_batch=16, ae_crop=128,
    cache_clips=640, cache_seconds=60.0, dit_seconds=270.0, dit_steps=100000, batch=12, rate=1e-3, rate_end=0.002,
    warm_up=200, decay_from=0.3, pixel_weight=3.0, compile=1, capture=1, evaluate=1, noise_scale=0.3,
    dim=256, ffn=1024, layers=8, encoder=ENCODER_WIDTH, decoder=1.0)  # decoder: factor on DECODER_WIDTHS
SMOKE = dict(size=32, ae_seconds=60.0, ae_steps=3, ae_clips=3, ae_batch=2, ae_crop=16, cache_clips=2, dit_seconds=60.0, dit_steps=3,
             batch=6, warm_up=2, compile=0, evaluate=0, dim=128, ffn=128, layers=1, encoder=8, decoder=0.25)


def load_bank(pack, device):
    """Token ids [styles,prompts,L], lengths [styles,prompts], vocabulary size."""
    if pack == "synthetic":
        ids = torch.arange(len(styles.NAMES) * 8 * 32).view(len(styles.NAMES), 8, 32) % 796 + 4
        return ids.to(device), torch.full(ids.shape[:2], 9, device=device), 800
    file = np.load(f"{pack}/text.npz")
    stack = lambda kind: torch.from_numpy(np.stack([file[f"{kind}_{n}"] for n in styles.NAMES])).long().to(device)
    return stack("ids"), stack("len"), int(file["vocab"])


def make_networks(config, vocab, device):
    """DiT, text encoder, autoencoder."""
    widths = [int(w * config["decoder"]) for w in DECODER_WIDTHS]
    return (CausalDiT(config["dim"], config["ffn"], config["layers"]).to(device), UMT5(vocab).to(device),
            TAEHV(config["encoder"], widths).to(device))


class Checkpoint:
    """Networks under their key prefixes; the average (EMA) of each beside the live weights."""

    def __init__(self, out, networks):
        self.out, self.networks = out, networks  # {"vae": TAEHV, "dit": ..., "text": ...}

    def save(self, step, optimizer=None):
        average = {}
        if optimizer is not None:
            average = {id(p): a for p, a in zip(optimizer.params, optimizer.average())}
        live, ema = {}, {}
        for prefix, network in self.networks.items():
            for key, p in network.named_parameters():
                live[f"live.{prefix}.{key}"] = p
                ema[f"ema.{prefix}.{key}"] = average.get(id(p), p)
        if optimizer is None:
            live = {}
        write_parts(self.out, {"step": torch.tensor(step / 1000.0), **ema, **live})

    def load(self, folder, which):
        stored = read_model(folder) if os.path.exists(f"{folder}/model.json") else read_parts(folder)
        for prefix, network in self.networks.items():
            names = {k: stored.get(f"{which}.{prefix}.{k}", stored.get(f"ema.{prefix}.{k}")) for k, _ in network.named_parameters()}
            network.load_state_dict(names)
        return round(stored["step"].item() * 1000)


def main():
    args = sys.argv[1:]
    config = dict(CONFIG)
    if "--smoke" in args:
        config.update(SMOKE)
    resume = args[args.index("--resume") + 1] if "--resume" in args else None
    for arg in args[2:]:
        if "=" in arg:
            name, value = arg.split("=")
            config[name] = type(CONFIG[name])(float(value))
    pack, out = args[0], args[1]
    os.makedirs(out, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(config["seed"])
    torch.backends.cudnn.benchmark = True
    begin, log_file = time.time(), open(f"{out}/log.jsonl", "a")

    def log(**entry):
        line = json.dumps({"time": round(time.time() - begin, 1), **entry})
        print(line, flush=True)
        log_file.write(line + "\n")
        log_file.flush()

    log(config=config, torch=torch.__version__, device=torch.cuda.get_device_name() if device == "cuda" else "cpu")
    source = ClipSource(pack, device, seed=config["seed"] + (1 if resume else 0))
    ids, lengths, vocab = load_bank(pack, device)
    dit, text, net = make_networks(config, vocab, device)
    step = 0
    if resume:
        checkpoint = Checkpoint(out, dict(vae=net, dit=dit, text=text))
        step = checkpoint.load(resume, "live")
        averages = make_networks(config, vocab, device)
        Checkpoint(out, dict(zip(("dit", "text", "vae"), averages))).load(resume, "ema")
    else:
        train_autoencoder(config, net, source, device, log)
        checkpoint = Checkpoint(out, dict(vae=net, dit=dit, text=text))
        checkpoint.save(0)
    if device == "cuda":
        torch.cuda.empty_cache()
    for p in net.encoder.parameters():
        p.requires_grad_(False)
    cache = make_cache(net, source, config["cache_clips"], config["size"], device, config["cache_seconds"])
    trainer = DitTrainer(config, net, dit, text, (ids, lengths), cache, device)
    if resume:
        named = {id(p): a for pair in ((dit, averages[0]), (text, averages[1]), (net, averages[2]))
                 for p, a in zip(pair[0].parameters(), pair[1].parameters())}
        trainer.optimizer.reset_average([named[id(p)] for p in trainer.optimizer.params])
    step = trainer.train(log, lambda count: checkpoint.save(count, trainer.optimizer), step)
    checkpoint.save(step, trainer.optimizer)
    log(phase="dit", steps=step)
    if config["evaluate"]:
        with torch.no_grad():
            for p, average in zip(trainer.optimizer.params, trainer.optimizer.average()):
                p.data = average.clone()
        evaluate(net, dit, text, (ids, lengths), f"{pack}/eval.npz", out, device, log, config["noise_scale"])
    log(done=True)


if __name__ == "__main__":
    main()
