import t from 'tap';
import { customerActivity as view } from '../../../../schemas/features/customer-activity.js';
import { featureNames } from '../../../../schemas/features/derive.js';
import { EVERYTHING, type Filter } from '../../../../scorer/live/core/filter.js';
import { BEHIND_BYTES } from '../../../../scorer/live/feed.js';
import { createLiveHub, type LiveClient, type LiveHub } from '../../../../scorer/live/hub.js';
import { messageSchemas } from '../../../../scorer/live/messages.js';
import { updateReader } from '../../../../scorer/live/update.js';
import { scoreOfPrediction } from '../../../../scorer/store/prediction.js';
import { meantFor, Shop, SlowConnection, type Received } from '../../../support/live-oracle.js';
import { seeded, seedOf, type Random } from '../../../support/random.js';
import { scored } from '../../../support/scorer.js';

const names = featureNames(view);
const TENURE = names.indexOf('tenure_days');
const CUSTOMERS = 30;
const ROWS = 10;

/** One score after the other: to the subscribers first, then to the store, as a commit does. */
class Bench {
  readonly store = new Map<string, Buffer>();
  readonly shop = new Shop();
  readonly hub: LiveHub;
  n = 0;
  constructor(readonly random: Random, waitingBytesMax: number, resumeBytesMax: number) {
    this.hub = createLiveHub({ run: 'run1', read: updateReader(view), scoreOf: scoreOfPrediction, latest: (id) => this.store.get(id), waitingBytesMax, resumeBytesMax });
  }
  batch(rows: number): ReturnType<Shop['commit']>[] {
    const { random } = this;
    const batch = Array.from({ length: rows }, () => scored(`c${random.below(CUSTOMERS)}`, ++this.n, random.below(1_000_000) / 1_000_000,
      names.map((_, i) => (i === TENURE ? random.below(400) : i)), 0, { model_version: random.pick(['v1', 'v2']), channel: random.pick(['web', 'app', '']) }));
    this.hub.publish(batch);
    for (const { customerId, prediction } of batch) this.store.set(customerId, prediction!);
    return batch.map(({ prediction }) => this.shop.commit(prediction!));
  }
  filter(): Filter {
    const { random } = this;
    const some = (values: readonly string[]): ReadonlySet<string> | null => (random.chance(0.6) ? null : new Set(values.filter(() => random.chance(0.6))));
    const up = random.pick([0.5, 0.8]);
    const customers = some(Array.from({ length: CUSTOMERS }, (_, i) => `c${i}`));
    return {
      customers: customers?.size === 0 ? null : customers, channels: some(['channel=web', 'channel=app']), tenures: some(['tenure=0-30', 'tenure=30-90', 'tenure=365+']), modelVersions: some(['v1', 'v2']),
      threshold: random.pick([0, 0, 0.3]), crossing: random.chance(0.4) ? { up, down: up - random.pick([0, 0.2]) } : null, sample: random.pick([1, 1, 0.5]),
    };
  }
}

/** A subscription and all that must come of it. */
interface Watched {
  readonly filter: Filter;
  readonly meant: { prediction_id: string; crossed?: string }[];
  readonly snapshot: string[];
  /** Messages of its connection before it. */
  readonly from: number;
}

/** Follows one subscription through what its connection received; every complaint is a failure. */
function complaints(messages: readonly Received[], meant: Watched['meant']): string[] {
  const wrong: string[] = [];
  let seq = 0;
  let dropped = 0;
  let got = 0;
  for (const message of messages) {
    const parsed = messageSchemas[message.type as keyof typeof messageSchemas].safeParse(message);
    if (!parsed.success) wrong.push(`${JSON.stringify(message)}: ${parsed.error.message}`);
    if (message.type === 'gap' && message['dropped'] !== null) dropped += message['dropped'] as number;
    if (message.type !== 'score') continue;
    const next = message['seq'] as number;
    const expected = meant[next - 1];
    if (next <= seq) wrong.push(`seq ${next} after ${seq}`);
    if (expected?.prediction_id !== message['prediction_id'] || expected?.crossed !== message['crossed']) wrong.push(`seq ${next}: ${String(message['prediction_id'])} ${String(message['crossed'])} instead of ${JSON.stringify(expected)}`);
    got++;
    if (next - got > dropped) wrong.push(`seq ${next}: ${next - got} are missing, ${dropped} were told`);
    seq = next;
  }
  if (got + dropped !== meant.length) wrong.push(`${got} received and ${dropped} told as left out of ${meant.length}`);
  return wrong;
}

