import type { Consumer } from 'kafkajs';
import { TidemarkError } from '../errors.js';

/**
 * kafkajs consumers have been seen to stop without a word (its issues #659, #1593). A consumer that neither fetches nor
 * beats for `silentMsMax` ends the process, whose successor starts from committed state.
 */
export function watchProgress(consumer: Consumer, silentMsMax: number, fail: (error: unknown) => void): { stop(): void } {
  let aliveAt = Date.now();
  const alive = (): void => { aliveAt = Date.now(); };
  consumer.on('consumer.fetch', alive);
  consumer.on('consumer.heartbeat', alive);
  consumer.on('consumer.group_join', alive);
  const timer = setInterval(() => {
    if (Date.now() - aliveAt <= silentMsMax) return;
    clearInterval(timer);
    fail(new TidemarkError('CONSUMER_STALLED', `the consumer has neither fetched nor sent a heartbeat for ${silentMsMax} ms`));
  }, 1000);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
