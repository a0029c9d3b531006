"""The text search of the site: Doxygen's own search knows names and titles alone."""

import html.parser
import json
import re

# The pages whose text is searched: those of docs/, and of headers the modules and the classes.
UNSEARCHED = re.compile(r'.*(_8hpp|-members|dir_\w+)\.html|(annotated|classes|files|hierarchy|modules|namespace\w*|'
                        r'pages|text_search|concept\w*)\.html')
BLOCKS = {'p', 'li', 'td', 'th', 'pre', 'h1', 'h2', 'h3', 'dd', 'dt'}
PAGE = '''/** @page text_search Search the text
@htmlonly
<input id="text-query" type="search" placeholder="words that a passage has" aria-label="Search the text">
<div id="text-found"></div>
<script src="text_index.js"></script>
<script src="text_search.js"></script>
@endhtmlonly
*/
'''


class Passages(html.parser.HTMLParser):
    """The passages of a page, each with the last anchor before it."""

    def __init__(self):
        super().__init__()
        self.title, self.anchor, self.passages = '', '', []
        self.words, self.depth, self.is_inside, self.is_title, self.unread = [], 0, False, False, 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        classes = (attributes.get('class') or '').split()
        if tag == 'div':
            self.is_title = 'title' in classes
        if 'contents' in classes:
            self.is_inside = True
        if tag in ('script', 'style'):
            self.unread += 1
        if self.is_inside and tag == 'a' and 'id' in attributes:
            self.finish()
            self.anchor = attributes['id']
        if tag in BLOCKS or (tag == 'div' and 'line' not in classes):
            self.finish()

    def handle_endtag(self, tag):
        if tag == 'div':
            self.is_title = False
        if tag in ('script', 'style'):
            self.unread -= 1
        if tag in BLOCKS:
            self.finish()

    def handle_data(self, data):
        if self.is_title:
            self.title += data
        elif self.is_inside and not self.unread:
            self.words.append(data)

    def finish(self):
        text = ' '.join(''.join(self.words).split())
        self.words = []
        if len(text) > 2 and not text.endswith('More...'):  # whose whole stands below
            self.passages.append((self.anchor, text))


def write_index(target, names):
    """Writes text_index.js: a list of [title, address, passage], first of the pages of these names. What several pages
    say stands once. Returns the pages of these names that have no passage."""
    order = {f'{name}.html': place for place, name in enumerate(names)}
    index, known = [], set()
    for path in sorted(target.glob('*.html'), key=lambda path: (order.get(path.name, len(order)), path.name)):
        if UNSEARCHED.fullmatch(path.name):
            continue
        page = Passages()
        page.feed(path.read_text(encoding='utf-8'))
        page.finish()
        for anchor, text in page.passages:
            if text not in known:
                known.add(text)
                address = f'{path.name}#{anchor}' if anchor else path.name
                index.append([page.title.strip().removesuffix(' Reference'), address, text])
    script = f'const textIndex = {json.dumps(index, ensure_ascii=False)};\n'
    (target / 'text_index.js').write_text(script, encoding='utf-8')
    return [name for name in order if not any(address.startswith(name) for _, address, _ in index)]
