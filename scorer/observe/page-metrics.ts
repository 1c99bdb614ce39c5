import { Counter, type Registry } from 'prom-client';

/** By question. */
export type PageCounts = ReadonlyMap<string, { readonly answered: number; readonly failed: number }>;

/** Metrics of the live page, looked up when they are read. */
export function watchPage(registers: Registry[], counts: PageCounts): void {
  new Counter({
    name: 'tidemark_scorer_page_queries_total', help: 'Questions of the live page to ClickHouse.', labelNames: ['query', 'outcome'], registers,
    collect() {
      this.reset();
      for (const [query, { answered, failed }] of counts) {
        this.inc({ query, outcome: 'answered' }, answered);
        this.inc({ query, outcome: 'failed' }, failed);
      }
    },
  });
}
