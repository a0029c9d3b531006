"""A header as Doxygen is to read it: what a user calls, each with its documentation.

The headers say some things once, which Doxygen wants said for each declaration:

- A comment above `namespace wengert` is about the file.
- An op is a struct, which a user never names, and a public function. The struct goes, and with it the lists of ops. Of a
  scalar function it has the comment and the derivative, which the function gets.
- Functions that belong together stand below each other, and so do a struct and the function that returns it: the first
  has the comment of all.
- What is deleted, defaulted or a destructor goes, and so do visit(), describe() and specialisations, unless they have a
  comment: they say what the language or the primary template says, or what another comment has said of all of them.
- An option's meaning is a text of its struct's describe().
- A comment behind `int a, b;` is about both.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What opens a scope, behind what may stand before it.
SCOPE = re.compile(r'(?:inline\s+)?(namespace|struct|class|union|enum)\b')
NAME = re.compile(r'(operator\s*(?:\(\)|\[\]|[^\s\w(]+|[\w:<>]+)|~?\w+)\s*\(')
OP_LIST = re.compile(r'using \w+ = OpList<(.*?)>;', re.S)
OP_DOC = re.compile(r'OpDoc doc\{(.*?)\};', re.S)
TRAILING = re.compile(r' *///<([^\n]*(?:\n\s*///<[^\n]*)*)')
# What an option's describe() says of a member.
OPTION = re.compile(r'OptionText\{\s*"(\w+)",\s*"([^"]*)"')
# Of a sentence: it may be spelt like a class that it does not mean, and % keeps Doxygen from a link.
FIRST_WORD = re.compile(r'(^[/*<]* ?|[.:;] )([A-Z][a-z]+)\b(?![(:.])')
# A new line for Doxygen's commands, which is none in the text.
LINE_BREAK = '\\ilinebr '
# What ops, formulas and systems have for each other, and no caller names: of these headers what has a comment is shown.
PROTOCOLS = ['/internal/', 'models/seq2seq/systems/', 'ops/elementwise/reading.hpp', 'ops/elementwise/map.hpp', 'autograd/check/op_list.hpp']
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Declaration:
    """A declaration in a file's text: [begin, end), and the comment before it: [comment, begin), empty if there is none."""

    def __init__(self, text, comment, begin, end, scope, body):
        self.body = body  # where a function's body begins; 0 if there is none
        self.comment, self.begin, self.end = comment, begin, end
        self.scope = scope  # the name of the class whose member it is; empty outside of classes
        self.text = text[begin:end]
        head = plain(self.text)
        self.kind = match[1] if (match := SCOPE.match(head)) else ''
        called = NAME.search(head)
        self.name = called[1] if called and not self.kind and not head.startswith('concept') else ''
        if self.kind:
            named = re.match(r'(?:inline\s+)?\w+(?:\s+(?:class|WENGERT_EXPORT))*\s+(\w+)', head)
            self.name = named[1] if named else ''
        self.head = head

    def documentation(self, text):
        """The comment, as one line."""
        return '\n'.join(line.strip().removeprefix('///') for line in text[self.comment:self.begin].splitlines()).strip('\n')


def plain(head):
    """A declaration's head without templates' parameters, constraints and attributes."""
    head = re.sub(r'\[\[.*?\]\]', '', head).strip()
    while head.startswith('template'):
        head = head[skip(head, head.index('<'), '<', '>'):].strip()
        while head.startswith('requires'):
            head = head[len('requires'):].strip()
            while True:
                head = head[skip(head, 0, '(', ')'):].strip() if head.startswith('(') else \
                    re.sub(r'^[\w:]+\s*', '', head, count=1)
                if head.startswith('<'):
                    head = head[skip(head, 0, '<', '>'):].strip()
                joined = re.match(r'(\|\||&&)\s*', head)
                if not joined:
                    break
                head = head[joined.end():]
    return head


