"""A header as Doxygen is to read it: what a user calls, each with its documentation.

The headers say some things once, which Doxygen wants said for each declaration:

- A comment above `namespace wengert` is about the file.
- An op is a struct, which a user never names, and a public function. The struct goes, and with it the lists of ops. Of
  a scalar function it has the comment and the derivative, which the function gets.
- Functions that belong together stand below each other, and so do a struct and the function that returns it: the first
  has the comment of all.
- What is deleted, defaulted or a destructor goes, and so do visit(), describe() and specialisations, unless they have a
  comment: they say what the language or the primary template says, or what another comment has said of all of them.
- An option's meaning is a text of its struct's describe().
- A comment behind `int a, b;` is about both.
"""

import re
from pathlib import Path

from declarations import declarations

ROOT = Path(__file__).resolve().parents[2]
# What ops, formulas and systems have for each other, and no caller names: of these headers what has a comment is shown.
PROTOCOLS = ['/internal/', 'models/seq2seq/systems/', 'ops/elementwise/reading.hpp', 'ops/elementwise/map.hpp',
             'autograd/check/op_list.hpp']
FILE_COMMENT = re.compile(r'\n((?:///[^\n]*\n)+)namespace WENGERT_EXPORT wengert')
TRAILING = re.compile(r' *///<([^\n]*(?:\n\s*///<[^\n]*)*)')
OP_LIST = re.compile(r'using \w+ = OpList<(.*?)>;', re.S)
OP_DOC = re.compile(r'OpDoc doc\{(.*?)\};', re.S)
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
# What an option's describe() says of a member, in strings that the compiler joins.
OPTION = re.compile(r'OptionText\{\s*"(\w+)",\s*((?:"[^"]*"\s*)+)')
# The lists and tables at the end of a family's file.
LISTS = re.compile(r'using \w+ = (OpList|Join)<|extern (const FormulaTable|template)|'
                   r'inline constexpr (auto& table_of<|bool is_(listed|in)<)')
SPECIALISATION = re.compile(r'((inline|constexpr|const|static) )*(struct|class|auto|bool|[\w:]+)&? \w+<[^()]*>\s*[={:]')
# Of a sentence: it may be spelt like a class that it does not mean, and % keeps Doxygen from a link.
FIRST_WORD = re.compile(r'(^[/*<]* ?|[.:;] )([A-Z][a-z]+)\b(?![(:.])')
# A new line for Doxygen's commands, which is none in the text.
LINE_BREAK = '\\ilinebr '


def show(path):
    """The text of a header, whose path is from the root, with as many lines."""
    return Header(path).shown()


