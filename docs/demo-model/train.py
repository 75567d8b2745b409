"""Trains the demo model: `train.py --store store.xz --out FOLDER --tokens 250e6`.

Needs PyTorch and NumPy only. Runs in bfloat16, compiled, on one GPU, or on several of one host under `torchrun`, each
with batches of its own; on a CPU in float32, for a trial. Prints one line of figures now and then, evaluates on what
was held out, asks the model (`probe.py`), and writes the weights in files of less than 16 MiB (`weights.py`).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import probe
import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812  # PyTorch's own name for it
import weights
from compose import Composer, rows
from geometry import Geometry
from network import GptOss
from optimise import Optimiser
from quantise import quantised
from store import Store
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

BALANCE = 0.01
"""Weight of the router's balancing loss."""

Batch = tuple[Tensor, Tensor, Tensor]
"""ids (int64), weights (float32), document numbers (int16), each (rows, length)."""


class Batches(IterableDataset[Batch]):
    """Endless batches of packed rows. The share of sampled text falls from `first` to `last` over `count` batches."""

    def __init__(
        self, store: Store, *, size: int, length: int, first: float, last: float, count: int, seed: int
    ) -> None:
        self._store, self._size, self._length = store, size, length
        self._first, self._last, self._count, self._seed = first, last, count, seed

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        composer = Composer(self._store, self._seed * 1000 + number)
        done, share = number, -1.0
        source = rows(composer, self._length, self._first)
        while True:
            # Changed in a hundred steps: the pool of a source holds documents of its own share.
            now = round(self._first + (self._last - self._first) * min(done / self._count, 1.0), 2)
            if now != share:
                share, source = now, rows(composer, self._length, now)
            picked = [next(source) for _ in range(self._size)]
            ids, loss_weights, documents = (np.stack(column) for column in zip(*picked, strict=True))
            yield torch.from_numpy(ids.astype(np.int64)), torch.from_numpy(loss_weights), torch.from_numpy(documents)
            done += workers


def weighted_loss(logits: Tensor, ids: Tensor, loss_weights: Tensor) -> Tensor:
    """Mean cross-entropy of each next token, by the weights of what is predicted."""
    losses = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten(), reduction="none")
    wanted = loss_weights[:, 1:].flatten()
    return (losses * wanted).sum() / wanted.sum().clamp(min=1)


def held_out(store: Store, length: int, limit: int) -> dict[str, list[Batch]]:
    """Rows of held-out sampled conversations, and of written ones asked in the wording that was kept back."""
    composer = Composer(store, 7)
    documents = {"sampled": [], "wordings": []}  # type: dict[str, list[tuple[np.ndarray, np.ndarray]]]
    for number in np.flatnonzero(store.sampled_held)[:limit]:
        document = composer.held_sampled(int(number))
        documents["sampled"].append((document.ids, document.weights))
    for conversation in [c for c in store.written if c.held_out >= 0][:limit]:
        document = composer.held_written(conversation)
        documents["wordings"].append((document.ids, document.weights))
    found: dict[str, list[Batch]] = {}
    for name, items in documents.items():
        batches = []
        for start in range(0, len(items), 64):
            ids, loss_weights = np.zeros((64, length), np.int64), np.zeros((64, length), np.float32)
            numbers = np.full((64, length), -1, np.int16)
            for row, (tokens, counted) in enumerate(items[start : start + 64]):
                size = min(len(tokens), length)
                ids[row, :size], loss_weights[row, :size], numbers[row, :size] = tokens[:size], counted[:size], 0
            batches.append((torch.from_numpy(ids), torch.from_numpy(loss_weights), torch.from_numpy(numbers)))
        found[name] = batches
    return found


@torch.no_grad()
def evaluate(model: GptOss, batches: dict[str, list[Batch]], device: str) -> dict[str, float]:
    """Loss a token on each held-out set, over tokens of full weight."""
    result = {}
    blocked, model.blocked = model.blocked, False
    for name, items in batches.items():
        total, count = 0.0, 0.0
        for batch in items:
            ids, loss_weights, documents = (part.to(device) for part in batch)
            counted = (loss_weights == 1).float()
            loss = weighted_loss(model(ids, documents)[0], ids, counted)
            amount = float(counted[:, 1:].sum())
            total, count = total + float(loss) * amount, count + amount
        result[name] = total / max(count, 1)
    model.blocked = blocked
    return result


def rate_at(progress: float, peak: float) -> float:
    """Warm-up over the first 2 %, then a cosine to a fiftieth."""
    if progress < 0.02:
        return peak * (progress + 1e-3) / 0.021
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min((progress - 0.02) / 0.98, 1.0))))


def prepared(options: argparse.Namespace, device: str) -> GptOss:
    """The model before its first step."""
    geometry = Geometry(**json.loads(options.geometry))
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    model = GptOss(geometry, positions=options.length, dtype=dtype)
    model.blocked = device == "cuda" and not options.whole
    model.to(device)
    return model


