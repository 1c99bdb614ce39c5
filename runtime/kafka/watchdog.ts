import type { Consumer } from 'kafkajs';
import { TidemarkError } from '../errors.js';

/**
 * kafkajs consumers have been seen to stop without a word (its issues #659, #1593). A consumer that neither fetches nor
 * beats for `silentMsMax` ends the process, whose successor starts from committed state.
 * @param reachable false while the brokers do not answer anybody: silence is not the consumer's fault then
 */
export function watchProgress(consumer: Pick<Consumer, 'on'>, silentMsMax: number, fail: (error: unknown) => void, reachable: () => boolean = () => true, lookMs = 1000): { stop(): void } {
  let aliveAt = Date.now();
  const alive = (): void => { aliveAt = Date.now(); };
  for (const event of ['consumer.fetch', 'consumer.heartbeat', 'consumer.group_join'] as const) consumer.on(event, alive);
  const timer = setInterval(() => {
    if (!reachable()) alive();
    if (Date.now() - aliveAt <= silentMsMax) return;
    clearInterval(timer);
    fail(new TidemarkError('CONSUMER_STALLED', `the consumer has neither fetched nor sent a heartbeat for ${silentMsMax} ms`));
  }, lookMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
