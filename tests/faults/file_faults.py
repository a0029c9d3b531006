#!/usr/bin/env python3
"""Lets file operations of a training go wrong, one at a time, and the power fail after each.

    python3 tests/faults/file_faults.py SEQ2SEQ SHIM [--cases N] [--seed N]

SHIM is the library that file_faults.cpp describes. A first run notes all operations. Then

- each fails once, with no space left, with an input or output error, interrupted, and, if it writes, after half of its
  bytes. What is only interrupted or cut must not show; else the training ends with a sentence that says where, but for
  a file that is to be removed, and goes on undisturbed;
- the directory is made as it would be if the power had failed after each: without what was not synced. Once the
  names are as old as the content, once they are newer, since file systems write them when they like.

From there the training must come to what an undisturbed one comes to, bit for bit. --cases takes so many of all by lot.
Ends with 1 and the seed if something differs.
"""

import argparse
import errno
import os
import random
import shutil
import sys
from pathlib import Path

from training import Training, difference

FAILURES = [str(errno.ENOSPC), str(errno.EIO)]
# What is no failure, and of which calls.
HARMLESS = {'write': [str(errno.EINTR), 'short'], 'fsync': [str(errno.EINTR)]}


class Operation:
    def __init__(self, call, descriptor, paths, data):
        self.call, self.descriptor, self.data = call, descriptor, data
        self.path, _, self.other = paths.partition('\t')

    def __str__(self):
        return f'{self.call} {self.path}' + (f' -> {self.other}' if self.other else '')


def read_journal(path):
    """The operations that the shim noted."""
    operations, journal, place = [], path.read_bytes(), 0
    while place < len(journal):
        end = journal.index(b'\n', place)
        call, descriptor, length, paths = journal[place:end].decode().split(' ', 3)
        place = end + 1 + (int(length) if call == 'write' else 0)
        operations.append(Operation(call, int(descriptor), paths, journal[end + 1:place]))
    return operations


class File:
    def __init__(self):
        self.content = self.synced = b''


class Disk:
    """A directory as operations leave it: what is there, and what would be there after a power failure."""

    def __init__(self, root):
        self.root = root
        self.names, self.synced_names = {}, {}  # path: None for a directory, a string for a link, a File

    def do(self, operation):
        path = operation.path
        if operation.call == 'mkdir':
            self.names[path] = None
        elif operation.call == 'symlink':
            self.names[path] = operation.other
        elif operation.call in ('create', 'append'):
            self.names.setdefault(path, File())
        elif operation.call == 'truncate':
            self.names.setdefault(path, File()).content = b''
        elif operation.call == 'write':
            self.names[path].content += operation.data
        elif operation.call == 'unlink':
            self.names.pop(path, None)
        elif operation.call == 'rename':
            self.move(path, operation.other)
        elif operation.call == 'fsync' and isinstance(self.names.get(path), File):
            self.names[path].synced = self.names[path].content
        elif operation.call == 'fsync':
            self.sync_directory(path)

    def move(self, old, new):
        inside = [name for name in self.names if name == old or name.startswith(old + '/')]
        for name in inside:
            self.names[new + name[len(old):]] = self.names.pop(name)

    def sync_directory(self, path):
        """The names in a directory, and where directories that were moved into it have gone, are on the disk."""
        was = {id(entry): name for name, entry in self.synced_names.items() if isinstance(entry, File)}
        here = {name for name in self.names if os.path.dirname(name) == path}
        self.synced_names = {name: entry for name, entry in self.synced_names.items()
                             if os.path.dirname(name) != path and not self.is_lost(name, path, here)}
        for name, entry in self.names.items():
            # What is in a directory that moved was synced under its former name.
            if name in here or (isinstance(entry, File) and id(entry) in was and name.startswith(path + '/')):
                self.synced_names[name] = entry

    def is_lost(self, name, path, here):
        """Whether a name lies in a directory of `path` that is no longer there."""
        return name.startswith(path + '/') and not any(name.startswith(directory + '/') for directory in here)

    def after_power_failure(self, newer_names):
        """{path: content} of what would be found; {path: None} for a directory."""
        names = self.names if newer_names else {self.root: None, **self.synced_names}
        return {name: entry.synced if isinstance(entry, File) else entry for name, entry in sorted(names.items())}


