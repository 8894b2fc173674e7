# SPDX-License-Identifier: LGPL-2.1-or-later
"""A few steps of the demo model's trainer on random pictures, tiny networks, CPU: trains, saves, resumes, and its parallel training
form of the DiT equals the streaming ring. usage: train_demo_smoke.py TRAINER_FOLDER"""
import json
import os
import subprocess
import sys
import tempfile

import torch

trainer = sys.argv[1]
sys.path.insert(0, trainer)
torch.set_num_threads(1)


def run(*options):
    env = {**os.environ, "OMP_NUM_THREADS": "1"}  # these sizes gain nothing from threads
    subprocess.run([sys.executable, f"{trainer}/train.py", "synthetic", *options, "--smoke"], check=True, timeout=300, env=env,
                   stdout=subprocess.DEVNULL)


def losses(folder, phase):
    entries = [json.loads(line) for line in open(f"{folder}/log.jsonl")]
    return [e for e in entries if e.get("phase") == phase]


def test_trains_and_resumes():
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        run(first)
        assert losses(first, "autoencoder")[-1]["steps"] == 3
        steps = losses(first, "dit")
        assert steps[-1]["steps"] == 3 and all(e["error"] == e["error"] for e in steps[:-1])  # no NaN
        run(second, "--resume", first)
        assert losses(second, "dit")[-1]["steps"] == 6
        from files import read_parts
        before, after = read_parts(first), read_parts(second)
        assert before.keys() == after.keys()
        frozen = [k for k in before if k.startswith("live.vae.encoder")]
        assert frozen and all(torch.equal(before[k], after[k]) for k in frozen)
        assert not torch.equal(before["live.dit.head.head.weight"], after["live.dit.head.head.weight"])


@torch.no_grad()
def test_parallel_form_equals_the_ring():
    from causal_dit import CausalDiT
    torch.manual_seed(0)
    dit = CausalDiT(dim=128, ffn=128, layers=2, text_dim=16, text_len=4)
    torch.nn.init.normal_(dit.head.head.weight, std=0.1)
    torch.nn.init.normal_(dit.time_projection[1].weight, std=0.1)
    x, context = torch.randn(1, 9, 16, 4, 6), torch.randn(1, 4, 16)
    whole = dit(x, torch.full((1, 9), 300.0), context.expand(9, -1, -1), torch.arange(9)[None])[0]
    ring, cross = dit.new_stream(6), dit.cross_cache(context)
    parts = [dit.stream_step(ring, x[0, :2], 300, 0, cross, 0)]
    for f in range(2, 9):
        parts.append(dit.stream_step(ring, x[0, f:f + 1], 300, f, cross, f if f < 6 else 3 + (f - 3) % 3))
    assert torch.allclose(torch.cat(parts), whole, atol=1e-4)


def test_styles_are_soft():
    import styles
    x = torch.rand(1, 3, 64, 64)
    x = styles.blur(x, 3)
    for name in styles.NAMES:
        a, b = styles.apply(name, x), styles.apply(name, (x + 0.002).clamp(0, 1))
        assert a.shape == x.shape and (a - b).abs().mean() < 0.02, name


tests = [test_trains_and_resumes, test_parallel_form_equals_the_ring, test_styles_are_soft]
failed = 0
for test in tests:
    try:
        test()
        print(f"{test.__name__}: ok")
    except Exception as error:
        failed += 1
        print(f"{test.__name__}: FAILED: {error!r}")
print(f"{len(tests) - failed} passed, {failed} failed")
sys.exit(failed != 0)
