import t from 'tap';
import { createScorerMetrics } from '../../../../scorer/observe/metrics.js';
import { scored } from '../../../support/scorer.js';

t.test('stage latencies in Prometheus’ cumulative buckets', async (t) => {
  const metrics = createScorerMetrics();
  const rows = [scored('a', 0, 0.5), scored('b', 0, 0.5), { ...scored('c', 0, 0.5), prediction: null }];
  metrics.committed(rows, 1_700_000_000_000 + 20 + 150);
  metrics.committed([{ ...rows[0]!, producedAt: rows[0]!.featuresAt + 9000 }], 1_700_000_000_000 + 100_000);
  const text = await metrics.text();
  const value = (name: string, stage: string, le?: string): number =>
    Number(text.split('\n').find((line) => line.startsWith(`tidemark_scorer_stage_seconds_${name}{`) && line.includes(`stage="${stage}"`) && (le === undefined || line.includes(`le="${le}"`)))?.split(' ')[1]);
  t.equal(value('count', 'event_to_features'), 3, 'a record without prediction does not count');
  t.equal(value('bucket', 'event_to_features', '0.001'), 1, 'a clock that is behind counts as 0');
  t.equal(value('bucket', 'event_to_features', '0.005'), 3, 'at the bound');
  t.equal(value('bucket', 'score_to_commit', '0.1'), 0);
  t.equal(value('bucket', 'score_to_commit', '0.2'), 2);
  t.equal(value('bucket', 'score_to_commit', '60'), 2);
  t.equal(value('bucket', 'score_to_commit', '+Inf'), 3);
  t.ok(Math.abs(value('sum', 'score_to_commit') - (0.15 + 0.15 + 99.98)) < 1e-9);
});