def train(options: argparse.Namespace) -> None:
    """One run from the first weights to a file."""
    begun = time.monotonic()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rank, ranks = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if ranks > 1:
        torch.cuda.set_device(rank)
        dist.init_process_group("nccl")
    torch.manual_seed(options.seed)
    torch.set_float32_matmul_precision("high")
    store = Store.load(options.store)
    model = prepared(options, device)
    size = sum(p.numel() for p in model.parameters())
    steps = int(options.tokens / (options.batch * options.length * ranks))
    compiled = torch.compile(model, dynamic=False) if device == "cuda" else model
    optimiser = Optimiser(model, decay=options.decay)
    dataset = Batches(
        store,
        size=options.batch,
        length=options.length,
        first=options.sampled_first,
        last=options.sampled_last,
        count=steps,
        seed=options.seed + 1000 * rank,
    )
    loader = DataLoader(
        dataset,
        batch_size=None,
        num_workers=options.workers,
        pin_memory=device == "cuda",
        prefetch_factor=4 if options.workers else None,
    )
    log = Log(
        f"{size / 1e6:.2f} million parameters, {steps} steps, {len(store.tokens) / 1e6:.1f} million stored tokens"
    )
    log.quiet = rank > 0
    tests = held_out(store, min(512, options.length), options.test_limit)
    step, progress = 0, 0.0
    for batch in loader:
        ids, loss_weights, documents = (part.to(device, non_blocking=True) for part in batch)
        if step % 10 == 0:
            progress = agreed(step / steps, options.seconds, begun, ranks)
        rounding = progress >= options.quantise_from
        if rounding:
            with quantised(model):
                loss, balance = _backward(compiled, ids, loss_weights, documents)
        else:
            loss, balance = _backward(compiled, ids, loss_weights, documents)
        if ranks > 1:
            _share_gradients(model)
        optimiser.step(rate_at(progress, options.rate))
        log.losses.append(loss)
        step += 1
        last = progress >= 1 or step >= steps
        if step == 1 or step % options.report == 0 or last:
            line = {"step": step, "seconds": time.monotonic() - begun, "balance": float(balance)}
            if (step % options.test == 0 or last) and rank == 0:
                with quantised(model):
                    line |= evaluate(model, tests, device)
            log.add(line, options.batch * options.length * ranks)
        if last:
            break
    if ranks > 1:
        dist.destroy_process_group()
    if rank == 0:
        finish(options, model, store, log, {"steps": step, "ranks": ranks}, device)
        print(f"written after {time.monotonic() - begun:.0f} s", flush=True)


def finish(
    options: argparse.Namespace, model: GptOss, store: Store, log: Log, about: dict[str, object], device: str
) -> None:
    """Writes the weights, then asks the model and writes what it said beside them."""
    options.out.mkdir(parents=True, exist_ok=True)
    about |= {"geometry": model.geometry.as_dict(), "log": log.lines}
    weights.save(options.out, {name: p.detach() for name, p in model.named_parameters()}, about)
    if options.probe:
        model.blocked = False
        with quantised(model):
            probe.ask(model, store, options.out / "probe.json", device, limit=options.probe)


class Log:
    """The lines of figures, printed as they come."""

    def __init__(self, heading: str) -> None:
        self.lines: list[dict[str, float]] = []
        self.losses: list[Tensor] = []
        """Since the last line."""
        self.quiet = False
        self._heading = heading
        self._step, self._clock = 0, time.monotonic()

    def add(self, line: dict[str, float], tokens: int) -> None:
        """Adds the mean loss and the tokens a second since the last line; `tokens`: of one step."""
        line["loss"] = float(torch.stack(self.losses).mean())
        now = time.monotonic()
        line["tokens_s"] = (line["step"] - self._step) * tokens / max(now - self._clock, 1e-9)
        self.lines.append(line)
        self.losses, self._step, self._clock = [], int(line["step"]), now
        if not self.quiet:
            if len(self.lines) == 1:
                print(self._heading, flush=True)
            print(" ".join(f"{key} {value:.4g}" for key, value in line.items()), flush=True)


def agreed(done: float, seconds: float, begun: float, ranks: int) -> float:
    """How far the run is, 0 to 1: by steps, or by the clock of the first of several processes where that is ahead."""
    if seconds:
        done = max(done, (time.monotonic() - begun) / seconds)
    if ranks > 1:
        told = torch.tensor(done, device="cuda", dtype=torch.float64)
        dist.broadcast(told, 0)
        done = float(told)
    return done


def _share_gradients(model: GptOss) -> None:
    """The mean of the processes' gradients in each of them."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat, dist.ReduceOp.AVG)
    for gradient, piece in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(piece.view_as(gradient))


def _backward(model: torch.nn.Module, ids: Tensor, loss_weights: Tensor, documents: Tensor) -> tuple[Tensor, Tensor]:
    logits, balance, _ = model(ids, documents)
    loss = weighted_loss(logits, ids, loss_weights)
    (loss + BALANCE * balance).backward()
    return loss.detach(), balance.detach()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokens", type=float, default=250e6, help="how many to train on, padding included")
    parser.add_argument(
        "--seconds", type=float, default=0, help="finish the schedule by then, counted from the start; 0: no limit"
    )
    parser.add_argument("--batch", type=int, default=64, help="rows, in each process")
    parser.add_argument("--length", type=int, default=1024, help="tokens a row")
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--decay", type=float, default=0.1)
    parser.add_argument("--sampled-first", type=float, default=0.6, help="share of sampled documents at the start")
    parser.add_argument("--sampled-last", type=float, default=0.3, help="and at the end")
    parser.add_argument(
        "--quantise-from", type=float, default=0.6, help="share of the run after which weights are rounded"
    )
    parser.add_argument(
        "--geometry", default="{}", help="JSON: fields of network.Geometry that differ from the defaults"
    )
    parser.add_argument("--whole", action="store_true", help="attention with whole matrices, where blocks fail")
    parser.add_argument("--probe", type=int, default=0, help="how many prompts of each kind to ask at the end")
    parser.add_argument("--workers", type=int, default=12)
    parser.add_argument("--report", type=int, default=100)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--test-limit", type=int, default=512)
    parser.add_argument("--seed", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
