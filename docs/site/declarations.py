"""The declarations of a C++ header, as far as its documentation needs them."""

import re

# What opens a scope, behind what may stand before it.
SCOPE = re.compile(r'(?:inline\s+)?(namespace|struct|class|union|enum)\b')
NAME = re.compile(r'(operator\s*(?:\(\)|\[\]|[^\s\w(]+|[\w:<>]+)|~?\w+)\s*\(')


class Declaration:
    """A declaration: [begin, end) of a file's text, and the comment before it, which begins at `comment`."""

    def __init__(self, text, comment, begin, end, scope, body):
        self.comment, self.begin, self.end = comment, begin, end
        self.scope = scope  # the name of the class whose member it is; empty outside of classes
        self.body = body  # where a function's body begins; 0 if there is none
        self.text = text[begin:end]
        self.head = plain(self.text)
        lines = text[comment:begin].splitlines()
        self.documentation = '\n'.join(line.strip().removeprefix('///') for line in lines).strip('\n')
        opened, called = SCOPE.match(self.head), NAME.search(self.head)
        self.kind = opened[1] if opened else ''  # empty for a function, a variable, a concept
        if opened:
            named = re.match(r'(?:inline\s+)?\w+(?:\s+(?:class|WENGERT_EXPORT))*\s+(\w+)', self.head)
        else:
            named = called if not self.head.startswith('concept') else None
        self.name = named[1] if named else ''  # of a scope or a function

    def is_function(self):
        return not self.kind and bool(self.name)


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
            bare = re.sub(r'operator\s*\S+', '', re.sub(r'\(.*\)', '', head, flags=re.S))
            has_value = re.search(r'\bconcept\b|(?<![=!<>+*/-])=(?!=)', bare)
            if text[i - 1].isspace() and not has_value:
                return close, 0, i
            i = close
        else:
            i += 1
