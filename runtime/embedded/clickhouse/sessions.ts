import type { Connection, Engine } from './engine.js';
import { ProtocolError } from './protocol-error.js';
import type { SessionWish } from './request.js';

interface Held { connection: Connection; busy: boolean; timer: NodeJS.Timeout | undefined }

const SESSIONS_MAX = 1_000;

/** Connections by session_id: settings, current database and temporary tables stay between the requests of one session. */
export class Sessions {
  private readonly held = new Map<string, Held>();
  constructor(private readonly engine: Engine) {}

  /** The request's connection, and what to do with it afterwards. A session serves one request at a time. */
  borrow(user: string, wish: SessionWish | undefined): { connection: Connection; done: () => void } {
    if (wish === undefined) {
      const connection = this.engine.connect();
      return { connection, done: () => void connection.close() };
    }
    const key = `${user}/${wish.id}`;
    let session = this.held.get(key);
    if (session?.busy === true) throw new ProtocolError(373, 'SESSION_IS_LOCKED', `Session ${wish.id} is locked by a concurrent client.`);
    if (session === undefined) {
      if (wish.mustExist) throw new ProtocolError(372, 'SESSION_NOT_FOUND', `Session ${wish.id} not found.`);
      if (this.held.size >= SESSIONS_MAX) throw new ProtocolError(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', `Too many sessions: ${this.held.size}, maximum ${SESSIONS_MAX}; close some or let them time out.`);
      session = { connection: this.engine.connect(), busy: false, timer: undefined };
      this.held.set(key, session);
    }
    const taken = session;
    taken.busy = true;
    clearTimeout(taken.timer);
    return {
      connection: taken.connection,
      done: () => {
        taken.busy = false;
        if (wish.closeAfter || wish.timeoutS === 0) this.end(key, taken);
        else taken.timer = setTimeout(() => this.end(key, taken), wish.timeoutS * 1000).unref();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.held].map(([key, session]) => this.end(key, session)));
  }

  private end(key: string, session: Held): Promise<void> {
    clearTimeout(session.timer);
    this.held.delete(key);
    return session.connection.close();
  }
}