def skip(text, begin, opening, closing):
    """The position behind the bracket that closes the one at `begin`; strings and comments are passed over."""
    depth, i = 0, begin
    while i < len(text):
        if text[i] in '"\'' and not (text[i] == "'" and text[i - 1].isalnum()):
            i = behind_string(text, i)
            continue
        if text.startswith('//', i):
            i = text.find('\n', i)
            continue
        if text[i] == opening:
            depth += 1
        elif text[i] == closing and not (closing == '>' and text[i - 1] in '-='):
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    raise ValueError(f'no {closing} for the {opening} in {text[begin:begin + 80]!r}')


def behind_string(text, begin):
    quote, i = text[begin], begin + 1
    while text[i] != quote:
        i += 2 if text[i] == '\\' else 1
    return i + 1


def declarations(text, begin=0, end=None, scope=''):
    """All declarations, those of scopes behind their scope."""
    end = len(text) if end is None else end
    found, i = [], begin
    comment = None
    while i < end:
        if text[i].isspace():
            if text.startswith('\n\n', i):
                comment = None
            i += 1
        elif text.startswith('//', i):
            if text.startswith('///', i) and not text.startswith('///<', i):
                comment = i if comment is None else comment
            else:
                comment = None
            i = text.find('\n', i)
        elif text[i] == '#':
            i = re.compile(r'(?:[^\\\n]|\\.)*', re.S).match(text, i).end()
            comment = None
        elif label := re.compile(r'(public|private|protected):').match(text, i):
            i, comment = label.end(), None
        elif text[i] in ';}':
            i += 1
        else:
            stop, inner, body = behind_declaration(text, i)
            declaration = Declaration(text, i if comment is None else comment, i, stop, scope, body)
            found.append(declaration)
            if inner and declaration.kind != 'enum':
                inside = scope if declaration.kind == 'namespace' else declaration.name
                found += declarations(text, inner, stop - 1, inside)
            i, comment = stop, None
    return found


def behind_declaration(text, begin):
    """Where a declaration ends, where the scope that it opens begins, and where its body does; 0 if there is none."""
    i = begin
    while True:
        if text[i] in '"\'' and not (text[i] == "'" and text[i - 1].isalnum()):
            i = behind_string(text, i)
        elif text.startswith('//', i):
            i = text.find('\n', i)
        elif text[i] in '([':
            i = skip(text, i, text[i], ')' if text[i] == '(' else ']')
        elif text[i] == ';':
            return i + 1, 0, 0
        elif text[i] == '{':
            head, close = plain(text[begin:i]), skip(text, i, '{', '}')
            if SCOPE.match(head) and not re.search(r'[^=!<>]=[^=]', head):
                return close, i + 1, 0
            has_value = re.search(r'\bconcept\b|(?<![=!<>+*/-])=(?!=)', re.sub(r'operator\s*\S+', '', re.sub(r'\(.*\)', '', head, flags=re.S)))
            is_body = text[i - 1].isspace() and not has_value
            if is_body:
                return close, 0, i
            i = close
        else:
            i += 1