def make(found, root, directory):
    """Makes a directory with what was found below `root`."""
    for name, content in found.items():
        path = directory / os.path.relpath(name, root)
        if not path.parent.exists():
            continue
        if content is None:
            path.mkdir(exist_ok=True)
        elif isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content)


class Trial:
    def __init__(self, arguments):
        self.training = Training(arguments.program, steps=7)
        self.shim = str(Path(arguments.shim).resolve())
        self.wanted = self.training.finish(self.training.here / 'whole')
        self.operations = self.note()
        self.faults = []

    def note(self):
        model, journal = self.training.here / 'noted', self.training.here / 'journal'
        code, error = self.run(model, WENGERT_FAULTS_JOURNAL=str(journal))
        assert code == 0, error
        operations = read_journal(journal)
        disk = Disk(str(model))
        for operation in operations:
            disk.do(operation)
        there = {str(path) for path in [model, *model.rglob('*')]}
        assert set(disk.names) == there, f'the journal lacks or invents {set(disk.names) ^ there}'
        return operations

    def run(self, model, **environment):
        return self.training.run(model, LD_PRELOAD=self.shim, WENGERT_FAULTS_BELOW=str(model), **environment)

    def ends_as_wanted(self, model, case):
        try:
            found = difference(self.training.finish(model), self.wanted)
        except (AssertionError, OSError) as error:
            found = str(error)
        if found:
            self.faults.append(f'{case}: {found}')

    def failing(self):
        """A case for each operation and each way to go wrong."""
        for number, operation in enumerate(self.operations, 1):
            for how in FAILURES + HARMLESS.get(operation.call, []):
                yield lambda number=number, how=how: self.fail(number, how)

    def fail(self, number, how):
        model, journal = self.training.here / 'failed', self.training.here / 'failed.journal'
        code, error = self.run(model, WENGERT_FAULTS_AT=str(number), WENGERT_FAULTS_AS=how, WENGERT_FAULTS_JOURNAL=str(journal))
        # What a clock decides, as when the report is written, differs from run to run.
        operation = next(iter(read_journal(journal)[number - 1:]), None)
        journal.unlink()
        if operation is None:
            return shutil.rmtree(model)
        case = f'operation {number} ({operation}), {how if how == "short" else errno.errorcode[int(how)]}'
        last = error.splitlines()[-1:] or ['']
        if code < 0 or (code > 0 and not last[0].startswith('seq2seq: ')):
            self.faults.append(f'{case}: the training ends with {code}: {last[0]}')
        elif code > 0 and how in HARMLESS.get(operation.call, []):
            self.faults.append(f'{case}: the training ends: {last[0]}')
        elif code == 0 and how in FAILURES and operation.call != 'unlink':
            self.faults.append(f'{case}: the training goes on as if nothing were wrong')
        elif code > 0 and str(model) not in last[0]:
            self.faults.append(f'{case}: the training does not say where: {last[0]}')
        self.ends_as_wanted(model, case)
        shutil.rmtree(model)

    def power_failures(self):
        """A case for each state that a power failure can leave, each once."""
        root = str(self.training.here / 'noted')
        disk, seen = Disk(root), set()
        for number, operation in enumerate(self.operations, 1):
            disk.do(operation)
            for newer_names in (False, True):
                found = disk.after_power_failure(newer_names)
                if (key := hash(tuple(found.items()))) in seen:
                    continue
                seen.add(key)
                case = (f'power failure after operation {number} ({operation}), names '
                        f'{"newer than" if newer_names else "as old as"} the content')
                yield lambda found=found, case=case: self.lose_power(found, root, case)

    def lose_power(self, found, root, case):
        model = self.training.here / 'lost'
        make(found, root, model)
        self.ends_as_wanted(model, case)
        shutil.rmtree(model)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('program')
    parser.add_argument('shim')
    parser.add_argument('--cases', type=int)
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    trial = Trial(arguments)
    failing, lost = list(trial.failing()), list(trial.power_failures())
    cases = failing + lost
    if arguments.cases is not None:
        cases = random.Random(arguments.seed).sample(cases, min(arguments.cases, len(cases)))
    for case in cases:
        case()
    print(f'{len(cases)} of {len(failing)} operations that go wrong and {len(lost)} power failures: '
          f'{len(trial.faults)} faults')
    for sentence in trial.faults:
        print(f'seed {arguments.seed}: {sentence}')
    return bool(trial.faults)


if __name__ == '__main__':
    sys.exit(main())
