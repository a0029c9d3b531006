#!/usr/bin/env python3
"""Kills a training at random moments and lets it go on: it must come to what an undisturbed one comes to, bit for bit.

    python3 tests/faults/crashes.py SEQ2SEQ [--kills N] [--seed N]

Every second training begins where another one has left its model. After each kill `latest`, if it is there, must lead to
a model that translates. Prints what the directory showed of the
moments: in the midst of saving there are unfinished files. Ends with 1 and the seed if something differs.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter

from training import Training, difference

parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
parser.add_argument('program')
parser.add_argument('--kills', type=int, default=25)
parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
arguments = parser.parse_args()
random.seed(arguments.seed)

training = Training(arguments.program, steps=60)
begin = time.monotonic()
wanted = training.finish(training.here / 'whole')
duration = time.monotonic() - begin
model = training.here / 'killed'
moments = Counter()
trainings = 0
faults = []


def killed():
    """One run, killed somewhere. False if it came to its end before."""
    process = training.start(model)
    try:
        process.communicate(timeout=random.uniform(0, duration))
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    if process.returncode != 0:
        faults.append(f'a training that goes on ends with {process.returncode}')
    return False


def look():
    """What the directory shows of the moment of a kill."""
    names = [str(path.relative_to(model)) for path in model.rglob('*')] if model.exists() else []
    unfinished = any(name.endswith('.tmp') or '.partial' in name for name in names)
    if not os.path.lexists(model / 'latest'):
        return 'before the first checkpoint'
    told = subprocess.run([training.program, 'translate', '--model', str(model), 'Tom sleeps.'], capture_output=True,
                          text=True, check=False)
    if told.returncode != 0:
        faults.append(f'after a kill there is no whole checkpoint: {told.stderr.strip()}')
    return 'with unfinished files' if unfinished else 'between savings'


while sum(moments.values()) < arguments.kills and not faults:
    if killed():
        moments[look()] += 1
        continue
    trainings += 1
    if found := difference(training.finish(model), wanted):
        faults.append(found)
    shutil.rmtree(model)
    if trainings % 2 == 1:
        training.put_other(model)
if not faults and model.exists():
    trainings += 1
    if found := difference(training.finish(model), wanted):
        faults.append(found)

print(f'{sum(moments.values())} kills ({", ".join(f"{n} {moment}" for moment, n in sorted(moments.items()))}), '
      f'{trainings} trainings that came to their ends')
for sentence in faults:
    print(f'seed {arguments.seed}: {sentence}')
sys.exit(bool(faults))
