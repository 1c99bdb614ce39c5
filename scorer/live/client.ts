/** Live scores for browsers and Node: connects, subscribes, and after a break goes on from where it was. Imports nothing. */
export interface LiveScoresOptions {
  /** `ws://127.0.0.1:8080/ws` */
  readonly url: string;
  /** Conditions of a subscribe message; all scores where there are none. */
  readonly subscription?: Readonly<Record<string, unknown>>;
  /** Each message in order: snapshot, live, score, gap and the others of GET /asyncapi.json. */
  onMessage(message: LiveScoresMessage): void;
  onState?(state: 'connecting' | 'connected' | 'waiting' | 'closed'): void;
  /** Subprotocols, where a key travels in one. */
  readonly protocols?: string[];
  /** Where there is no global WebSocket (Node before 22). */
  readonly WebSocket?: new (url: string, protocols?: string[]) => SocketLike;
  /** Between 0 and 1, for the time before connecting again. */
  random?(): number;
  readonly retryMs?: { readonly least: number; readonly most: number };
  /** A connection that says nothing for so long, pings included, is given up. */
  readonly silenceMs?: number;
}
export type LiveScoresMessage = { readonly type: string; readonly id?: string } & Readonly<Record<string, unknown>>;
export interface SocketLike {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  send(text: string): void;
  close(): void;
}

export function liveScores(options: LiveScoresOptions): { subscribe(subscription: Readonly<Record<string, unknown>>): void; close(): void } {
  const { onMessage, onState, protocols, random = Math.random, retryMs = { least: 500, most: 30_000 }, silenceMs = 45_000 } = options;
  const Socket = options.WebSocket ?? (globalThis as unknown as { WebSocket: NonNullable<LiveScoresOptions['WebSocket']> }).WebSocket;
  const url = new URL(options.url);
  url.searchParams.set('subscribe', 'later');
  let { subscription = {} } = options;
  let socket: SocketLike | undefined;
  let open = false;
  let since: string | undefined;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let heardAt = 0;

  const ask = (): void => socket?.send(JSON.stringify({ type: 'subscribe', ...subscription, since }));
  function connect(): void {
    onState?.('connecting');
    const mine = (socket = new Socket(url.href, protocols));
    heardAt = Date.now();
    timer = setTimeout(watch, silenceMs / 3);
    mine.onopen = () => { open = true; ask(); };
    mine.onmessage = ({ data }: { data: unknown }) => {
      if (mine !== socket) return;
      heardAt = Date.now();
      const message = JSON.parse(String(data)) as LiveScoresMessage;
      if (message.type === 'subscribed') { failures = 0; onState?.('connected'); }
      if (message.id !== undefined) since = message.id;
      onMessage(message);
    };
    // Node's WebSocket tells a connection that never came about by an error alone, browsers by both.
    mine.onclose = mine.onerror = () => { if (mine === socket) again(); };
  }
  function watch(): void {
    if (Date.now() - heardAt > silenceMs) { socket?.close(); return again(); }
    if (open) socket?.send('{"type":"ping"}');
    timer = setTimeout(watch, silenceMs / 3);
  }
  /** Waits half to all of a time that doubles: many clients do not come back at once. */
  function again(): void {
    clearTimeout(timer);
    socket = undefined;
    open = false;
    onState?.('waiting');
    timer = setTimeout(connect, (0.5 + random() / 2) * Math.min(retryMs.most, retryMs.least * 2 ** failures++));
  }

  connect();
  return {
    subscribe(next) { subscription = next; since = undefined; if (open) ask(); },
    close() { clearTimeout(timer); const last = socket; socket = undefined; last?.close(); onState?.('closed'); },
  };
}