t.test('random histories: exactly the scores of the filter, in order, or a notice with the number left out', async (t) => {
  const random = seeded(seedOf(77));
  t.comment(`TEST_SEED=${random.seed}`);
  let dropped = 0;
  let crossings = 0;
  for (let round = 0; round < 25; round++) {
    const bench = new Bench(random, 3000, 1_000_000);
    const { hub, shop } = bench;
    bench.batch(random.below(40));
    const clients = [1, 2, 3, 4].map((speed) => ({ slow: speed > 2, connection: new SlowConnection(), client: undefined as LiveClient | undefined, watched: new Map<string, Watched>() }));
    for (const one of clients) one.client = hub.join(one.connection);
    const caughtUp = ({ connection, client }: (typeof clients)[0]): void => { while (connection.read(1e9)) hub.drained(client!); };
    const check = (one: (typeof clients)[0], name: string): void => {
      const { filter, meant, snapshot, from } = one.watched.get(name)!;
      shop.unwatch(filter);
      one.watched.delete(name);
      const own = one.connection.received.slice(from).filter((message) => (message['subscription'] ?? '') === name);
      t.same(complaints(own, meant), [], `round ${round}, ${JSON.stringify(filter)}`);
      crossings += filter.crossing === null ? 0 : meant.length;
      if (one.slow) return;
      t.strictSame(own.filter(({ type }) => type === 'gap'), [], 'whoever reads misses nothing');
      const rows = own.filter(({ type }) => type === 'snapshot');
      const order = filter.customers === null ? rows : rows.sort((a, b) => (b['score'] as number) - (a['score'] as number));
      t.strictSame(order.map((row) => row['prediction_id']), snapshot, 'the snapshot');
    };
    for (let step = 0; step < 60; step++) {
      const one = random.pick(clients);
      const name = random.pick(['', 'a', 'b']);
      if (random.chance(0.2)) {
        if (one.watched.has(name)) {
          caughtUp(one);
          check(one, name);
          t.ok(hub.unsubscribe(one.client!, name));
        } else {
          const filter = bench.filter();
          one.watched.set(name, { filter, meant: [], snapshot: (shop.watch(filter), shop.snapshot(filter, ROWS)), from: one.connection.received.length });
          t.ok(hub.subscribe(one.client!, name, { filter, snapshotRows: ROWS }));
        }
      }
      for (const committed of bench.batch(random.below(30)))
        for (const { watched } of clients) for (const { filter, meant } of watched.values()) {
          const due = meantFor(filter, committed);
          if (due !== undefined) meant.push(due);
        }
      for (const any of clients) {
        if (!any.slow) caughtUp(any);
        else if (random.chance(0.2) && any.connection.read(random.below(20_000))) hub.drained(any.client!);
      }
    }
    for (const one of clients) {
      caughtUp(one);
      for (const name of [...one.watched.keys()]) check(one, name);
      if (one.connection.mostBuffered > BEHIND_BYTES + 20_000) t.fail(`${one.connection.mostBuffered} bytes wait in a connection`);
      hub.leave(one.client!);
    }
    dropped += hub.counts.budget.dropped;
    if (hub.counts.budget.bytes !== 0 || hub.stats().subscriptions !== 0) t.fail('something is left of clients that left');
  }
  t.ok(dropped > 200 && crossings > 200, `${dropped} left out, ${crossings} crossings`);
});

t.test('a client that comes back goes on where it was, or is told that it cannot', async (t) => {
  const random = seeded(seedOf(78));
  t.comment(`TEST_SEED=${random.seed}`);
  let resumed = 0;
  let restarted = 0;
  for (let round = 0; round < 25; round++) {
    const bench = new Bench(random, 1_000_000, random.pick([30_000, 200_000]));
    const { hub } = bench;
    const filter = { ...bench.filter(), crossing: null };
    const meant: string[] = [];
    const got: string[] = [];
    const publish = (rows: number): void => { for (const committed of bench.batch(rows)) { const due = meantFor(filter, committed); if (due !== undefined) meant.push(due.prediction_id); } };
    let since: string | undefined;
    for (let visit = 0; visit < 8; visit++) {
      const connection = new SlowConnection();
      const client = hub.join(connection);
      hub.subscribe(client, '', { filter, since, snapshotRows: ROWS });
      const read = (): void => {
        while (connection.read(1e9)) hub.drained(client);
        for (const message of connection.received.splice(0)) {
          if (message.type === 'subscribed') {
            if (message['resumed'] === true) resumed++;
            else if (since !== undefined) restarted++;
          }
          // What came while nobody was there cannot be known: begin to compare anew.
          if (message.type === 'gap') { t.equal(message['dropped'], null); meant.length = got.length = 0; }
          if (message['id'] !== undefined) since = message['id'] as string;
          if (message.type === 'score') got.push(message['prediction_id'] as string);
        }
      };
      read();
      for (let i = 0; i < 5; i++) {
        publish(random.below(15));
        read();
      }
      t.strictSame(got, meant, `visit ${visit}`);
      hub.leave(client);
      publish(random.below(60));
    }
  }
  t.ok(resumed > 10 && restarted > 10, `${resumed} went on, ${restarted} began anew`);
  t.equal(new Bench(random, 1, 1).hub.counts.resumed, 0);
});

