import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { z } from 'zod';
import type { Role } from '../security/core/roles.js';
import type { Problem } from './problem.js';

export type { Role } from '../security/core/roles.js';

/** Bodies by media type: a zod schema of what JSON holds, or what the bytes are otherwise. */
export type Content = Readonly<Record<string, z.ZodType | 'text' | 'bytes'>>;

export interface AnswerDoc {
  readonly what: string;
  readonly content?: Content;
}

/** What GET /openapi.json says of a route. Schemas are the ones that the handler checks with. */
export interface RouteDoc {
  readonly summary: string;
  readonly tag: string;
  readonly description?: string;
  /** Parameters of the path and of the query, by name. */
  readonly path?: Readonly<Record<string, z.ZodType>>;
  readonly query?: Readonly<Record<string, z.ZodType>>;
  readonly body?: Content;
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** Statuses that are answered by problem JSON, beside those that every route may answer. */
  readonly problems?: readonly Problem['status'][];
}

/** Who sent a request, as the guard knows them. */
export interface Caller {
  /** Of the key. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
}

/** A route of the API. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'del';
  /** uWebSockets' pattern: `:name` is a part of the path. */
  readonly path: string;
  /** The least role that may use it. */
  readonly role: Role;
  readonly doc: RouteDoc;
  /**
   * Answers through `finish`, now or later. An abort handler is registered before it is called. What it needs of `req` it
   * reads at once: the request is gone when it returns.
   * @param caller undefined where no guard is set
   */
  handle(res: HttpResponse, req: HttpRequest, finish: Finish, caller?: Caller): void;
}

/** Answers once, corked: does nothing after an answer, or where the client has gone. */
export type Finish = (answer: (res: HttpResponse) => void) => void;

/** What a guard sees of a request; read while it is asked, not later. */
export interface GuardRequest {
  readonly route: Pick<Route, 'method' | 'path' | 'role'>;
  /** A header's value by its lower-case name; empty where it is absent. */
  header(name: string): string;
  query(): string;
  /** The client's address as text. */
  address(): string;
}

export interface Admission {
  /** Undefined where no key is asked for. */
  readonly caller?: Caller;
  /** Headers of the answer, as name and value in turn. */
  readonly headers?: readonly string[];
}

/** Asked before a route's handler and before an upgrade. The server knows nothing of keys, limits or addresses. */
export interface Guard {
  admit(request: GuardRequest): Admission | Problem;
  /** Headers of every answer, as name and value in turn; an admission's include them. */
  readonly common?: readonly string[];
  /** For what stays open: `end` is called once its caller would not be let in any more. @returns what to call when it has ended by itself */
  watch?(caller: Caller | undefined, end: () => void): () => void;
  /** Whose request it is: the client's address, behind trusted proxies too. */
  address?(request: GuardRequest): string;
  /** The headers that answer a preflight; null where the page may not ask. Absent: pages of other origins may nothing. */
  preflight?(origin: string): readonly string[] | null;
}

export const methodName = ({ method }: Pick<Route, 'method'>): string => (method === 'del' ? 'DELETE' : method.toUpperCase());
