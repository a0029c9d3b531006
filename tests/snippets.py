#!/usr/bin/env python3
"""Compiles and runs every C++ snippet of the documents.

    python3 tests/snippets.py BUILD COMPILER... [-Werror]

BUILD is a build directory whose libraries are compiled, COMPILER the command that compiled them. The snippets of a page
are one program. A snippet is the body of a function, unless a comment before it, which a reader does not see, says more:

    <!-- given: CODE -->         CODE stands before the snippet, in its function
    <!-- declared: CODE -->      CODE stands before that function
    <!-- declares -->            the snippet stands before the functions of those that follow
    <!-- quotes FILE -->         the snippet's lines stand in FILE one after another, and are not compiled again
    <!-- throws -->              the snippet throws, and the block that follows is what the exception says
    <!-- prints -->              a command: the block that follows is what it prints
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r'((?:<!--(?:(?!-->).)*-->\s*)*)^```cpp\n(.*?)^```$(?:\n\n```\n(.*?)\n```$)?', re.S | re.M)
COMMAND = re.compile(r'^<!-- prints -->\n```sh\n(.*?)\n```\n\n```\n(.*?)\n```$', re.S | re.M)
COMMENT = re.compile(r'<!--\s*(given:|declared:|declares|quotes|throws)\s*(.*?)\s*-->', re.S)
# Stands around what an exception says; it is in no text.
MARK = '\x1e'
# The line of the caller differs wherever the code stands.
LINE = re.compile(r'\bat \S+:\d+$', re.M)


class Page:
    """A document, and the program of its snippets."""

    def __init__(self, path):
        self.name = str(path.relative_to(ROOT))
        self.faults, self.programs, self.functions = [], [], 0
        self.declarations, self.thrown = [], []
        text = path.read_text(encoding='utf-8')
        for block in BLOCK.finditer(text):
            line = text.count('\n', 0, block.start(2)) + 1
            self.add(line, dict(COMMENT.findall(block[1])), block[2], block[3])
        self.commands = [(text.count('\n', 0, block.start()) + 1, block[1], block[2]) for block in COMMAND.finditer(text)]
        if self.functions:
            calls = ''.join(f'    snippet_{number}();\n' for number in range(self.functions))
            self.programs.append('#include <fstream>\n#include <future>\n#include <iostream>\n#include <wengert/wengert.hpp>\n'
                                 'using namespace wengert;\nnamespace {\n' + '\n'.join(self.declarations) +
                                 '\n}\nint main() {\n' + calls + '}\n')

    def add(self, line, comments, code, message):
        place = f'#line {line} "{self.name}"\n'
        if 'quotes' in comments:
            lines = [part.strip() for part in (ROOT / comments['quotes']).read_text().splitlines()]
            quoted = [part.strip() for part in code.splitlines()]
            if not any(lines[start:start + len(quoted)] == quoted for start in range(len(lines))):
                self.faults.append(f'{self.name}:{line}: {comments["quotes"]} does not have these lines.')
        elif re.search(r'^int main\(', code, re.M):
            self.programs.append(place + code)
        elif 'declares' in comments:
            self.declarations.append(comments.get('declared:', '') + '\n' + place + code)
        else:
            body = comments.get('given:', '') + f'\n{place}{code}'
            if 'throws' in comments:
                self.thrown.append((line, LINE.sub('at a line', message)))
                body = f'try {{\n{body}std::cout << "{MARK}";\n}} catch (const std::exception& error) {{\n' \
                       f'std::cout << "{MARK}" << error.what();\n}}\nstd::cout << "{MARK}";\n'
            self.declarations.append(comments.get('declared:', '') + f'\nvoid snippet_{self.functions}() {{\n{body}}}\n')
            self.functions += 1

    def compare(self, printed):
        """What a program of snippets that throw has printed."""
        said = [LINE.sub('at a line', text) for text in printed.split(MARK)[1::2]]
        for (line, expected), text in zip(self.thrown, said):
            if text != expected:
                self.faults.append(f'{self.name}:{line}: throws "{text}", not "{expected}"')

    def try_commands(self, build):
        path = {**os.environ, 'PATH': f'{build}/examples:{os.environ["PATH"]}'}
        for line, command, expected in self.commands:
            with tempfile.TemporaryDirectory() as folder:
                ran = subprocess.run(command, shell=True, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     text=True, check=False, env=path, timeout=240)
            if ran.stdout.rstrip('\n') != expected:
                self.faults.append(f'{self.name}:{line}: `{command}` prints "{ran.stdout}"')


def run(page, build, compiler, flags):
    faults = page.faults
    page.try_commands(build)
    for program in page.programs:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / 'snippets.cpp'
            source.write_text(program, encoding='utf-8')
            built = subprocess.run([*compiler, '-std=c++20', '-Wall', '-Wextra', '-Wno-unused', '-Wno-parentheses',
                                    str(source), '-o', str(source.with_suffix('')), *flags],
                                   capture_output=True, text=True, check=False)
            if built.returncode:
                faults.append(f'{page.name}: does not compile\n{built.stderr}')
                continue
            ran = subprocess.run([str(source.with_suffix(''))], cwd=folder, capture_output=True, text=True, check=False,
                                 env={**os.environ, 'LD_LIBRARY_PATH': str(build)}, timeout=240)
            if ran.returncode:
                faults.append(f'{page.name}: ends with {ran.returncode}\n{ran.stderr}')
            page.compare(ran.stdout)
    return faults


def main():
    build, compiler = Path(sys.argv[1]).resolve(), sys.argv[2:]
    os.environ['PKG_CONFIG_PATH'] = str(build / 'meson-uninstalled')
    flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'wengert-graph', 'wengert-models'],
                           check=True, capture_output=True, text=True).stdout.split()
    pages = [Page(path) for path in [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]]
    faults = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for page, found in zip(pages, pool.map(lambda page: run(page, build, compiler, flags), pages)):
            if page.programs:
                print(f'{page.name}: {page.functions} snippets, {len(page.thrown)} throw, {len(page.programs)} programs, '
                      f'{len(page.commands)} commands', flush=True)
            faults += found
    print('\n'.join(faults))
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
