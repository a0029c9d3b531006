#!/usr/bin/env python3
"""Checks the rules of the tree that no compiler checks; docs/contributing.md says why they are.

Prints one line for each fault, as file:line: sentence, and ends with 1 if there is one. With --installed it prints the
headers that `meson install` installs instead.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Which folder may include which: those before it, here and inside a folder. Folders joined by & may include each other:
# the derivative of a sum is an expansion, that of an expansion a sum. Folders joined by | do not know each other.
ORDERS = {
    '': 'autograd < ops < nn < models < examples',
    'autograd': 'tensor < tape < transform | check | observe',
    'ops': 'internal < elementwise & shape & reduce < index | random < products < linalg < network < onnx',
    'models': 'text < seq2seq',
    'models/seq2seq': 'internal < scoring | systems | decoding | training',
}
LIBRARY = ['autograd', 'ops', 'nn', 'models']
LONGEST = 400  # lines of a C++ file
# A library that one file knows, so that another can take its place: its name, what its headers are called. OpenBLAS's
# LAPACK has no header; one file declares what it calls of it, in a block of extern "C".
ONE_FILE = {'OpenBLAS': r'cblas|lapacke', 'oneDNN': r'.*dnnl', 'Graphviz': r'.*(gvc|cgraph)',
            'libzip': r'zip', 'cpp-httplib': r'httplib', 'sentencepiece': r'sentencepiece_.*', 'xsimd': r'xsimd/.*',
            'MPI': r'mpi'}
# In a test that mirrors no file; the reason follows.
NO_MIRROR = '// Mirrors no file:'
# In a test that covers another header too, which then needs no test file of its own; the header follows.
COVERS = '// Covers '

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
faults = []


def fault(file, line, sentence):
    faults.append((str(file), line, sentence))


class Source:
    """A C++ file: its path from the root, its lines, and what it includes as (line, bracket, name)."""

    def __init__(self, path):
        self.path = path.relative_to(ROOT)
        self.lines = path.read_text(encoding='utf-8').splitlines()
        matches = ((number, INCLUDE.match(line)) for number, line in enumerate(self.lines, 1))
        self.includes = [(number, match[1], match[2]) for number, match in matches if match]
        self.in_library = self.path.parts[0] in LIBRARY
        self.is_header = self.path.suffix == '.hpp'
        self.is_public = self.in_library and self.is_header and 'internal' not in self.path.parts

    def ours(self):
        """(line, path from the root) of each <wengert/...>."""
        for number, bracket, name in self.includes:
            if bracket == '<' and name.startswith('wengert/'):
                path = Path(name).relative_to('wengert')
                if path != Path('version.hpp'):  # which the build makes
                    yield number, Path('models/wengert.hpp') if path == Path('wengert.hpp') else path


def read_tree():
    folders = [ROOT / folder for folder in [*LIBRARY, 'examples', 'tests']]
    paths = [path for folder in folders for path in folder.rglob('*.[ch]pp')]
    return {source.path: source for source in map(Source, sorted(paths))}


def may_include(order, lower, upper):
    """Whether `upper` may include `lower`; None if the order does not know one of them."""
    place = {}
    for height, level in enumerate(order.split(' < ')):
        for folder in re.split(r' [&|] ', level):
            place[folder] = (height, ' & ' in level)
    if lower not in place or upper not in place:
        return None
    return lower == upper or place[lower][0] < place[upper][0] or (place[lower] == place[upper] and place[lower][1])


def check_arrows(tree):
    for source in tree.values():
        if source.path.parts[0] == 'tests':
            continue
        if source.in_library:
            for number, bracket, name in source.includes:
                if bracket == '"':
                    fault(source.path, number, f'"{name}" is included by quotes; the library says <wengert/...>.')
        for number, included in source.ours():
            if included not in tree:
                fault(source.path, number, f'<wengert/{included}> does not exist.')
                continue
            if 'internal' in included.parts and included.parts[0] != source.path.parts[0]:
                fault(source.path, number, f'{included} is internal to {included.parts[0]}/.')
            check_arrow(source, number, included)


def check_arrow(source, number, included):
    """The first folder in which the two paths differ decides; a file that stands beside the folders stands apart."""
    folder = ''
    for upper, lower in zip(source.path.parts[:-1], included.parts[:-1]):
        if upper != lower:
            if folder in ORDERS:
                allowed = may_include(ORDERS[folder], lower, upper)
                if allowed is None:
                    fault(source.path, number, f'{folder or "."}: no order of {upper} and {lower} in tests/lint.py.')
                elif not allowed:
                    fault(source.path, number, f'{upper}/ includes {included}; the order is {ORDERS[folder]}.')
            return
        folder = f'{folder}/{upper}' if folder else upper


def check_cycles(tree):
    finished, open_files = set(), []

    def visit(path):
        open_files.append(path)
        for number, included in tree[path].ours():
            if included in open_files:
                cycle = ' -> '.join(map(str, [*open_files[open_files.index(included):], included]))
                fault(path, number, f'the headers include each other: {cycle}.')
            elif included in tree and included not in finished:
                visit(included)
        open_files.pop()
        finished.add(path)

    for path in tree:
        if path not in finished:
            visit(path)


def reached_from(tree, paths):
    """The headers that these include, and they themselves."""
    reached, waiting = set(), list(paths)
    while waiting:
        path = waiting.pop()
        if path in tree and path not in reached:
            reached.add(path)
            waiting += [included for _, included in tree[path].ours()]
    return reached


def installed_headers(tree):
    """Public headers and what they include of internal/: meson.build asks for these, too, by --installed."""
    return reached_from(tree, [source.path for source in tree.values()
                               if source.is_public and source.path.name not in ('precompiled.hpp', 'wengert.hpp')])


def check_exports(tree):
    """What is installed can be linked to, and nothing else."""
    installed = installed_headers(tree)
    for source in tree.values():
        if not source.is_header or not source.in_library:
            continue
        for number, line in enumerate(source.lines, 1):
            opened = re.match(r'namespace (WENGERT_EXPORT )?wengert\b', line)
            if opened and bool(opened[1]) != (source.path in installed):
                fault(source.path, number, 'the header is installed: it opens `namespace WENGERT_EXPORT wengert`.'
                      if source.path in installed else 'the header is not installed: it opens `namespace wengert`.')


def check_gathered(tree):
    """<wengert/wengert.hpp> reaches every public header."""
    reached = reached_from(tree, [Path('models/wengert.hpp')])
    for source in tree.values():
        if source.is_public and source.path not in reached and source.path.name != 'precompiled.hpp':
            top = source.path.parts[0]
            fault(source.path, 1, f'{top}/{top}.hpp does not include this public header.')


def check_libraries(tree):
    for library, headers in ONE_FILE.items():
        known = [(source.path, number) for source in tree.values() for number, _, name in source.includes
                 if source.path.parts[0] != 'tests' and re.fullmatch(rf'({headers})\.h(pp)?', name)]
        check_known(library, known)
    check_known('LAPACK', [(source.path, number) for source in tree.values()
                           for number, line in enumerate(source.lines, 1) if line == 'extern "C" {'])


def check_known(library, known):
    for path, number in known:
        if path != known[0][0]:
            fault(path, number, f'{library} is known to {known[0][0]} already, and one file is to know it.')


def check_files(tree):
    for source in tree.values():
        if len(source.lines) > LONGEST:
            fault(source.path, LONGEST + 1, f'the file has {len(source.lines)} lines, and {LONGEST} are the most.')
        if source.is_header and '#pragma once' not in source.lines and source.path.name != 'precompiled.hpp':
            fault(source.path, 1, 'the header has no #pragma once.')
    texts = [path for path in ROOT.rglob('*') if path.suffix in ('.cpp', '.hpp', '.py', '.sh', '.md', '.build')]
    for path in texts:
        name = path.relative_to(ROOT)
        if name.parts[0].startswith(('build', 'out', '.git')):
            continue
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            if re.search(r'\b([T]ODO|[F]IXME|[X]XX)\b', line):
                fault(name, number, 'what is left to do belongs into an issue, not into the tree.')


def check_built(tree):
    """The nearest meson.build above a .cpp names it, or a script beside that does: a test that is not built passes."""
    for source in tree.values():
        if source.is_header:
            continue
        folder = (ROOT / source.path).parent
        while not (folder / 'meson.build').exists():
            folder = folder.parent
        name = (ROOT / source.path).relative_to(folder)
        texts = [path.read_text(encoding='utf-8') for path in [folder / 'meson.build', *folder.glob('*.sh')]]
        if not any(f"'{name}'" in text or f"'{name.with_suffix('')}'" in text or f'/{name} ' in text for text in texts):
            fault(source.path, 1, f'{folder.relative_to(ROOT)}/meson.build does not name this file.')


def check_mirror(tree):
    """tests/x/y.cpp and tests/x/y_section.cpp test x/y.{hpp,cpp}, or the folder x/y."""
    tested = set()
    for source in tree.values():
        parts = source.path.parts
        if parts[0] != 'tests' or source.is_header or len(parts) < 3 or parts[1] == 'bench':
            continue
        for number, line in enumerate(source.lines, 1):
            if line.startswith(COVERS):
                covered = Path(line[len(COVERS):].rstrip('.'))
                tested.add(covered.with_suffix(''))
                if covered not in tree:
                    fault(source.path, number, f'{covered} does not exist.')
        mirrored = Path(*parts[1:]).with_suffix('')
        words = mirrored.name.split('_')
        names = [mirrored.with_name('_'.join(words[:count])) for count in range(len(words), 0, -1)]
        found = [name for name in names if name.with_suffix('.hpp') in tree or name.with_suffix('.cpp') in tree]
        if found:
            tested.add(found[0])
        elif not (ROOT / mirrored).is_dir() and not any(line.startswith(NO_MIRROR) for line in source.lines):
            fault(source.path, 1, f'there is no {mirrored}.hpp or .cpp; "{NO_MIRROR} reason" says that it is meant.')
    for source in tree.values():
        stem = source.path.with_suffix('')
        if source.is_public and stem.with_suffix('.cpp') in tree and stem not in tested:
            fault(source.path, 1, f'tests/{stem}.cpp does not exist; "{COVERS}{source.path}" says that a test covers it.')


def check_ops(tree):
    """ops/all_ops.cpp names each family's list, and docs/ops.md each public function."""
    listing = (ROOT / 'ops/all_ops.cpp').read_text()
    page = (ROOT / 'docs/ops.md').read_text()
    for source in tree.values():
        if source.path.parts[0] != 'ops' or not source.is_header:
            continue
        for number, line in enumerate(source.lines, 1):
            family = re.match(r'using (\w+) = OpList<', line)
            if family and not re.search(r'\b' + family[1] + r'\b', listing):
                fault(source.path, number, f'ops/all_ops.cpp does not name the list {family[1]}.')
            function = re.match(r'(?:Tensor|auto) ([a-z]\w*)\(|\w[\w:<>, *]* ([a-z]\w*)\(const (?:Input|Tensor|Operand auto)&', line)
            if function and source.is_public and source.path.name != 'reading.hpp':
                name = function[1] or function[2]
                if not re.search(r'`[^`]*\b' + name + r'[(<]', page):
                    fault(source.path, number, f'docs/ops.md does not name {name}().')


