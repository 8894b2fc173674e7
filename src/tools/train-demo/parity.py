#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proves that the trainer's networks are the engine's, through golden cases with formula weights.

usage: parity.py check CASE...   runs the trainer's networks on existing cases (kinds dit_causal, taehv_encode, taehv_decode, umt5)
       parity.py write OUT       writes cases of the demo model's sizes from the trainer's networks, for sdv2-parity
Format and formulas: the golden data's README. TAEHV sizes stand in config.encoder_width and config.decoder_widths.
"""
import json
import os
import sys

import numpy as np
import torch

import causal_dit
from files import read_safetensors, write_safetensors
from schedule import sigma_of
from taehv import DECODER_WIDTHS, ENCODER_WIDTH, TAEHV
from umt5 import UMT5

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
NORMS = ("norm_q.weight", "norm_k.weight", "norm1.weight", "norm2.weight", "norm3.weight", ".norm.weight", ".gamma")


def uniform(name, seed, count):
    """The README's r in [-1, 1), float64 array of `count`."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 % 2 ** 64
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.uint64(seed) * GOLDEN + np.arange(count, dtype=np.uint64) + GOLDEN
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return 2.0 * ((z >> np.uint64(40)).astype(np.float64) / 2 ** 24) - 1.0


def formula_weight(key, shape, seed):
    r = uniform(key, seed, int(np.prod(shape)))
    if key.endswith(NORMS) or key == "norm.weight":
        value = 1 + 0.1 * r
    elif key.endswith("modulation"):
        value = 0.3 * r
    elif len(shape) == 1:
        value = 0.1 * r
    elif key.endswith(("pos_embedding.embedding.weight", "token_embedding.weight")):
        value = r
    else:
        value = r * np.sqrt(3.0 / np.prod(shape[1:]))
    return torch.from_numpy(value.astype(np.float32)).view(tuple(shape))


def formula_network(network, seed, dtype):
    network.load_state_dict({k: formula_weight(k, v.shape, seed) for k, v in network.state_dict().items()})
    return network.to(dtype).eval()


def make_input(case, name, dtype):
    entry = next(i for i in case["inputs"] if i["name"] == name)
    if entry["rule"] == "gauss":
        count = int(np.prod(entry["shape"]))
        r = [uniform(f"{name}/{i}", case["seed"], count).astype(np.float32) for i in range(4)]
        value = (((r[0] + r[1]) + r[2]) + r[3]) * np.float32(np.sqrt(3) / 2)
        return torch.from_numpy(value).view(entry["shape"]).to(dtype)
    _, _, t, h, w = entry["shape"]
    tri = lambda k: np.abs(np.mod(k, 64) - 32) / 16 - 1
    c, o, y, x = np.meshgrid(np.arange(3), np.array(entry["offsets"]), np.arange(h), np.arange(w), indexing="ij")
    value = 0.5 * tri(3 * x + 2 * y + o + 21 * c) + 0.5 * tri(x - 2 * y - 2 * o + 13 * c + 7 * entry["seed"])
    return torch.from_numpy(entry["amp"] * value)[None].to(dtype)  # [1,3,T,H,W]


def taehv_of(case, dtype):
    c = case["config"]
    return formula_network(TAEHV(c.get("encoder_width", 64), c.get("decoder_widths", [256, 128, 64, 64])), case["seed"], dtype)


def run_taehv_encode(case, dtype):
    x = (make_input(case, "frames", dtype) * 0.5 + 0.5).transpose(1, 2)
    return {"latent": taehv_of(case, dtype).encode(x)[0]}


def run_taehv_decode(case, dtype):
    net, frames, state = taehv_of(case, dtype), [], None
    for z in make_input(case, "latent", dtype).split(1, dim=1):
        y, state = net.decode(z, state)
        frames.append(y)
    return {"frames": torch.cat(frames, 1)[:, 3:]}


