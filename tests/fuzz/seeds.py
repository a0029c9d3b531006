#!/usr/bin/env python3
"""python3 tests/fuzz/seeds.py: writes the small inputs in tests/fuzz/corpus from which fuzzing begins.

What a fuzzer found stands beside them under names that begin with "found".
"""

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / 'corpus'


def write(target, name, content):
    file = CORPUS / target / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def safetensors(header, data):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack('<Q', len(text)) + text + data


def npy(description, shape, data, order='False', version=1):
    text = f"{{'descr': '{description}', 'fortran_order': {order}, 'shape': {shape}, }}"
    prefix = 10 if version == 1 else 12
    text = text.ljust(-(-(prefix + len(text) + 1) // 64) * 64 - prefix - 1) + '\n'
    length = struct.pack('<H' if version == 1 else '<I', len(text))
    return b'\x93NUMPY' + bytes([version, 0]) + length + text.encode() + data


def npz(*entries, method=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w', method) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return buffer.getvalue()


def overlapping_npz(count):
    """Each array has the next one's entry as its elements, so that the arrays together are longer than the file."""
    inner, parts = b'', []
    for number in range(count):
        name, content = f'{number}.npy'.encode(), npy('<f4', f'({-(-len(inner) // 4)},)', inner + bytes(-len(inner) % 4))
        common = struct.pack('<HHHHHIIIHH', 20, 0, 0, 0, 33, zlib.crc32(content), len(content), len(content), len(name), 0)
        inner = b'PK\3\4' + common + name + content
        parts.append((common, name))
    central = b''.join(b'PK\1\2' + struct.pack('<H', 20) + common
                       + struct.pack('<HHHII', 0, 0, 0, 0, inner.index(b'PK\3\4' + common)) + name
                       for common, name in parts)
    return inner + central + b'PK\5\6' + struct.pack('<HHHHIIH', 0, 0, count, count, len(central), len(inner), 0)


def field(number, content):
    """A text, a number or a float of Protocol Buffers; all are short."""
    if isinstance(content, float):
        return bytes([number << 3 | 5]) + struct.pack('<f', content)
    if isinstance(content, int):
        return bytes([number << 3, content])
    content = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2, len(content)]) + content


def subword_model(model_type, pieces):
    entries = b''.join(field(1, field(1, text) + field(2, score) + field(3, kind)) for text, score, kind in pieces)
    normaliser = field(1, 'identity') + field(3, 0) + field(4, 0)
    return entries + field(2, field(3, model_type)) + field(3, normaliser)


def lines(*texts):
    return '\n'.join(texts)


def numbers(*values):
    """Small numbers as target.hpp reads them: 0 to 15, and from -15."""
    return bytes(value if value >= 0 else 160 - value for value in values)


def main():
    two = {'a': {'dtype': 'F32', 'shape': [2, 2], 'data_offsets': [0, 16]},
           'b': {'dtype': 'BOOL', 'shape': [3], 'data_offsets': [16, 19]}, '__metadata__': {'format': 'pt'}}
    write('safetensors', 'two', safetensors(two, bytes(19)))
    write('safetensors', 'empty', safetensors({}, b''))
    write('safetensors', 'halves', safetensors(
        {'x': {'dtype': 'BF16', 'shape': [0, 5], 'data_offsets': [0, 0]},
         'y': {'dtype': 'F16', 'shape': [], 'data_offsets': [0, 2]}}, bytes(2)))
    write('safetensors', 'overlapping', safetensors(
        {'x': {'dtype': 'F64', 'shape': [1], 'data_offsets': [0, 8]},
         'y': {'dtype': 'I64', 'shape': [1], 'data_offsets': [4, 12]}}, bytes(12)))
    write('safetensors', 'huge', safetensors(
        {'x': {'dtype': 'I32', 'shape': [4294967296, 2147483648], 'data_offsets': [0, 4]}}, bytes(4)))

    matrix = npy('<f4', '(2, 3)', bytes(24))
    write('npy', 'matrix', matrix)
    write('npy', 'fortran', npy('<i8', '(2, 1)', bytes(16), order='True', version=2))
    write('npy', 'scalar', npy('|b1', '()', b'\x01', version=3))
    write('npz', 'stored', npz(('a.npy', matrix), ('b.npy', npy('<f8', '(1,)', bytes(8)))))
    write('npz', 'deflated', npz(('zeros.npy', npy('<f4', '(40, 5)', bytes(800))), method=zipfile.ZIP_DEFLATED))
    write('npz', 'fortran', npz(('x.npy', npy('|V2', '(2, 2)', bytes(8), order='True'))))
    write('npz', 'nothing', npz())
    write('npz', 'overlapping', overlapping_npz(4))
    write('npz', 'text', npz(('readme.txt', b'no array')))

    config = {'version': 2, 'steps': 0, 'max_length': 10, 'source_tokenizer': {'lowercase': True, 'mode': 'words'},
              'target_tokenizer': {'lowercase': True, 'mode': 'words'}, 'system': 'bahdanau',
              'model': {'source_vocabulary': 21, 'target_vocabulary': 20, 'embedding': 3, 'hidden': 4, 'attention': 0,
                        'layers': 1, 'dropout': 0.0, 'cell': 'gru', 'readout': 'usual', 'tying': 'none'}}
    write('checkpoint_config', 'whole', json.dumps(config))
    for name, change in {'wide': {'hidden': 1000000}, 'deep': {'layers': 1000, 'hidden': 2000},
                         'embedded': {'embedding': 999999}, 'attentive': {'attention': 999999},
                         'many_tokens': {'source_vocabulary': 1048576}}.items():
        write('checkpoint_config', name, json.dumps({**config, 'model': {**config['model'], **change}}))
    write('checkpoint_config', 'transformer', json.dumps(
        {**config, 'system': 'transformer', 'model': {**config['model'], 'feed_forward': 900000, 'heads': 2}}))
    write('checkpoint_config', 'first_version', json.dumps(
        {'steps': 1, 'max_length': 10, 'tokenizer': {'mode': 'spaces', 'lowercase': False},
         'model': {'source_vocabulary': 21, 'target_vocabulary': 20}}))
    write('checkpoint_config', 'nested', '[' * 300)

    specials = ('<pad>', '<s>', '</s>', '<unk>')
    write('vocabulary', 'whole', lines(*specials, 'tom', '我', '.', ''))
    write('vocabulary', 'windows', '\ufeff' + '\r\n'.join([*specials, 'a', 'ﬁ']))
    write('vocabulary', 'twice', lines(*specials, 'a', 'a'))
    write('vocabulary', 'damaged', '\n'.join(specials).encode() + b'\n\xff\xfe\n\n')

    pairs = lines('Tom sleeps.\t汤姆睡觉。\tCC-BY', 'no tab', '\tempty', 'Hi!\t你好！\r', 'a\x00b\tc')
    for mode, name in enumerate(('words', 'characters', 'spaces')):
        write('pairs', name, bytes([mode]) + pairs.encode() + b'\nbroken \xe6\x88\tUTF-8\n')
    write('parallel', 'equal', 'One.\nTwo.\n\x00一。\n二。\n')
    write('parallel', 'longer', 'One.\nTwo.\x00一。')
    write('parallel', 'blank', '\n\n\x00\n\n')

    texts = {'english': "Don't (Tom)! a.m. 3.14 1,000 well-known ... vor- und “nachteile” woman 's &apos;&amp;lt;",
             'mixed': '我们3个人 кофе\u0301 e\u0301 \u200b\u00ad👩\u200d👩\u200d👧 ﷺ \u0307\u0327 İSTANBUL ẞ عربي',
             'marks': 'a' + '\u0301\u0327\u0323' * 30 + ' \u0301', 'hangul': '\u1100\u1161\u11a8 각 ㄱ ｶﾞ'}
    for name, text in texts.items():
        for mode in range(3):
            write('tokenizer', f'{name}_{mode}', bytes([mode + (129 if mode == 1 else 0)]) + text.encode())
    write('detokenizer', 'words', b'\x00' + lines('"', 'hi', '"', '(', 'tom', ')', ',', '我', '们', '。', '...').encode())
    write('detokenizer', 'characters', b'\x01' + lines('a', '▁', 'b', '\u0301', '').encode())
    write('detokenizer', 'no_text', b'\x02\xff\n\xe6\x88\n\n<0xE6>')
    for number, name in enumerate(('none', '13a', 'char', 'zh', 'intl')):
        write('scores', name, bytes([number]) + lines('Hello, &quot;W-9&quot; 1.5-2 。我们 €3 <skipped>',
                                                      'Hello, "W 9" 1.5 - 2 。我們 €3', 'Hello').encode())
    write('scores', 'damaged', b'\x83\xc3\x28\n\xf0\x9f\x98\n')

    pieces = [('<unk>', 0.0, 2), *((f'<0x{byte:02X}>', 0.0, 6) for byte in range(0x61, 0x65)), ('▁t', -1.0, 1),
              ('he', -2.0, 1), ('▁the', -3.0, 1), ('▁', -4.0, 1), ('t', -5.0, 1), ('o', -6.0, 1)]
    write('subwords', 'bpe', b'\x00' + subword_model(2, pieces))
    write('subwords', 'unigram', b'\x01' + subword_model(1, pieces))
    write('subwords', 'no_mark', b'\xc0' + subword_model(2, pieces[:3]))
    write('subwords', 'another_type', b'\x00' + subword_model(1, pieces))
    write('subwords', 'no_pieces', b'\x00' + subword_model(2, []))

    write('translation_request', 'full', json.dumps(
        {'text': ['Tom.', ''], 'model': 'small', 'attention': True, 'beam': 4, 'n_best': 2, 'length_penalty': 0.6}))
    write('translation_request', 'short', '{"text": "Tom."}')
    write('translation_request', 'twice', '{"text": "a", "text": "b"}')
    write('translation_request', 'numbers', '{"text": [1, null], "beam": 1e400, "max_length": -1, "sample": 18446744073709551616}')
    write('translation_request', 'deep', '{"text":' + '[' * 40 + ']' * 40 + '}')

    write('onnx_names', 'plain', lines('x', 'batch', 'y', 'weight', 'encoder', 'format', 'pt'))
    write('onnx_names', 'hostile', lines('"<&\x01', '我', 'שלום', 'weight/Mul', 'a"b', '', '\ufffe'))
    write('onnx_names', 'broken', b'x\xff\n\xc3\ny\xed\xa0\x80\nw\ns\xfe\nk\nv')
    write('onnx_names', 'same', lines('x', 'x', 'x', 'x', 'x', 'x', 'x'))
    write('onnx_names', 'long', lines('x' * 300, 'a' * 128, 'y' * 127, 'w' * 129, 's' * 200, 'k', 'v' * 600))

    write('command_line', 'train', lines('train', '--model', '/nowhere', '--hidden=8', '--preset', 'reference', '--lr', '1e-3'))
    write('command_line', 'translate', lines('translate', '--model', 'm', '--beam', '4', '--n-best', '2', '--', '-Tom', ''))
    write('command_line', 'misspelt', lines('trian', '--hiden', '4', '--=', '-', "'\"", '我'))
    write('command_line', 'configured', lines('train', '--model', 'm') + '\x00[train]\nhidden=256\nlayers=[1,2]\n"a\'=\n[[x]]\n')
    write('command_line', 'limits', lines('serve', '--model=m', '--port', '99999999999999999999', '--threads=-0', '--memory-limit', 'nan'))
    write('command_line', 'others', lines('graph', '--out', 'x.svg', '--depth', '0x10', '--color', 'op', '--color', 'time'))

    write('view', 'views', b'\x01' + numbers(2, 4, 6) + b'\x03' + numbers(2, 1, 0) + b'\x02' + numbers(3, 2, 6, 4)
          + b'\x07' + numbers(0, 2, 1) + b'\x04' + numbers(-1) + b'\x05' + numbers(-1))
    write('view', 'strides', b'\x00' + numbers(2, 3, 4, 2, 4, 1, 2) + b'\x06' + numbers(0, 1) + b'\x0c' + numbers(3, 0))
    write('view', 'overflowing', b'\x01\x02\xc9\x04' + b'\x09\x03\xc2\x04\x04' + b'\x02\x02\xc4\xc4' + b'\x0b\x02\xc5\xc6')
    write('view', 'negative', b'\x01\x03\xa1\xa1\x0c' + b'\x08\x02\x03\x01\x02\x01\x04' + b'\x0a\x01\xa1')
    write('slice', 'slices', b'\x00' + numbers(1, 1, 3) + b'\x00' + numbers(-1, -3, -1) + b'\x01' + numbers(0, -1) + b'\x02' + numbers(0))
    write('slice', 'extremes', b'\x00\x00\xc0\xc2' + b'\x01\x01\xc1' + b'\x02\x00\xc2')
    write('slice', 'empty', b'\x00' + numbers(0, 1, 1) + b'\x00' + numbers(0, 0, 0))
    for name, equation, shapes in (('product', 'ij,jk->ik', ((2, 3), (3, 1))), ('diagonal', 'ii', ((3, 3),)),
                                   ('ellipsis', '...ij, ...jk', ((2, 1, 3), (3, 2))), ('bilinear', 'bi,oij,bj->bo', ((1, 2), (3, 2, 2), (1, 2))),
                                   ('faulty', 'i.j->->..', ((2, 2),)), ('many', 'abc,cde,efg,ghi,ija->b', ((1, 2, 1), (1, 2, 3), (3, 1, 2), (2, 1, 3), (3, 1, 1))),
                                   ('zero', 'ij,ij->', ((0, 3), (0, 3)))):
        write('einsum', name, equation.encode() + b'\x00' + b'\x00'.join(bytes(length or 4 for length in shape) for shape in shapes))


if __name__ == '__main__':
    main()