class Header:
    """A header, and what changes of it."""

    def __init__(self, path):
        self.path = path
        self.text = (ROOT / path).read_text(encoding='utf-8')
        self.shows_all = not is_protocol(path)
        self.ops = ops_of(self.text)
        self.options = {name: ''.join(STRING.findall(strings)) for name, strings in OPTION.findall(self.text)}
        self.edits = []  # (begin, end, replacement)
        self.gone = []  # (begin, end): what is inside is no more
        self.of_op = ''  # the documentation of an op that has gone, for its function
        self.last = {}  # the last declaration of each scope, with its documentation

    def shown(self):
        for declaration in declarations(self.text):
            if any(begin <= declaration.begin < end for begin, end in self.gone):
                continue
            if declaration.kind == 'namespace':
                self.open_namespace(declaration)
            elif declaration.kind == 'struct' and declaration.name in self.ops:
                self.of_op = documentation_of_op(declaration)
                self.drop(declaration.comment, declaration.end)
            elif LISTS.match(declaration.head):
                self.drop(declaration.comment, declaration.end)
            else:
                self.show(declaration)
        text = self.text
        for begin, end, replacement in sorted(self.edits, reverse=True):
            text = text[:begin] + replacement + text[end:]
        return escaped(text.replace('[[gnu::always_inline]] ', '').replace('[[no_unique_address]] ', ''))

    def drop(self, begin, end):
        self.edits.append((begin, end, newlines(self.text[begin:end])))
        self.gone.append((begin, end))

    def open_namespace(self, namespace):
        """What is in `wengert` belongs to the module of the folder, under the header's name and its comment."""
        opening = self.text.index('{', namespace.begin) + 1
        if namespace.name.startswith('abi_'):
            self.edits += [(namespace.begin, opening, ''), (namespace.end - 1, namespace.end, '')]
        if namespace.name != 'wengert':
            return
        file, about = '/** @file */', ''
        if comment := FILE_COMMENT.search(self.text):
            file = ''
            self.edits.append((comment.start(), comment.start(), '/// @file'))
            paragraphs = re.sub('^/// ?', '', comment[1], flags=re.M).split('\n\n')
            about = ''.join(' ' + LINE_BREAK * 2 + words.replace('\n', ' ')
                            for words in paragraphs if not words.startswith('    '))
        self.edits.append((opening, opening,
                           f' {file} /** @addtogroup {module_of(self.path)} */ /** @{{ */ '
                           f'/** @name <wengert/{self.path.as_posix()}>{about} */ /** @{{ */'))
        self.edits.append((namespace.end - 1, namespace.end - 1, '/** @} */ /** @} */ '))

    def show(self, declaration):
        begin, end = declaration.begin, declaration.end
        documentation, trailing = declaration.documentation, TRAILING.match(self.text, end)
        if not documentation and not trailing:
            if goes_without(declaration) or not self.shows_all:
                return self.drop(begin, end)
            if documentation := self.found_elsewhere(declaration):
                self.edits.append((begin, begin, f'/** {one_line(documentation)} */ '))
        if value := re.match(r'(?:template <.*?>\s*)?concept \w+ (=.*\{.*)', declaration.text, re.S):
            at = begin + value.start(1)  # where Doxygen loses its way
            self.edits.append((at, end, '= true;' + newlines(self.text[at:end])))
        elif parts := declarators(declaration):
            words = one_line(documentation or (trailing[1] if trailing else ''))
            whole = trailing.end() if trailing else end
            if words:
                self.edits.append((declaration.comment, whole, newlines(self.text[declaration.comment:end]) +
                                   ' '.join(f'{part} /**<{words} */' for part in parts)))
        elif not declaration.is_function() and not declaration.kind and not declaration.scope and \
                (value := re.search(r'\{.*\};$', declaration.text, re.S)):
            self.drop(begin + value.start(), end - 1)  # which Doxygen takes for declarations
        if declaration.body:
            self.drop(declaration.body + 1, end - 1)
        if declaration.name:
            self.of_op = ''
        self.last[declaration.scope] = declaration, documentation
        return None

    def found_elsewhere(self, declaration):
        """The documentation of a declaration without a comment, if the header has it elsewhere; else empty."""
        if declaration.kind:
            return self.of_options(declaration) or self.of_nested(declaration)
        if not declaration.name:
            member = re.search(r'(\w+)\s*(?:=.*|\{.*)?;$', declaration.head, re.S)
            return self.options.get(member[1], '') if member else ''
        if self.of_op:
            return self.of_op
        before, documentation = self.last.get(declaration.scope, (None, ''))
        if before is None:
            return ''
        is_below = self.text.count('\n', before.end, declaration.begin) == 1
        return documentation if shares_comment(before, declaration, is_below) else ''

    def of_options(self, struct):
        """Of a struct of options: whose they are."""
        taker = re.search(r'(~?\w+)\((?:[^;{}()]|\{\}|\([^()]*\))*const ' + struct.name + '&', self.text[struct.end:])
        return f' Options of {taker[1]}.' if taker and struct.name.endswith('Options') else ''

    def of_nested(self, definition):
        """Of a class that is declared inside of another, and defined behind it."""
        nested = re.match(r'class \w+::(\w+)', definition.head)
        declared = nested and re.search(r'((?: *///[^\n]*\n)+) *class ' + nested[1] + ';', self.text)
        return re.sub(r' *///', '', declared[1]).strip('\n') if declared else ''


