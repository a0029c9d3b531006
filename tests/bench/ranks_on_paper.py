#!/usr/bin/env python3
"""How many ranks pay, on paper: prints a table in Markdown of the efficiency of N ranks, each with a batch of its own.

    python3 tests/bench/ranks_on_paper.py --step 2.5 --parameters 11000000 --behind 0.3

--step is the seconds that one rank takes for a step, --parameters how many numbers its gradient has, and --behind the
share of the step that is still to be computed when the first gradients are complete. `seq2seq train` prints the second,
tests/bench/ranks.sh measures the first, and what docs/performance.md does with its rows gives the third. The model:

    wire(N) = 2 (N - 1) / N x bytes / bandwidth + buckets x 2 (N - 1) x latency
    step(N) = step + max(wire(N) - behind x step, wire(N) / buckets)
    efficiency = step / step(N)

All bytes but a rank's own share leave it twice: as parts to be added, and as sums. A bucket has 2^20 numbers, and each
of its two exchanges sends N - 1 messages. The last bucket has nothing to hide behind.
"""
import argparse
import math


def efficiency(ranks, step, parameters, behind, bytes_each, bandwidth, latency):
    buckets = math.ceil(parameters / 2**20)
    share = 2 * (ranks - 1)
    wire = share / ranks * parameters * bytes_each / bandwidth + buckets * share * latency
    return step / (step + max(wire - behind * step, wire / buckets))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--step", type=float, required=True, metavar="SECONDS")
    parser.add_argument("--parameters", type=float, required=True, metavar="N")
    parser.add_argument("--behind", type=float, required=True, metavar="SHARE")
    parser.add_argument("--latency", type=float, default=5e-5, metavar="SECONDS", help="of a message; 5e-5")
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 8, 64, 512], metavar="N")
    parser.add_argument("--gigabits", type=float, nargs="+", default=[1, 10], metavar="X", help="a second, of each link")
    a = parser.parse_args()
    print("| ranks | " + " | ".join(f"{g:g} Gbit/s | {g:g} Gbit/s, bfloat16" for g in a.gigabits) + " |")
    print("| ---: " + "| ---: | ---: " * len(a.gigabits) + "|")
    for ranks in a.ranks:
        cells = [f"{efficiency(ranks, a.step, a.parameters, a.behind, size, g * 1e9 / 8, a.latency):.2f}"
                 for g in a.gigabits for size in (4, 2)]
        print(f"| {ranks} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