def show(path):
    """The text of a header, whose path is from the root, with as many lines."""
    text = (ROOT / path).read_text(encoding='utf-8')
    shows_all = not any(part in path.as_posix() for part in PROTOCOLS)
    ops = ops_of(text)
    options = {match[1]: match[2] for match in OPTION.finditer(joined_strings(text))}
    edits = []  # (begin, end, replacement)
    gone = []  # what is inside of these is no more

    def drop(begin, end):
        edits.append((begin, end, re.sub(r'[^\n]', '', text[begin:end])))
        gone.append((begin, end))

    about = file = ''
    if not (opened := re.search(r'\n((?:///[^\n]*\n)+)namespace WENGERT_EXPORT wengert', text)):
        file = '/** @file */'
    else:
        edits.append((opened.start(), opened.start(), '/// @file'))
        paragraphs = re.sub('^/// ?', '', opened[1], flags=re.M).split('\n\n')
        about = ''.join(' ' + LINE_BREAK * 2 + words.replace('\n', ' ') for words in paragraphs if not words.startswith('    '))
    given = ''  # the documentation of an op that has gone
    before = {}  # the last declaration of each scope, with its documentation
    for declaration in declarations(text):
        begin, end = declaration.begin, declaration.end
        if any(first <= begin < last for first, last in gone):
            continue
        if declaration.kind == 'struct' and declaration.name in ops:
            given = documentation_of_op(declaration, text)
            drop(declaration.comment, end)
            continue
        if is_list(declaration):
            drop(declaration.comment, end)
            continue
        if declaration.kind == 'namespace':
            if declaration.name.startswith('abi_'):
                edits += [(begin, begin + text[begin:].index('{') + 1, ''), (end - 1, end, '')]
            elif declaration.name == 'wengert':
                opening = text.index('{', begin) + 1
                edits.append((opening, opening, f' {file} /** @addtogroup {group_of(path)} */ /** @{{ */ '
                              f'/** @name <wengert/{path.as_posix()}>{about} */ /** @{{ */'))
                edits.append((end - 1, end - 1, '/** @} */ /** @} */ '))
            continue
        documentation = declaration.documentation(text)
        has_comment = bool(documentation)
        trailing = TRAILING.match(text, end)
        if not has_comment and not trailing:
            if goes_without(declaration) or not shows_all:
                drop(begin, end)
                continue
            if declaration.kind:
                documentation = of_options(declaration, text) or of_declaration(declaration, text)
            elif given and declaration.name:
                documentation = given
            elif declaration.name and (last := before.get(declaration.scope)) and \
                    shares_comment(last[0], declaration, text.count('\n', last[0].end, begin) == 1):
                documentation = last[1]
            elif not declaration.name and (named := re.search(r'(\w+)\s*(?:=.*|\{.*)?;$', declaration.head, re.S)):
                documentation = options.get(named[1], '')
            if documentation:
                edits.append((begin, begin, inline(documentation)))
        if value := re.match(r'(?:template <.*?>\s*)?concept \w+ (=.*\{.*)', declaration.text, re.S):
            at = begin + value.start(1)  # where Doxygen loses its way
            edits.append((at, end, '= true;' + re.sub(r'[^\n]', '', text[at:end])))
        elif not declaration.kind and not declaration.name and (split := declarators(declaration)):
            words = (documentation or (trailing[1] if trailing else '')).replace('\n', ' ')
            if words:
                edits.append((declaration.comment, trailing.end() if trailing else end,
                              '\n' * text.count('\n', declaration.comment, end) +
                              ' '.join(f'{part} /**<{words} */' for part in split)))
        elif not declaration.name and not declaration.scope and (value := re.search(r'\{.*\};$', declaration.text, re.S)):
            drop(begin + value.start(), end - 1)  # which Doxygen takes for declarations
        if declaration.body:
            drop(declaration.body + 1, end - 1)
        if declaration.name:
            given = ''
        before[declaration.scope] = declaration, documentation
    for begin, end, replacement in sorted(edits, reverse=True):
        text = text[:begin] + replacement + text[end:]
    return escaped(text.replace('[[gnu::always_inline]] ', '').replace('[[no_unique_address]] ', ''))


def public_names(path):
    """The functions and classes that a header declares for users, each of which the site must have."""
    text = (ROOT / path).read_text(encoding='utf-8')
    ops = ops_of(text)
    if any(part in path.as_posix() for part in PROTOCOLS):
        return
    for declaration in declarations(text):
        is_type = declaration.kind in ('struct', 'class') and '{' in declaration.text and declaration.name not in ops \
            and not re.match(r'\w+ \w+<', declaration.head)
        is_function = not declaration.kind and re.fullmatch(r'[a-z]\w*', declaration.name) and \
            declaration.name not in ('decltype', 'requires', 'sizeof', 'void', 'own')
        if not declaration.scope and (is_type or is_function):
            yield declaration.name


def ops_of(text):
    return {name for listed in OP_LIST.findall(text) for name in re.findall(r'\w+', listed)}


def shares_comment(first, second, is_below):
    """Whether the comment of a declaration is about the next one, too."""
    if first.kind:
        return is_below and bool(re.match(r'(?:static |inline )*' + first.name + r'\b', second.head))
    return first.name == second.name or (is_below and first.name and not first.scope)


