const DEADLINE_MS = 15_000;
const RETRY_MS = 50;

/** A partition that has just been made, or whose broker has just started, has no leader that answers yet. */
const LEADERLESS: readonly string[] = ['LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION'];

/** Tries again for as long as leaders are missing, 15 s at most. @param more types of kafkajs's errors that pass in the same way here */
export async function onceLed<T>(ask: () => Promise<T>, more: readonly string[] = []): Promise<T> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const type = String((error as { type?: unknown }).type);
      if (!(LEADERLESS.includes(type) || more.includes(type)) || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
