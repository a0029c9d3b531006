#!/usr/bin/env python3
"""Builds the documentation as a site, by Doxygen.

    python3 docs/site/site.py FOLDER

Writes the site to FOLDER/index.html: the pages of docs/, and the public headers. Prints each warning of Doxygen, with
the file and the line, and what the site lacks. Ends with 1 if there is any, and with 77 if there is no Doxygen.
docs/Doxyfile has the settings. header.py and page.py say what is shown of a header and of a page, text.py what the
search finds.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SITE = Path(__file__).resolve().parent
ROOT = SITE.parents[1]
sys.dont_write_bytecode = True
sys.path += [str(SITE), str(ROOT / 'tests')]
import header
import lint
import page
import text

# A line of the plan in docs/architecture.md names one folder or two: `text/  corpora   seq2seq/  translators`.
FOLDER = re.compile(r'^( *)(\w+)/ +(.*?)(?: {2,}(\w+)/ +(.*))?$', re.M)

NAVIGATION = '''<navindex>
  <tab type="mainpage" visible="yes" title="Start"/>
  <tab type="pages" visible="yes" title="Guide"/>
  <tab type="modules" visible="yes" title="Reference by folder"/>
  <tab type="classes" visible="yes" title="Classes">
    <tab type="classlist" visible="yes" title="All classes"/>
    <tab type="hierarchy" visible="yes" title="Who derives from whom"/>
  </tab>
  <tab type="namespaces" visible="yes" title="Names">
    <tab type="namespacelist" visible="yes" title="Namespaces"/>
    <tab type="namespacemembers" visible="yes" title="From A to Z"/>
  </tab>
  <tab type="files" visible="yes" title="Headers">
    <tab type="filelist" visible="yes" title="All headers"/>
  </tab>
</navindex>'''


def modules(folders):
    """What the plan of the folders, and the README for the first, say of each, as Doxygen's modules."""
    plan = re.search(r'^```\n(.*?)^```$', (ROOT / 'docs/architecture.md').read_text(encoding='utf-8'), re.S | re.M)[1]
    told, path = {}, []
    for indent, name, words, beside, more in FOLDER.findall(plan):
        path = [*path[:len(indent) // 2], name]
        told['/'.join(path)] = words
        if beside:
            told['/'.join([*path[:-1], beside])] = more
    told |= dict(re.findall(r'^\| `(\w+)/` \| (.*?) \|$', (ROOT / 'README.md').read_text(encoding='utf-8'), re.M))
    for folder in sorted(folders, key=list(told).index if set(folders) <= set(told) else str):
        inside = folder.rpartition('/')[0]
        above = f'@ingroup {inside.replace("/", "_")}\n' if inside else ''
        words = told.get(folder, folder)
        yield f'/** @defgroup {folder.replace("/", "_")} {folder}\n{above}@brief {capitalized(words)}. */\n'


def capitalized(words):
    return words if '.' in words.split()[0] else words[0].upper() + words[1:]


def write_input(folder):
    """What Doxygen reads. Returns the files that the pages show."""
    folders = set()
    for path in public_headers():
        shown = folder / 'wengert' / path
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.write_text(header.show(path), encoding='utf-8')
        folders |= {str(parent) for parent in path.parents if parent.name not in ('', 'internal')}
    site = page.Site()
    for path in page.pages():
        shown = folder / path.relative_to(ROOT)
        shown.parent.mkdir(exist_ok=True)
        shown.write_text(site.show(path), encoding='utf-8')
    namespace = '/** @namespace wengert\n@brief All names of the library. The modules show them by folder. */\n'
    (folder / 'modules.dox').write_text(namespace + ''.join(modules(folders)) + text.PAGE, encoding='utf-8')
    with (folder / 'README.md').open('a', encoding='utf-8') as start:
        start.write('\n@subpage text_search "Search the text"\n')
    return site.files | {SITE / 'text_search.js'}


def missing(target):
    """Where links lead nowhere, and what public headers declare that is not there: Doxygen does not tell."""
    pages = {path.name: path.read_text(encoding='utf-8') for path in target.glob('*.html')}
    shown = ''.join(pages.values())
    for name, content in sorted(pages.items()):
        for link in sorted(set(re.findall(r'(?:href|src|data)="([^"#:]+)["#]', content))):
            if not (target / link).exists():
                yield f'{name}: warning: the link to {link} leads nowhere.\n'
    for path in public_headers():
        for name in sorted(set(header.public_names(path))):
            if f'>{name}</a>' not in shown and f'>{name}&lt;' not in shown:
                yield f'{path}: warning: {name} is not in the site.\n'


def public_headers():
    """What is installed and not internal, and of what is internal the classes from which public ones derive."""
    tree = lint.read_tree()
    installed = sorted(lint.installed_headers(tree))
    public = [path for path in installed if 'internal' not in path.parts]
    lines = [line for path in public for line in tree[path].lines]
    bases = {f'class {base} {{' for line in lines for base in re.findall(r'\bclass \w+ : public (\w+)', line)}
    return public + [path for path in installed if path not in public and not bases.isdisjoint(tree[path].lines)]


def main():
    target, doxygen = Path(sys.argv[1]).resolve(), shutil.which('doxygen')
    if doxygen is None:
        print('There is no doxygen here.')
        return 77
    if target.exists() and any(target.iterdir()) and not (target / 'text_index.js').exists():
        sys.exit(f'{target} is no site, and stays as it is.')
    version = re.search(r"version: '(.*?)'", (ROOT / 'meson.build').read_text(encoding='utf-8'))[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = write_input(folder)
        subprocess.run([doxygen, '-l', folder / 'layout.xml'], check=True, capture_output=True)
        layout = folder / 'layout.xml'
        layout.write_text(re.sub(r'<navindex>.*</navindex>', NAVIGATION, layout.read_text(), flags=re.S))
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        settings = (ROOT / 'docs/Doxyfile').read_text(encoding='utf-8') + f'''
PROJECT_NUMBER = {version}
INPUT = README.md docs modules.dox wengert
STRIP_FROM_PATH = {folder}
STRIP_FROM_INC_PATH = {folder}
LAYOUT_FILE = layout.xml
OUTPUT_DIRECTORY = {target.parent}
HTML_OUTPUT = {target.name}
HTML_EXTRA_STYLESHEET = {SITE / 'style.css'}
HTML_EXTRA_FILES = {' '.join(map(str, sorted(files)))}
'''
        ran = subprocess.run([doxygen, '-'], input=settings, cwd=folder, capture_output=True, text=True, check=False)
    told = ran.stderr.replace(f'{folder}/wengert/', '').replace(f'{folder}/', '')
    unfound = text.write_index(target, ['index', *map(page.identifier, page.pages()[1:])])
    told += ''.join(f'{name}: warning: the search has nothing of this page.\n' for name in unfound)
    told += ''.join(missing(target))
    print(told, end='')
    print(f'{told.count("warning:")} warnings; the site is {target}/index.html.')
    return 1 if ran.returncode or 'warning:' in told else 0


if __name__ == '__main__':
    sys.exit(main())