def joined_strings(text):
    """String literals that the compiler joins, as one."""
    return re.sub(r'"\s*\n\s*"', '', text)


def inline(documentation):
    words = documentation.replace('\n', ' ').replace('*/', '')
    return f'/** {words} */ '


def group_of(path):
    """The module of a header: its folder."""
    return '_'.join(folder for folder in path.parts[:-1] if folder != 'internal')


def of_options(declaration, text):
    """Of a struct of options: whose they are."""
    if not declaration.name.endswith('Options'):
        return ''
    taker = re.search(r'(~?\w+)\((?:[^;{}()]|\{\}|\([^()]*\))*const ' + declaration.name + r'&', text[declaration.end:])
    return f' Options of {taker[1]}.' if taker else ''


def of_declaration(declaration, text):
    """Of a class that is declared inside of another, and defined behind it."""
    nested = re.match(r'class \w+::(\w+)', declaration.head)
    declared = nested and re.search(r'((?: *///[^\n]*\n)+) *class ' + nested[1] + ';', text)
    return re.sub(r' *///', '', declared[1]).strip('\n') if declared else ''


def declarators(declaration):
    """`int a = 1, b;` as `int a = 1;` and `int b;`."""
    if re.search(r'\w\{[^}]', declaration.text):  # an initializer, whose commas are its own
        return []
    match = re.fullmatch(r'((?:static |constexpr |inline |const |mutable )*[\w:]+(?:<.*?>)?[*&]? )([^;]*);', declaration.text, re.S)
    if not match:
        return []
    parts = re.split(r',\s+(?=[a-z_]\w*\s*(?:=|\{|$|,|;))', re.sub(r'\s*//[^\n]*', '', match[2]))
    return [f'{match[1]}{part};' for part in parts] if len(parts) > 1 else []


def escaped(text):
    """Comments are plain text, in which <s> is no tag."""
    def escape(match):
        if re.match(r'///<?     ', match[0]):
            return match[0]
        return '`'.join(part if odd else FIRST_WORD.sub(r'\1%\2', re.sub(r'<(?=/?[a-zA-Z])', '&lt;', part.replace(']:', ']&#58;').replace('et al. ', 'et al.&#160;')))
                        for odd, part in ((number % 2, part) for number, part in enumerate(match[0].split('`'))))
    return re.sub(r'///<?[^\n]*|/\*\*<? .*?\*/', lambda match: match[0][:4] + escape(re.match('.*', match[0][4:], re.S)) if
                  match[0][3:4] == '<' else escape(match), text)


def documentation_of_op(declaration, text):
    """Of a scalar function: its comment, and the derivative that its block has."""
    comment = declaration.documentation(text)
    row = OP_DOC.search(declaration.text)
    parts = STRING.findall(row[1]) if row else []
    if len(parts) < 2:
        return comment
    formula, derivative = parts[-2:]
    words = comment or f' {formula[0].upper()}{formula[1:]}.'
    if derivative == 'none':
        return words + ' No derivative.'
    return words if re.search('[Dd]erivatives?:', comment) else f'{words} Derivative: {derivative}.'


def is_list(declaration):
    """Whether it is one of the lists at the end of a family's file."""
    return bool(re.match(r'using \w+ = (OpList|Join)<|extern (const FormulaTable|template)|inline constexpr (auto& table_of<|OpDoc \w+\[\])'
                         r'|inline constexpr bool is_(listed|in)<', declaration.head))


def goes_without(declaration):
    """Whether it needs no comment."""
    head = declaration.head
    return bool(re.search(r'=\s*(delete|default);$', head) or declaration.name.startswith('~') or
                declaration.name in ('visit', 'describe') or
                head.startswith(('friend ', 'static_assert', 'extern template')) or re.fullmatch(r'using (\w+)::\1;', head) or
                (declaration.text.startswith('template') and
                 re.match(r'((inline|constexpr|const|static) )*(struct|class|auto|bool|[\w:]+)&? \w+<[^()]*>\s*(=|\{|:)', head)))
