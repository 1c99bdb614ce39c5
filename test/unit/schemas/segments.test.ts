import t from 'tap';
import { TENURE_SEGMENTS, tenureSegment, tenureSegmentSql } from '../../../schemas/segments.js';

t.test('a band holds its lower bound and not its upper one', async (t) => {
  t.same(TENURE_SEGMENTS, ['tenure=0-30', 'tenure=30-90', 'tenure=90-180', 'tenure=180-365', 'tenure=365+']);
  t.same([-1, 0, 29.999, 30, 364.9, 365, 1e9, NaN].map(tenureSegment), ['tenure=0-30', 'tenure=0-30', 'tenure=0-30', 'tenure=30-90', 'tenure=180-365', 'tenure=365+', 'tenure=365+', '']);
});

t.test('the SQL has the same bounds', async (t) => {
  t.equal(tenureSegmentSql('x'), "multiIf(isNaN(x), '', x < 30, 'tenure=0-30', x < 90, 'tenure=30-90', x < 180, 'tenure=90-180', x < 365, 'tenure=180-365', 'tenure=365+')");
});
