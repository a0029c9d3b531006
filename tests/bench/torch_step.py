#!/usr/bin/python3
"""The work of seq2seq_step in PyTorch, for runs in turn: same flags, same JSON keys (Debian: python3-torch).

Written as PyTorch is meant to be used: nn.GRU on packed sequences in the encoder, one nn.GRUCell a step in the decoder,
attention keys and output logits computed for all steps at once. With Debian's OpenBLAS it is fastest on the OpenMP build:
LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-openmp
"""
import argparse
import json
import resource
import statistics
import time

import torch
import torch.nn.functional as functional


class Translator(torch.nn.Module):
    def __init__(self, flags):
        super().__init__()
        hidden, memory = flags.hidden, flags.hidden * (2 if flags.bidirectional else 1)
        attention = flags.attention or hidden
        self.source_embedding = torch.nn.Embedding(flags.vocab, flags.emb)
        self.target_embedding = torch.nn.Embedding(flags.vocab, flags.emb)
        self.encoder = torch.nn.GRU(flags.emb, hidden, flags.layers, batch_first=True, bidirectional=flags.bidirectional)
        self.bridge = torch.nn.Linear(memory, hidden) if flags.bidirectional else None
        self.query = torch.nn.Linear(hidden, attention)
        self.key = torch.nn.Linear(memory, attention, bias=False)
        self.score = torch.nn.Linear(attention, 1, bias=False)
        self.cell = torch.nn.GRUCell(flags.emb + memory, hidden)
        self.output = torch.nn.Linear(hidden, flags.vocab)

    def encode(self, source, lengths):
        x = self.source_embedding(source)
        if lengths is not None:
            x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        states, last = self.encoder(x)
        if lengths is not None:
            states, _ = torch.nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
        state = last[-1] if self.bridge is None else torch.tanh(self.bridge(torch.cat((last[-2], last[-1]), 1)))
        return states, self.key(states), state

    def step(self, embedded, states, keys, state, padding):
        scores = self.score(torch.tanh(keys + self.query(state)[:, None])).squeeze(2)
        if padding is not None:
            scores = scores.masked_fill(padding, float("-inf"))
        context = torch.bmm(torch.softmax(scores, 1)[:, None], states).squeeze(1)
        return self.cell(torch.cat((embedded, context), 1), state)

    def forward(self, source, lengths, padding, target):
        states, keys, state = self.encode(source, lengths)
        outputs = []
        for embedded in self.target_embedding(target[:, :-1]).unbind(1):
            state = self.step(embedded, states, keys, state, padding)
            outputs.append(state)
        logits = self.output(torch.stack(outputs, 1))
        return functional.cross_entropy(logits.flatten(0, 1).float(), target[:, 1:].flatten(), ignore_index=0)

    def greedy(self, source, steps):
        states, keys, state = self.encode(source, None)
        token = torch.ones(len(source), dtype=torch.long)
        for _ in range(steps):
            state = self.step(self.target_embedding(token), states, keys, state, None)
            token = self.output(state).argmax(1)


def batch_of(source_lengths, target_lengths, vocabulary):
    def ids(lengths):
        rows = torch.randint(4, vocabulary, (len(lengths), max(lengths)))
        padding = torch.arange(max(lengths)) >= torch.tensor(lengths)[:, None]
        return rows.masked_fill(padding, 0), padding

    source, padding = ids(source_lengths)
    target, _ = ids(target_lengths)
    is_padded = bool(padding.any())
    return source, torch.tensor(source_lengths) if is_padded else None, padding if is_padded else None, target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in dict(hidden=1024, emb=256, vocab=5000, batch=64, src_len=30, trg_len=30, layers=2, attention=0,
                            steps=5, warmup=1, threads=2).items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=value)
    parser.add_argument("--bidirectional", action="store_true")
    parser.add_argument("--lengths", help="file of real sentence lengths, one batch a line")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--mode", choices=("train", "forward", "greedy"), default="train")
    flags = parser.parse_args()
    torch.set_num_threads(flags.threads)
    torch.manual_seed(1)
    model = Translator(flags)
    optimizer = torch.optim.Adam(model.parameters(), 5e-4)
    batches = [batch_of([flags.src_len] * flags.batch, [flags.trg_len] * flags.batch, flags.vocab)]
    if flags.lengths:
        with open(flags.lengths) as lines:
            pairs = [[pair.split(":") for pair in line.split()] for line in lines if not line.startswith("#")]
        batches = [batch_of([int(s) for s, _ in p], [int(t) for _, t in p], flags.vocab) for p in pairs if p]
    seconds, tokens, losses = [], 0, []
    for i in range(flags.warmup + max(flags.steps, len(batches))):
        source, lengths, padding, target = batches[max(0, i - flags.warmup) % len(batches)]
        begin = time.perf_counter()
        rounding = torch.autocast("cpu", torch.bfloat16, enabled=flags.precision == "bfloat16")
        with torch.set_grad_enabled(flags.mode == "train"), rounding:
            if flags.mode == "greedy":
                model.greedy(source, flags.trg_len - 1)
            else:
                losses.append(model(source, lengths, padding, target))
        if flags.mode == "train":
            optimizer.zero_grad(set_to_none=True)
            losses[-1].backward()
            optimizer.step()
        if losses:
            losses[-1] = losses[-1].item()  # lets go of the graph
        if i >= flags.warmup:
            seconds.append(time.perf_counter() - begin)
            tokens += len(target) * (flags.trg_len - 1) if flags.mode == "greedy" else int((target[:, 1:] != 0).sum())
    total = sum(seconds) if flags.lengths else statistics.median(seconds) * len(seconds)
    print(json.dumps({"peer": "torch " + torch.__version__, "threads": flags.threads, "mode": flags.mode,
                      "seconds_per_step": total / len(seconds), "target_tokens_per_second": tokens / total,
                      "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                      "parameters": sum(p.numel() for p in model.parameters()), "losses": losses[:8]}))


main()