t.test('another run’s position, and a crossing’s, begin anew with a snapshot', async (t) => {
  const bench = new Bench(seeded(1), 100_000, 100_000);
  bench.batch(20);
  for (const [since, filter] of [['run2-3', EVERYTHING], ['run1-21', EVERYTHING], ['nonsense', EVERYTHING], ['run1-20', { ...EVERYTHING, crossing: { up: 0.5, down: 0.5 } }]] as const) {
    const connection = new SlowConnection();
    bench.hub.subscribe(bench.hub.join(connection), '', { filter, since, snapshotRows: 2 });
    connection.read(1e9);
    t.match(connection.received, [{ type: 'subscribed', resumed: false }, { type: 'gap', dropped: null, seq: 0 }, { type: 'snapshot' }, { type: 'snapshot' }, { type: 'live', id: 'run1-20', rows: 2 }], since);
  }
  const connection = new SlowConnection();
  bench.hub.subscribe(bench.hub.join(connection), '', { filter: EVERYTHING, since: 'run1-18', snapshotRows: 2 });
  connection.read(1e9);
  t.match(connection.received, [{ type: 'subscribed', resumed: true }, { type: 'score', seq: 1, id: 'run1-19' }, { type: 'score', seq: 2, id: 'run1-20' }]);
  t.equal(connection.received.length, 3);
});

t.test('a subscription that replaces a slow one of its name tells what that one left out', async (t) => {
  const bench = new Bench(seeded(2), 2000, 0);
  const connection = new SlowConnection();
  const client = bench.hub.join(connection);
  bench.hub.subscribe(client, 'x', { filter: EVERYTHING, snapshotRows: 0 });
  bench.batch(400);
  t.ok(bench.hub.stats().behind === 1 && bench.hub.counts.budget.bytes > 0 && bench.hub.counts.budget.bytes <= 2000);
  bench.hub.subscribe(client, 'x', { filter: EVERYTHING, snapshotRows: 0 });
  while (connection.read(1e9)) bench.hub.drained(client);
  bench.batch(1);
  connection.read(1e9);
  const scores = connection.received.filter(({ type }) => type === 'score');
  const gaps = connection.received.filter(({ type }) => type === 'gap');
  t.equal(scores.at(-1)?.['seq'], 401);
  t.equal(scores.length + gaps.reduce((sum, gap) => sum + (gap['dropped'] as number), 0), 401);
});

t.test('bounds: crossings that differ, answers that are not read', async (t) => {
  const bench = new Bench(seeded(3), 100_000, 0);
  const client = bench.hub.join(new SlowConnection());
  const crossing = (up: number): Filter => ({ ...EVERYTHING, crossing: { up, down: up } });
  for (let i = 1; i <= 64; i++) t.ok(bench.hub.subscribe(client, `s${i}`, { filter: crossing(i / 100), snapshotRows: 0 }));
  t.notOk(bench.hub.mayWatch(crossing(0.99)));
  t.notOk(bench.hub.subscribe(client, 'one more', { filter: crossing(0.99), snapshotRows: 0 }));
  t.ok(bench.hub.subscribe(client, 'one that others watch', { filter: crossing(0.5), snapshotRows: 0 }));
  bench.hub.unsubscribe(client, 's1');
  t.ok(bench.hub.mayWatch(crossing(0.99)));
  t.notOk(bench.hub.unsubscribe(client, 's1'));
  let answers = 0;
  while (bench.hub.notify(client, `{"type":"pong","pad":"${'x'.repeat(10_000)}"}`)) answers++;
  t.ok(answers >= 16 && answers < 40, `${answers} answers`);
});

t.test('a deleted customer is nobody’s highest risk', async (t) => {
  const bench = new Bench(seeded(4), 100_000, 0);
  const commit = (id: string, score: number, deleted = false): void => {
    const row = { ...scored(id, ++bench.n, score), ...(deleted ? { prediction: null } : {}) };
    bench.hub.publish([row]);
    if (deleted) bench.store.delete(id);
    else bench.store.set(id, row.prediction!);
  };
  commit('a', 0.9);
  commit('b', 0.8);
  commit('a', 0, true);
  const connection = new SlowConnection();
  bench.hub.subscribe(bench.hub.join(connection), '', { filter: { ...EVERYTHING, crossing: { up: 0.7, down: 0.5 } }, snapshotRows: 10 });
  commit('a', 0.95);
  connection.read(1e9);
  t.match(connection.received.slice(1), [{ type: 'snapshot', customer_id: 'b' }, { type: 'live', rows: 1 }, { type: 'score', customer_id: 'a', crossed: 'up' }]);
});