def public_names(path):
    """The functions and classes that a header declares for users, each of which the site must have."""
    text = (ROOT / path).read_text(encoding='utf-8')
    ops = ops_of(text)
    if is_protocol(path):
        return
    for declaration in declarations(text):
        is_type = declaration.kind in ('struct', 'class') and '{' in declaration.text and \
            declaration.name not in ops and not re.match(r'\w+ \w+<', declaration.head)
        is_function = declaration.is_function() and re.fullmatch(r'[a-z]\w*', declaration.name) and \
            declaration.name not in ('decltype', 'requires', 'sizeof', 'void', 'own')
        if not declaration.scope and (is_type or is_function):
            yield declaration.name


def is_protocol(path):
    return any(part in path.as_posix() for part in PROTOCOLS)


def module_of(path):
    """The module of a header is its folder."""
    return '_'.join(folder for folder in path.parts[:-1] if folder != 'internal')


def ops_of(text):
    return {name for listed in OP_LIST.findall(text) for name in re.findall(r'\w+', listed)}


def documentation_of_op(struct):
    """Of a scalar function: its comment, and the derivative that its block has."""
    row = OP_DOC.search(struct.text)
    parts = STRING.findall(row[1]) if row else []
    if len(parts) < 2:
        return struct.documentation
    formula, derivative = parts[-2:]
    words = struct.documentation or f' {formula[0].upper()}{formula[1:]}.'
    if derivative == 'none':
        return words + ' No derivative.'
    return words if re.search('[Dd]erivatives?:', words) else f'{words} Derivative: {derivative}.'


def goes_without(declaration):
    """Whether it needs no comment."""
    head = declaration.head
    return bool(re.search(r'=\s*(delete|default);$', head) or declaration.name.startswith('~') or
                declaration.name in ('visit', 'describe') or re.fullmatch(r'using (\w+)::\1;', head) or
                head.startswith(('friend ', 'static_assert', 'extern template')) or
                (declaration.text.startswith('template') and SPECIALISATION.match(head)))


def shares_comment(first, second, is_below):
    """Whether the comment of a declaration is about the next one, too."""
    if first.kind:
        return is_below and bool(re.match(r'(?:static |inline )*' + first.name + r'\b', second.head))
    return first.name == second.name or (is_below and first.name and not first.scope)


def declarators(declaration):
    """`int a = 1, b;` as `int a = 1;` and `int b;`; empty unless there are several."""
    # The commas of an initializer are its own.
    if declaration.kind or declaration.name or re.search(r'\w\{[^}]', declaration.text):
        return []
    match = re.fullmatch(r'((?:static |constexpr |inline |const |mutable )*[\w:]+(?:<.*?>)?[*&]? )([^;]*);',
                         declaration.text, re.S)
    parts = re.split(r',\s+(?=[a-z_]\w*\s*(?:=|\{|$|,|;))', re.sub(r'\s*//[^\n]*', '', match[2])) if match else []
    return [f'{match[1]}{part};' for part in parts] if len(parts) > 1 else []


def newlines(text):
    return '\n' * text.count('\n')


def one_line(documentation):
    return documentation.replace('\n', ' ').replace('*/', '')


def escaped(text):
    """Comments are plain text, in which <s> is no tag, "[n]: " no link and a first word no class."""
    return re.sub(r'(///<?)([^\n]*)|(/\*\*<?)( .*?\*/)', escaped_comment, text)


def escaped_comment(comment):
    mark, words = comment[1] or comment[3], comment[2] if comment[1] else comment[4]
    if mark.startswith('//') and words.startswith('     '):  # code
        return comment[0]
    parts = (mark + words if mark in ('///', '/**') else words).split('`')
    for number in range(0, len(parts), 2):  # what is not code
        part = parts[number].replace(']:', ']&#58;').replace('et al. ', 'et al.&#160;')
        parts[number] = FIRST_WORD.sub(r'\1%\2', re.sub(r'<(?=/?[a-zA-Z])', '&lt;', part))
    return ('' if mark in ('///', '/**') else mark) + '`'.join(parts)
