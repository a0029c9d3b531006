"""op_times.cpp's ops in PyTorch, and the table of both.

    python3 tests/bench/torch_ops.py [OP] [THREADS]                   one JSON line for each op, dtype and size
    python3 tests/bench/torch_ops.py --beside PROGRAM [OP] [THREADS]  runs op_times and itself three times in turn, and
                                                                      prints a table of the ratios of the least times
"""

import itertools
import json
import subprocess
import sys
import time

ANY_SIZE = [10, 1_000, 100_000, 10_000_000]


def cases():
    """(name, sizes, shapes of the operands, function)"""
    import torch
    from torch.nn import functional

    def rows(n):
        return (1, n) if n < 100 else (n // 100, 100)

    def one(n):
        return [rows(n)]

    def two(n):
        return [rows(n), rows(n)]

    places = {}

    def gather(x):
        if len(x) not in places:
            places.clear()
            places[len(x)] = torch.randperm(len(x))
        return functional.embedding(places[len(x)], x)

    yield "add", ANY_SIZE, two, torch.add
    yield "exp", ANY_SIZE, one, torch.exp
    yield "tanh", ANY_SIZE, one, torch.tanh
    yield "gelu", ANY_SIZE, one, functional.gelu
    yield "sum", ANY_SIZE, one, torch.sum
    yield "sum, axis 0", ANY_SIZE, one, lambda x: x.sum(0)
    yield "sum, axis 1", ANY_SIZE, one, lambda x: x.sum(1)
    yield "max, axis 1", ANY_SIZE, one, lambda x: x.max(1).values
    yield "var, axis 1", ANY_SIZE, one, lambda x: x.var(1)
    yield "cumsum, axis 1", ANY_SIZE, one, lambda x: x.cumsum(1)
    yield "sort, axis 1", ANY_SIZE, one, lambda x: x.sort(1).values
    yield "softmax", ANY_SIZE, one, lambda x: x.softmax(1)
    yield "layer_norm", ANY_SIZE, lambda n: [rows(n), rows(n)[1:], rows(n)[1:]], \
        lambda x, w, b: functional.layer_norm(x, w.shape, w, b)
    yield "gather rows", ANY_SIZE, one, gather
    yield "conv2d, 3 to 32 channels of 32 x 32", [32], lambda n: [(n, 3, 32, 32), (32, 3, 3, 3)], \
        lambda x, w: functional.conv2d(x, w, padding=1)
    yield "conv2d, 64 to 64 channels of 16 x 16", [32], lambda n: [(n, 64, 16, 16), (64, 64, 3, 3)], \
        lambda x, w: functional.conv2d(x, w, padding=1)
    yield "attention, 4 heads of 64", [64, 512], lambda n: [(4, 4, n, 64)] * 3, functional.scaled_dot_product_attention


def seconds(f):
    best, calls, run = float("inf"), 1, 0
    while run < 7:
        begin = time.perf_counter()
        for _ in range(calls):
            f()
        taken = time.perf_counter() - begin
        if taken < 0.01:
            calls = calls * 10 if taken < 0.001 else int(calls * 0.012 / taken) + 1
            continue
        best = min(best, taken / calls)
        run += 1
    return best


def measure(only, threads):
    import torch
    torch.set_num_threads(threads)
    for name, sizes, shapes, function in cases():
        for dtype, n in itertools.product((torch.float32, torch.float64), sizes):
            if only not in name:
                continue
            operands = [torch.empty(shape, dtype=dtype).uniform_(-1, 1) for shape in shapes(n)]
            cotangent = torch.ones_like(function(*operands))
            forward = seconds(lambda: function(*operands))
            moving = [x.requires_grad_() for x in operands]
            both = seconds(lambda: torch.autograd.grad(function(*moving), moving, cotangent))
            print(json.dumps({"op": name, "dtype": str(dtype)[6:], "n": n, "forward": forward, "both": both}), flush=True)


def table(program, only, threads):
    least = {}
    for _, (side, command) in itertools.product(range(3), enumerate([[program], [sys.executable, __file__]])):
        output = subprocess.run([*command, only, str(threads)], check=True, capture_output=True, text=True).stdout
        for line in map(json.loads, output.splitlines()):
            key = line["op"], line["n"], line["dtype"]
            for what in ("forward", "both"):
                times = least.setdefault(key, {}).setdefault(what, [float("inf"), float("inf")])
                times[side] = min(times[side], line[what])
    print("| op | elements or size | float32, forward | with backward | float64, forward | with backward |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, n in dict.fromkeys((name, n) for name, n, _ in least):
        ratios = [least[name, n, dtype][what] for dtype in ("float32", "float64") for what in ("forward", "both")]
        print(f"| {name} | {n:,} | " + " | ".join(f"{ours / theirs:.2f}" for ours, theirs in ratios) + " |")


def main():
    arguments = sys.argv[1:]
    program = None
    if arguments[:1] == ["--beside"]:
        program, arguments = arguments[1], arguments[2:]
    only = arguments[0] if arguments else ""
    threads = int(arguments[1]) if len(arguments) > 1 else 1
    if program:
        table(program, only, threads)
    else:
        measure(only, threads)


if __name__ == "__main__":
    main()