def run_umt5(case, dtype):
    c = case["config"]
    net = UMT5(c["vocab"], c["dim"], c["num_heads"], c["dim_attn"] // c["num_heads"], c["dim_ffn"], c["num_layers"])
    net = formula_network(net, case["seed"], dtype)
    ids, lengths = torch.tensor(case["ids"]), torch.tensor(case["lengths"])
    mask, out = torch.arange(ids.shape[1])[None] < lengths[:, None], {}
    handle = net.blocks[0].register_forward_hook(lambda m, i, o: out.update({"block.0": o * mask[..., None]}))
    out["context"] = net(ids, mask)
    handle.remove()
    return out


def run_dit_causal(case, dtype):
    c = case["config"]
    net = causal_dit.CausalDiT(c["dim"], c["ffn_dim"], c["num_layers"], c["text_dim"], c["text_len"])
    net = formula_network(net, case["seed"], dtype)
    prompt = make_input(case, "prompt_embeds", dtype)
    prompt[:, c["prompt_rows"]:] = 0
    cross, ring, out = net.cross_cache(prompt), net.new_stream(c["tokens_per_frame"]), {}
    for call in case["calls"]:
        x, t = make_input(case, call["latent"], dtype)[0], call["timestep"][0]
        slot = case["trace"][call["call"]]["all_blocks"]["slots_written"][0][0]
        flow = net.stream_step(ring, x, t, call["start_frame"][0], cross, slot)
        out[f"call.{call['call']}.flow"] = flow[None]
        out[f"call.{call['call']}.x0"] = (x - sigma_of(float(t)).double() * flow.double()).to(dtype)[None]
    out["final.block.0.kcache"], out["final.block.0.vcache"] = ring["k"][0], ring["v"][0]
    return out


RUNNERS = {"taehv_encode": run_taehv_encode, "taehv_decode": run_taehv_decode, "umt5": run_umt5, "dit_causal": run_dit_causal}


def distance(got, want):
    d = got.double() - want.double()
    return d.abs().max().item(), (d.norm() / want.double().norm()).item()


def rows_that_count(case, value):
    """Of umt5 outputs the rows of real tokens; else everything."""
    if case["kind"] != "umt5":
        return value
    return torch.cat([value[i, :n] for i, n in enumerate(case["lengths"])])


def check(folders):
    failed = 0
    for folder in folders:
        case = json.load(open(f"{folder}/case.json"))
        expected = read_safetensors(f"{folder}/expected.safetensors")
        for name, value in RUNNERS[case["kind"]](case, torch.float32).items():
            most, relative = distance(rows_that_count(case, value), rows_that_count(case, expected[name]))
            ok = most <= case["tolerance"]["max_abs"] and relative <= case["tolerance"]["rel_l2"]
            failed += not ok
            print(f"{case['case']} {name}: max_abs {most:.3g} rel_l2 {relative:.3g} {'ok' if ok else 'FAILED'}")
    return failed


def demo_cases():
    gauss = lambda name, *shape: {"name": name, "shape": list(shape), "rule": "gauss"}
    offsets = [0, 3, 6, 6, 9, 12, 12, 15]
    widths = {"encoder_width": ENCODER_WIDTH, "decoder_widths": list(DECODER_WIDTHS)}
    yield {"case": "demo_taehv_encode_fp32", "kind": "taehv_encode", "profile": "f32", "seed": 903,
           "config": {"pixel_hw": [32, 48], "frames": 8, **widths},
           "inputs": [{"name": "frames", "rule": "frames", "shape": [1, 3, 8, 32, 48], "seed": 903, "amp": 1.0, "offsets": offsets}],
           "input_map": "x = frames * 0.5 + 0.5, layout [1,T,3,H,W]"}
    yield {"case": "demo_taehv_decode_fp32", "kind": "taehv_decode", "profile": "f32", "seed": 901,
           "config": {"latent_hw": [4, 6], "latents": 3, "frames_out": 9, **widths}, "inputs": [gauss("latent", 1, 3, 16, 4, 6)]}
    ids = [[5 + 7 * i % 790 for i in range(11)] + [1], [9, 1]]
    yield {"case": "demo_umt5_fp32", "kind": "umt5", "profile": "f32", "seed": 905,
           "config": {"vocab": 800, "dim": 128, "dim_attn": 128, "dim_ffn": 320, "num_heads": 2, "num_layers": 2, "num_buckets": 32,
                      "max_distance": 128, "eps": 1e-6},
           "ids": [row + [0] * (32 - len(row)) for row in ids], "lengths": [len(row) for row in ids], "inputs": []}
    ring = [[4], [4], [4, 5], [4, 5, 6], [4, 5, 6], [5, 6, 4]]  # slot ends in frames, as the reference keeps them
    slots = [[0, 1], [2], [3], [4], [5], [3]]
    calls = [{"call": i, "latent": f"latent.{i}", "rows": 1, "frames": len(slots[i]), "timestep": [700 if i == 0 else 150 + 40 * i],
              "start_frame": [0 if i == 0 else i + 1]} for i in range(6)]
    trace = [{"start_frame": call["start_frame"], "all_blocks": {
        "slots_written": [slots[i]], "lend": [min(6, i + 2)], "gend": [i + 2], "cur": 1, "ring": [ring[i]]}}
        for i, call in enumerate(calls)]
    yield {"case": "demo_dit_causal_fp32", "kind": "dit_causal", "profile": "float32 everywhere", "seed": 907,
           "config": {"dim": 256, "num_heads": 2, "ffn_dim": 1024, "num_layers": 8, "freq_dim": 256, "text_dim": 128, "text_len": 32,
                      "in_dim": 16, "out_dim": 16, "patch_size": [1, 2, 2], "eps": 1e-6, "prompt_rows": 9, "latent_hw": [4, 6],
                      "tokens_per_frame": 6, "num_kv_cache": 6, "num_sink": 3, "adapt_sink_threshold": -1, "denoising_steps": [700]},
           "inputs": [gauss("prompt_embeds", 1, 32, 128)] + [gauss(f"latent.{i}", 1, len(slots[i]), 16, 4, 6) for i in range(6)],
           "prompt_embeds": "rows >= prompt_rows are set to zero after generation", "calls": calls, "trace": trace}


def write(out):
    """Tolerance: 20 times the distance between float32 and float64, at least 2e-6 relative, as in the golden data."""
    for case in demo_cases():
        single, double = (RUNNERS[case["kind"]](case, t) for t in (torch.float32, torch.float64))
        both = [distance(rows_that_count(case, single[n]), rows_that_count(case, double[n])) for n in single]
        scale = max(v.abs().max().item() for v in single.values())
        most, relative = max(b[0] for b in both), max(b[1] for b in both)
        measured = {"max_abs": most, "rel_l2": relative}
        case["measured"] = {**measured, "against": "float64", "all_tensors": measured, "flow_and_x0": measured}
        case["tolerance"] = {"max_abs": 20 * max(most, 1e-7 * scale), "rel_l2": 20 * max(relative, 1e-7)}
        case["outputs"] = [{"name": n, "shape": list(v.shape), "dtype": "float32"} for n, v in single.items()]
        folder = f"{out}/{case['case']}"
        os.makedirs(folder, exist_ok=True)
        json.dump(case, open(f"{folder}/case.json", "w"), indent=1)
        write_safetensors(f"{folder}/expected.safetensors", single, torch.float32)
        print(folder, {k: f"{v:.3g}" for k, v in case["tolerance"].items()})


if __name__ == "__main__":
    with torch.no_grad():
        if sys.argv[1] == "check":
            sys.exit(check(sys.argv[2:]) != 0)
        write(sys.argv[2])
