import { createHash } from 'node:crypto';
import t from 'tap';
import { listingKey, listingOf, listingText, objectKey, pointerText, readListing } from '../../../../../runtime/artifacts/core/dvc.js';

const A = { path: 'rows-0000.parquet', md5: 'a'.repeat(32), bytes: 10 };
const B = { path: 'manifest.json', md5: 'b'.repeat(32), bytes: 5 };

t.test('a listing is written as Python writes it, in the order of paths', async (t) => {
  t.equal(listingText([A, B]), `[{"md5": "${B.md5}", "relpath": "manifest.json"}, {"md5": "${A.md5}", "relpath": "rows-0000.parquet"}]`);
  t.equal(listingText([{ path: 'ü"\\', md5: A.md5, bytes: 1 }]), `[{"md5": "${A.md5}", "relpath": "\\u00fc\\"\\\\"}]`);
  t.equal(listingText([]), '[]');
  // the md5 that DVC 3.67 gives a folder with the one file `a` of the one byte `x`
  const x = createHash('md5').update('x').digest('hex');
  t.equal(createHash('md5').update(listingText([{ path: 'a', md5: x, bytes: 1 }])).digest('hex'), '8bc414edb28e7d415737076bb5dea17c');
});

t.test('keys are those of a DVC 3 remote', async (t) => {
  t.equal(objectKey('0123456789abcdef0123456789abcdef'), 'files/md5/01/23456789abcdef0123456789abcdef');
  t.equal(listingKey('0123456789abcdef0123456789abcdef'), 'files/md5/01/23456789abcdef0123456789abcdef.dir');
});

t.test('a pointer says sizes and names its listing', async (t) => {
  const text = pointerText('1e10', A.md5, [A, B], { note: 'a: "b"' });
  t.equal(text, `outs:\n- md5: ${A.md5}.dir\n  size: 15\n  nfiles: 2\n  hash: md5\n  path: "1e10"\nmeta:\n  note: "a: \\"b\\""\n`);
  t.equal(listingOf(text), A.md5);
  t.equal(listingOf('outs:\n- md5: nothing\n'), undefined);
  t.equal(listingOf(''), undefined);
});

t.test('a listing is read back; what is none is refused', async (t) => {
  t.same(readListing(listingText([A, B])), [{ path: B.path, md5: B.md5 }, { path: A.path, md5: A.md5 }]);
  for (const text of ['', '{', '{}', 'null', '[null]', '[{"relpath": "a"}]', '[{"md5": "../../etc", "relpath": "a"}]']) t.equal(readListing(text), undefined, text);
});
