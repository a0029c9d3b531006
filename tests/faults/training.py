"""A small training of `seq2seq`, which the programs of this folder disturb, and what must come of it all the same."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PAIRS = '''Tom chases Jerry.\t汤姆追杰瑞。
Jerry chases Tom.\t杰瑞追汤姆。
Tom sleeps.\t汤姆睡觉。
Jerry sleeps.\t杰瑞睡觉。
Tom ran yesterday.\t汤姆昨天跑了。
Run!\t跑！
'''
# What a clock and a machine say differs from run to run.
UNSTEADY = ('tokens_per_second', 'seconds', 'peak_memory_mib', 'seconds_left')


class Training:
    """Runs of one training in directories of their own below `here`."""

    def __init__(self, program, steps, arguments=()):
        self.directory = tempfile.TemporaryDirectory(prefix='wengert-faults-')
        self.here = Path(self.directory.name).resolve()
        self.program = str(Path(program).resolve())
        self.other_options = None  # of a training that stood in a directory before
        (self.here / 'pairs.tsv').write_text(PAIRS, encoding='utf-8')
        data = str(self.here / 'pairs.tsv')
        self.begin = ['--data', data, '--validation-data', data, '--max-steps', str(steps), '--validate-every', '5',
                      '--save-every', '3', '--keep', '2', '--metric', 'bleu', '--hidden', '8', '--embedding', '8', '--layers', '1',
                      '--batch', '2', '--dropout', '0.2', '--learning-rate', '0.01', '--threads', '1', *arguments]

    def command(self, model):
        """Begins the training in a directory, or goes on with it if there is a checkpoint of it."""
        begun = os.path.lexists(model / 'latest') and (model / 'train.toml').read_bytes() != self.other_options
        how = ['--resume'] if begun else [*self.begin, '--force']
        return [self.program, 'train', '--model', str(model), *how]

    def put_other(self, model):
        """Makes a directory with a model of another training, whose place this one is to take."""
        other = self.here / 'other'
        if not other.exists():
            subprocess.run([self.program, 'train', '--model', str(other), *self.begin, '--seed', '2', '--max-steps', '9'], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.other_options = (other / 'train.toml').read_bytes()
        shutil.copytree(other, model, symlinks=True)

    def start(self, model, **environment):
        return subprocess.Popen(self.command(model), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, 'OMP_WAIT_POLICY': 'passive', **environment})

    def run(self, model, **environment):
        """The exit code and what stood on standard error."""
        process = self.start(model, **environment)
        error = process.communicate()[1]
        return process.returncode, error

    def finish(self, model):
        """Trains to the end, undisturbed. Raises AssertionError, with what the program said, if it cannot."""
        code, error = self.run(model)
        assert code == 0, f'undisturbed, the training ends with {code}: {error.splitlines()[-1:]}'
        return result(model)


def result(model):
    """What a training has come to: the lines of its log, and the weights of the last and of the best model."""
    log = []
    for line in (model / 'log.jsonl').read_text(encoding='utf-8').splitlines():
        log.append({name: value for name, value in json.loads(line).items() if name not in UNSTEADY})
    weights = {}
    for name in ('latest', 'best'):
        link = model / name
        # A checkpoint that is made once more while a link leads to the first has another name.
        weights[name] = (os.readlink(link).removesuffix('-again'), (link / 'weights.safetensors').read_bytes())
    return log, weights


def difference(found, wanted):
    """A sentence about how two results differ; empty if they do not."""
    for index, (ours, theirs) in enumerate(zip(found[0], wanted[0])):
        if ours != theirs:
            return f'line {index + 1} of the log is {json.dumps(ours)}, not {json.dumps(theirs)}'
    if len(found[0]) != len(wanted[0]):
        return f'the log has {len(found[0])} lines, not {len(wanted[0])}'
    for name, (where, weights) in wanted[1].items():
        if found[1][name][0] != where:
            return f'{name} leads to {found[1][name][0]}, not to {where}'
        if found[1][name][1] != weights:
            return f'the weights of {name} differ'
    return ''
