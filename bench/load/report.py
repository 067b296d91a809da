"""Makes the tables of bench/load/run.sh of what it measured: medians over the rounds, and their ratio to HAProxy's."""

import datetime
import os
import statistics
import sys

measured, footprint, rounds, seconds, connections = sys.argv[1:]
cells = {}
for line in open(measured):
    contender, row, *numbers = line.split()
    cells.setdefault((contender, row), []).append([float(n) for n in numbers])
sizes = {}
for line in open(footprint):
    contender, startup, resident = line.split()
    sizes.setdefault(contender, []).append((float(startup), float(resident)))

contenders = list(dict.fromkeys(c for c, _ in cells))
rows = sorted({r for _, r in cells}, key=lambda r: (r[:2], len(r)))
processor = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")


def median(contender, row, column):
    values = cells.get((contender, row))
    return None if values is None else statistics.median(v[column] for v in values)


def table(title, column, style):
    print(f"\n{title}\n")
    print("| | " + " | ".join(rows) + " |")
    print("|---" * (len(rows) + 1) + "|")
    for contender in contenders:
        values = (median(contender, row, column) for row in rows)
        print(f"| {contender} | " + " | ".join("–" if v is None else format(v, style) for v in values) + " |")


print(f"{datetime.date.today()}, {processor}, {os.cpu_count()} cores shared by generator, proxy and backend; {connections} connections, "
      f"{seconds} s a row, medians of {rounds} rounds. Load of the machine at the end: {os.getloadavg()[0]:.1f}.")
table("CPU time of the proxy per request, µs (user + system)", 0, ".0f")
for base in ("haproxy", "nginx-plain", "yarp"):
    ratios = [(row, median("portcullis", row, 0), median(base, row, 0)) for row in rows]
    text = ", ".join(f"{row} {ours / theirs:.2f}" for row, ours, theirs in ratios if ours and theirs)
    if text:
        print(f"\nPortcullis ÷ {base}: {text}")
table("Requests per second", 1, ".0f")
table("p50, ms", 2, ".2f")
table("p99, ms", 3, ".2f")
table("p99.9, ms", 4, ".2f")
print("\n| | start to first answer, ms | resident after the rows, MB |\n|---|---|---|")
for contender, values in sizes.items():
    print(f"| {contender} | {statistics.median(v[0] for v in values):.0f} | {statistics.median(v[1] for v in values):.0f} |")
