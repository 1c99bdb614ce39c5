import t from 'tap';
import { domainAuc, upperTail } from '../../../../../stream-processors/drift/core/domain-auc.js';

t.test('the area of each fold, by its rows; ties count half', async (t) => {
  t.equal(domainAuc([0, 0, 1, 1], [1, 2, 3, 4], [0, 0, 0, 0])!.auc, 1);
  t.equal(domainAuc([0, 1], [5, 5], [0, 0])!.auc, 0.5);
  t.equal(domainAuc([1, 0, 1, 0], [1, 2, 2, 1], [0, 0, 1, 1])!.auc, 0.5, 'one fold 0, the other 1');
  t.equal(domainAuc([0, 1, 0, 1, 1, 1], [1, 2, 1, 2, 9, 9], [0, 0, 0, 0, 1, 1])!.auc, 1, 'a fold of one sample says nothing');
  t.equal(domainAuc([1, 1], [1, 2], [0, 0]), undefined);
});

t.test('its chance: the normal tail', async (t) => {
  for (const [z, p] of [[0, 0.5], [1.959963985, 0.025], [-1.959963985, 0.975], [6, 9.865876450376946e-10]] as const) t.ok(Math.abs(upperTail(z) / p - 1) < 1e-6, `${z}: ${upperTail(z)}`);
  const labels = Array.from({ length: 2000 }, (_, i) => i % 2);
  const scores = labels.map((_, i) => (i * 7919) % 2000);
  const { auc, p } = domainAuc(labels, scores, labels.map(() => 0))!;
  t.ok(Math.abs(auc - 0.5) < 0.05 && p > 0.01 && p < 0.99, `${auc} ${p}`);
});
