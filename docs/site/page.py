"""A page of docs/ as Doxygen is to read it: with its links, its pictures and its place in the navigation."""

import html
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADING = re.compile(r'(#{1,6}) (.*)')
# Of a sentence: it may be spelt like a class that it does not mean, and % keeps Doxygen from a link.
FIRST_WORD = re.compile(r'((?:^|[.:;|-] )\**)([A-Z][a-z]+)\b(?![(:.`])', re.M)
LINK = re.compile(r'(!?)\[([^\]]*)\]\(([^)\s]+)\)')


def pages():
    """The README and the pages of docs/, each behind the first that links to it."""
    found, waiting = [], [ROOT / 'README.md']
    while waiting:
        path = waiting.pop(0)
        if path not in found:
            found.append(path)
            waiting += linked(path)
    return found + [path for path in sorted((ROOT / 'docs').glob('*.md')) if path not in found]


def linked(path):
    """The pages that one links to."""
    links = [target for _, _, target in LINK.findall(path.read_text(encoding='utf-8'))]
    targets = [(path.parent / link.partition('#')[0]).resolve() for link in links if '://' not in link and '.md' in link]
    return [target for target in targets if target.is_file()]


def identifier(path, heading=''):
    """The name of a page, or of a heading of it, for which GitHub's links have `heading`."""
    name = path.stem.lower().replace('-', '_')
    return f'{name}_{heading.replace("-", "_")}' if heading else name


def slug(heading):
    """What GitHub makes of a heading."""
    return re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')


class Site:
    """What the pages have in common: which are shown above which, and the files that they show."""

    def __init__(self):
        self.parents = {}
        for path in pages():
            for target in linked(path):
                self.parents.setdefault(target, path)
        self.files = set()

    def show(self, path):
        text = path.read_text(encoding='utf-8')
        text = re.sub(r'<!--.*?-->', lambda comment: '\n' * comment[0].count('\n'), text, flags=re.S)
        placed = set()
        parts = re.split(r'(^```.*?^```$)', text, flags=re.S | re.M)
        return ''.join(part if odd else self.prose(part, path, placed)
                       for odd, part in ((number % 2, part) for number, part in enumerate(parts)))

    def prose(self, text, path, placed):
        def heading(line):
            match = HEADING.fullmatch(line)
            if not match:
                return line
            top = match[1] == '#'
            if top and path.stem == 'README':
                return line
            return f'{line} {{#{identifier(path, "" if top else slug(match[2]))}}}'
        text = FIRST_WORD.sub(r'\1%\2', text)
        text = LINK.sub(lambda match: self.link(match, path, placed), text)
        return '\n'.join(map(heading, text.split('\n')))

    def link(self, match, path, placed):
        is_picture, words, target = match.groups()
        file, _, anchor = target.partition('#')
        if '://' in target:
            return match[0]
        linked_file = (path.parent / file).resolve() if file else path
        if not linked_file.exists():
            raise FileNotFoundError(f'{path.relative_to(ROOT)}: the link to {target} leads nowhere.')
        if is_picture:
            self.files.add(linked_file)
            return f'<img src="{linked_file.name}" alt="{html.escape(words)}"/>'
        if linked_file.suffix == '.md':
            if not anchor and self.parents.get(linked_file) == path and linked_file not in {path} | placed:
                placed.add(linked_file)
                return f'@subpage {identifier(linked_file)} "{words.replace(chr(10), " ")}"' + '\n' * words.count('\n')
            return f'[{words}](@ref {identifier(linked_file, anchor)})'
        if linked_file.is_dir():
            return words
        self.files.add(linked_file)
        return f'<a href="{linked_file.name}">{words}</a>'
