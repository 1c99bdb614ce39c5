import { liveScores } from 'tidemark/client';

/** The client module in a process of its own, with the platform's WebSocket: a JSON line for each message and state. */
const [url, subscription] = process.argv.slice(2);
liveScores({
  url: url!, subscription: JSON.parse(subscription!) as Record<string, unknown>, retryMs: { least: 50, most: 400 }, random: () => 0.5, silenceMs: 60_000,
  onMessage: (message) => console.log(JSON.stringify(message)),
  onState: (state) => console.log(JSON.stringify({ state })),
});
