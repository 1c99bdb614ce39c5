import t from 'tap';
import { OutputBuffer } from '../../../../runtime/kafka/output-buffer.js';

t.test('outputs beyond a broker’s batch limit are split, in order', async (t) => {
  const output = new OutputBuffer(2);
  const value = Buffer.alloc(100_000, 1);
  for (let i = 0; i < 20; i++) output.append('a', Buffer.from(String(i)), value);
  output.append('b', null, value);
  const rounds = [...output.rounds()];
  t.equal(rounds.length, 3);
  t.same(rounds.map((round) => round.map(({ topic }) => topic)), [['a', 'b'], ['a'], ['a']]);
  t.equal(rounds.flat().filter(({ topic }) => topic === 'a').reduce((sum, { messages }) => sum + messages.length, 0), 20);
  t.ok(rounds.flat().every(({ messages }) => messages.bytes <= 1_000_000 && messages.partition === 2));
  output.clear();
  t.same([[...output.rounds()].length, output.count], [0, 0], 'empty afterwards');
});

t.test('one record above the limit still goes alone, for the broker to judge', async (t) => {
  const output = new OutputBuffer(0);
  output.append('a', null, Buffer.alloc(2_000_000));
  output.append('a', null, Buffer.alloc(10));
  t.same([...output.rounds()].map(([first]) => first!.messages.length), [1, 1]);
});

t.test('outputs for other partitions go apart', async (t) => {
  const output = new OutputBuffer(0);
  output.appendTo('events', 1, null, Buffer.from('x'));
  output.appendTo('events', 1, null, Buffer.from('y'));
  output.appendTo('events', 3, null, Buffer.from('z'));
  t.same([...output.rounds()].map(([first]) => [first!.messages.partition, first!.messages.length]), [[1, 2], [3, 1]]);
});
