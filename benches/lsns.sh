#!/bin/sh
# How long `unitcell lsns` takes beside lsns of util-linux, on 5,000 processes in 500 namespaces:
#
#     benches/lsns.sh [UNITCELL [LSNS]]
#
# Root is needed. All processes are in a PID namespace of their own, and end with it.
set -eu

unitcell=${1:-target/release/unitcell}
classic=${2:-lsns}
processes=${PROCESSES:-5000}
namespaces=${NAMESPACES:-500}
rounds=${ROUNDS:-21}

case $unitcell in */*) unitcell=$(realpath "$unitcell") ;; esac
export unitcell classic processes namespaces rounds
exec unshare --mount --pid --fork --mount-proc --kill-child python3 - <<'PYTHON'
import ctypes, json, os, signal, statistics, subprocess, time

environment = os.environ
processes, namespaces = int(environment["processes"]), int(environment["namespaces"])
libc = ctypes.CDLL(None)
CLONE_NEWUTS = 0x04000000

def sleeper():
    signal.pause()
    os._exit(0)

for n in range(namespaces):
    ready, told = os.pipe()
    if os.fork() == 0:
        assert libc.unshare(CLONE_NEWUTS) == 0
        for _ in range(processes // namespaces - 1):
            if os.fork() == 0:
                sleeper()
        os.write(told, b"x")
        sleeper()
    os.read(ready, 1)
    os.close(ready)
    os.close(told)

def run(words):
    begin = time.monotonic()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begin

def count(words):
    rows = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)["namespaces"]
    # Older ones don't look for namespaces without processes.
    return sum(row["nprocs"] > 0 for row in rows)

results = []
for options in [["-l", "-o", "NS,TYPE,NPROCS,PID,USER,COMMAND"], ["-t", "net", "-l", "-o", "NS,NPROCS"]]:
    classic, ours = [environment["classic"], *options], [environment["unitcell"], "lsns", *options]
    assert count([*classic, "-J"]) == count([*ours, "-J"]), "they do not see the same"
    times = {"classic": [], "ours": []}
    for _ in range(int(environment["rounds"])):
        times["classic"].append(run(classic))
        times["ours"].append(run(ours))
    medians = {name: statistics.median(values) for name, values in times.items()}
    results.append({"options": " ".join(options), **medians, "ratio": medians["ours"] / medians["classic"]})
    print("lsns %-40s classic %7.1f ms   ours %7.1f ms   ratio %.3f" % (
        results[-1]["options"], medians["classic"] * 1e3, medians["ours"] * 1e3, results[-1]["ratio"]), flush=True)
print(json.dumps(results))
PYTHON
