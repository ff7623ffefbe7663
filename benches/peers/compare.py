"""Times each step of `petct` and of its peers, one after the other in one run, and prints the table of the manual.

    python3 benches/peers/compare.py WORK_FOLDER [--size small|large] [--runs 5] [--steps pet,ct] [--no-install]

See README.md beside this file.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGES = [
    "numpy",
    "scipy",
    "pydicom",
    "SimpleITK",
    "dicomsdl",
    "connected-components-3d",
    "numba",
    "opencv-python-headless",
    "itk-elastix",
    "dcm2niix",
    "pyjpegls",
]
STEPS = [
    "headers",
    "pet",
    "ct",
    "maximum",
    "components",
    "statistics",
    "peaks",
    "peak of the volume",
    "smoothing",
    "resampling",
    "mip",
    "registration",
]
# The commands a peer's answer is allowed to take longer than; it is left out of later rounds.
SLOW_SECONDS = 30.0


class Side:
    """A process that answers a line with seconds and a figure."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self.answer().split(maxsplit=1)[1]

    def answer(self):
        while True:
            line = self.process.stdout.readline()
            if not line:
                sys.exit("a side of the comparison has ended; its message stands above")
            if line.startswith("ready") or line[:1].isdigit() or line.startswith("unknown"):
                return line.strip()

    def run(self, name):
        before = self.processor_seconds()
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        seconds, figure = self.answer().split(maxsplit=1)
        return (float(seconds), self.processor_seconds() - before), figure

    def processor_seconds(self):
        """Of all threads; what others do on the machine adds little to it. Linux alone tells it."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            total += int(task.read_text().split()[0])
        return total / 1e9


def run(*command):
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT)


def whole(command):
    """Wall seconds and peak resident megabytes of a command, by a child of its own."""
    code = (
        "import resource, subprocess, sys, time\n"
        "started = time.perf_counter()\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
    )
    text = subprocess.run([sys.executable, "-c", code, *map(str, command)], check=True, capture_output=True, text=True)
    seconds, megabytes = text.stdout.split()
    return float(seconds), float(megabytes)


def bench_binary():
    """The petct side, built as benches are."""
    run("cargo", "build", "--release", "--bin", "petct")
    text = subprocess.run(
        ["cargo", "bench", "--bench", "peers", "--no-run"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stderr
    return ROOT / text.rsplit("(", 1)[1].split(")")[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="for the environment and the scans; 3 GB at large")
    parser.add_argument("--size", choices=["small", "large"], default="small")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", default=",".join(STEPS) + ",whole pair")
    parser.add_argument("--jpeg-ls", action="store_true", help="the scans compressed, for peers that read them")
    parser.add_argument("--no-install", action="store_true", help="use the environment that is there")
    options = parser.parse_args()
    environment = options.folder / "environment"
    if not options.no_install:
        venv.create(environment, with_pip=True)
        run(environment / "bin/pip", "install", "--quiet", *PACKAGES)
    python = environment / "bin/python"
    binary = bench_binary()
    petct = ROOT / "target/release/petct"
    pair = options.folder / (options.size + ("-jpeg-ls" if options.jpeg_ls else ""))
    if not pair.exists():
        encoding = [] if options.jpeg_ls else ["--uncompressed"]
        run(petct, "phantom", "pair", "--seed", 3, "--size", options.size, *encoding, "-o", pair)
    ours, theirs = Side([binary, pair]), Side([python, HERE / "peers.py", pair])
    peers = [entry.split(":") for entry in theirs.ready.split(",")]
    print(f"{options.size}, {options.runs} runs, {ours.ready} threads, {platform.machine()}, {os.cpu_count()} cores")
    print(f"load {os.getloadavg()[0]:.1f}; seconds, and processor seconds of all threads")
    print("| step | petct | peers (times petct) |\n|---|---|---|")
    wanted = options.steps.split(",")
    for step in [s for s in STEPS if s in wanted]:
        table(step, ours, theirs, [peer for peer, name in peers if name == step], options.runs)
    for side in (ours, theirs):
        side.process.kill()
    if "whole pair" in wanted:
        whole_pair(petct, python, pair, options.runs)


def table(step, ours, theirs, peers, runs):
    times = {peer: [] for peer in peers}
    own, figures = [], {}
    ours.run(step)
    for _ in range(runs):
        taken, figures["petct"] = ours.run(step)
        own.append(taken)
        for peer in peers:
            if times[peer] and max(times[peer])[0] > SLOW_SECONDS:
                continue
            taken, figures[peer] = theirs.run(f"{peer}:{step}")
            times[peer].append(taken)
    middle = lambda rows: [statistics.median(column) for column in zip(*rows)]
    wall, processor = middle(own)
    others = []
    for peer, (peer_wall, peer_processor) in ((peer, middle(rows)) for peer, rows in times.items()):
        others.append(
            f"{peer} {peer_wall:.4f}, {peer_processor:.4f} "
            f"({peer_wall / wall:.1f}, {peer_processor / max(processor, 1e-9):.1f})"
        )
    print(f"| {step} | {wall:.4f}, {processor:.4f} | {'; '.join(others)} |", flush=True)
    print(f"  figures: {figures}", file=sys.stderr)


def whole_pair(petct, python, pair, runs):
    own, other = [], []
    for _ in range(min(runs, 3)):
        own.append(whole([petct, "compare", "-q", pair / "t0", pair / "t1"]))
        other.append(whole([python, HERE / "whole.py", pair]))
    middle = lambda rows: [statistics.median(column) for column in zip(*rows)]
    (a, a_mb), (b, b_mb) = middle(own), middle(other)
    print(f"| whole pair | {a:.2f} ({a_mb:.0f} MB) | best of each {b:.2f} ({b / a:.1f}; {b_mb:.0f} MB) |")


if __name__ == "__main__":
    main()
