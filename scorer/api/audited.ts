import type { TaggedResponse } from './problem.js';
import { guardRequest } from './admit.js';
import { methodName, type Guard, type Route } from './route.js';

/** An action that was asked for, and how it was answered. */
export interface AuditedRequest {
  /** `key:ID`; `anybody` where no key is asked for. */
  readonly actor: string;
  readonly role: string;
  readonly address: string;
  /** `POST /retrain` */
  readonly action: string;
  readonly target: string;
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly status: number;
  readonly requestId: string;
}

export type Audit = (request: AuditedRequest) => void;

/** What an operator or an admin changes is told of when it has been answered; every other route stays as it is. */
export function auditedRoute(route: Route, guard: Guard | undefined, audit: Audit | undefined): Route {
  if (audit === undefined || route.method === 'get' || (route.role !== 'operator' && route.role !== 'admin')) return route;
  const action = `${methodName(route)} ${route.path}`;
  return {
    ...route,
    handle(res: TaggedResponse, req, finish, caller) {
      const asked = guardRequest(route, res, req);
      const address = guard?.address?.(asked) ?? asked.address();
      const target = req.getUrl().slice(0, 200);
      const told = (): void => {
        const status = Number.parseInt(res.answered ?? '', 10);
        audit({
          actor: caller === undefined ? 'anybody' : `key:${caller.id}`, role: caller?.role ?? '', address, action, target, status,
          outcome: status < 400 ? 'done' : status < 500 ? 'refused' : 'failed', requestId: res.requestId ?? '',
        });
      };
      route.handle(res, req, (answer) => finish((r) => { answer(r); told(); }), caller);
    },
  };
}
