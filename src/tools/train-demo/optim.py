# SPDX-License-Identifier: LGPL-2.1-or-later
"""Training steps that can be captured in a CUDA graph: AdamW and the weight average over one flat buffer."""
import torch


class FlatAdamW:
    """AdamW (beta 0.9/0.98, eps 1e-8) over all parameters as one vector, with gradient clipping per group and an EMA.

    groups: list of dicts {params, lr (factor), weight_decay}. The parameters become views of self.flat. Everything a step
    needs lives in device tensors, so that a captured step can be replayed; `prepare` sets the numbers of the next step.
    """

    def __init__(self, groups, clip=1.0):
        self.groups = groups
        self.params = [p for g in groups for p in g["params"]]
        device = self.params[0].device
        sizes = [-(-p.numel() // 16) * 16 for p in self.params]  # aligned views
        self.flat = torch.zeros(sum(sizes), device=device)
        self.grad, self.m, self.v = (torch.zeros_like(self.flat) for _ in range(3))
        self.views, place = [], 0
        for p, size in zip(self.params, sizes):
            view = self.flat[place:place + p.numel()].view(p.shape)
            view.copy_(p.data)
            p.data = view
            self.views.append(self.grad[place:place + p.numel()].view(p.shape))
            place += size
        self.ema, self.spans, place = self.flat.clone(), [], 0
        for g in groups:
            count = sum(-(-p.numel() // 16) * 16 for p in g["params"])
            self.spans.append((place, place + count, g.get("lr", 1.0), g.get("weight_decay", 0.0)))
            place += count
        # lr, bias corrections 1 and 2, EMA weight
        self.numbers = torch.zeros(4, device=device)
        self.zero = torch.zeros((), device=device)
        self.clip, self.count = clip, 0

    def prepare(self, lr, ema_decay):
        self.count += 1
        values = [lr, 1 - 0.9 ** self.count, 1 - 0.98 ** self.count, 1 - min(ema_decay, self.count / (self.count + 30))]
        self.numbers.copy_(torch.tensor(values))

    def step(self, loss):
        """Backward and update. autograd.grad makes no AccumulateGrad nodes, which would tie the capture to another stream."""
        grads = torch.autograd.grad(loss, self.params, allow_unused=True)
        with torch.no_grad():
            used = [(v, g) for v, g in zip(self.views, grads) if g is not None]
            torch._foreach_copy_([v for v, _ in used], [g for _, g in used])
            lr, fix1, fix2, ema = self.numbers.unbind()
            for a, b, factor, decay in self.spans:
                g = self.grad[a:b]
                norm = g.norm()  # a step with a bad gradient changes nothing but the momenta's decay
                g.copy_(torch.where(torch.isfinite(norm), g * (self.clip / (norm + 1e-6)).clamp(max=1.0), self.zero))
                self.m[a:b].lerp_(g, 0.1)
                self.v[a:b].mul_(0.98).addcmul_(g, g, value=0.02)
                update = (self.m[a:b] / fix1) / ((self.v[a:b] / fix2).sqrt() + 1e-8)
                if decay:
                    update = update + decay * self.flat[a:b]
                self.flat[a:b].sub_(update * (lr * factor))
            self.ema.add_((self.flat - self.ema) * ema)

    def average(self):
        """The EMA as one tensor per parameter, in the order of self.params."""
        out, place = [], 0
        for p in self.params:
            out.append(self.ema[place:place + p.numel()].view(p.shape))
            place += -(-p.numel() // 16) * 16
        return out

    @torch.no_grad()
    def reset_average(self, values):
        for target, value in zip(self.average(), values):
            target.copy_(value)


class GraphedStep:
    """Calls fn; on a GPU warms it up on one side stream and then replays a capture of it. Falls back to plain calls."""

    def __init__(self, fn, device, warm_up=4, capture=True):
        self.fn, self.graph, self.calls = fn, None, 0
        self.cuda = torch.device(device).type == "cuda"
        self.warm_up, self.capture = warm_up, capture
        self.stream = torch.cuda.Stream() if self.cuda else None

    def __call__(self):
        self.calls += 1
        if not self.cuda:
            return self.fn()
        if self.graph is not None:
            return self.graph.replay()
        if self.capture and self.calls > self.warm_up:
            torch.cuda.synchronize()
            try:
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph, stream=self.stream):
                    self.fn()
                self.graph = graph
                print("step captured in a CUDA graph", flush=True)
                return self.graph.replay()
            except Exception as error:  # a failed capture must not end a paid run: plain calls do the same
                print("no CUDA graph:", repr(error)[:500], flush=True)
                self.capture = False
                torch.cuda.synchronize()
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            self.fn()
        torch.cuda.current_stream().wait_stream(self.stream)
