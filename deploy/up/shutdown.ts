import { messageOf } from '../../runtime/errors.js';

/** Ends what was started, the last first; steps of one stage end together. */
export interface Shutdown {
  add(stage: Stage, name: string, stop: () => Promise<void> | void): void;
  run(say: (line: string) => void): Promise<boolean>;
}

/** In the order of ending: first nothing new comes in, then what is under way is committed, then what it is kept in ends. */
export const STAGES = ['console', 'source', 'services', 'clients', 'registry', 'ClickHouse', 'Kafka', 'folder'] as const;
export type Stage = (typeof STAGES)[number];

export function createShutdown(): Shutdown {
  const steps: { stage: Stage; name: string; stop: () => Promise<void> | void }[] = [];
  return {
    add: (stage, name, stop) => { steps.push({ stage, name, stop }); },
    async run(say) {
      let clean = true;
      for (const stage of STAGES) {
        const results = await Promise.allSettled(steps.filter((step) => step.stage === stage).map(async (step) => {
          try {
            await step.stop();
          } catch (error) {
            say(`stopping ${step.name}: ${messageOf(error)}`);
            throw error;
          }
        }));
        clean &&= results.every((result) => result.status === 'fulfilled');
      }
      return clean;
    },
  };
}