def check_pages():
    """The files that pages speak of exist; a page says the path's end. changes.md speaks of what there was."""
    files = [f'/{path.relative_to(ROOT)}' for folder in ['.', *LIBRARY, 'examples', 'tests', 'docs']
             for path in (ROOT.glob('*') if folder == '.' else (ROOT / folder).rglob('*'))]
    for page in [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]:
        if page.name == 'changes.md':
            continue
        text = page.read_text(encoding='utf-8')
        text = re.sub(r'^```.*?^```$', lambda block: '\n' * block[0].count('\n'), text, flags=re.S | re.M)
        for number, line in enumerate(text.splitlines(), 1):
            for code in re.findall(r'`([^`]+)`', line):
                for name in re.findall(r'(?<![\w.<{*/-])((?:[\w-]+/)*[\w-]{2,}\.(?:cpp|hpp|py|sh|md))\b(?![/(])', code):
                    if not any(path.endswith('/' + name) for path in files) and not name.startswith('y_'):
                        fault(page.relative_to(ROOT), number, f'there is no file {name}.')


def main():
    tree = read_tree()
    if sys.argv[1:] == ['--installed']:
        print('\n'.join(map(str, sorted(installed_headers(tree)))))
        return 0
    for check in (check_ops, check_arrows, check_cycles, check_exports, check_gathered, check_libraries, check_files, check_built, check_mirror):
        check(tree)
    check_pages()
    for file, line, sentence in sorted(set(faults)):
        print(f'{file}:{line}: {sentence}')
    print(f'{len(tree)} C++ files, {len(set(faults))} faults.')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
