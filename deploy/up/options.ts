import type { FaultKind } from '../../stream-processors/sources/core/planted-fault.js';

/** What the command line of `tidemark up` says. */
export interface UpOptions {
  readonly source: SourceChoice;
  readonly exitWhenDone: boolean;
  readonly autoPorts: boolean;
  /** JSON lines of every process on the console, each with its name in front. */
  readonly logs: boolean;
}

export type SourceChoice =
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly file: string; readonly history?: number; readonly speed?: number; readonly map: Readonly<Record<string, string>>; readonly again: boolean }
  | {
      readonly kind: 'simulation';
      readonly historyDays?: number;
      readonly rate?: number;
      readonly acceleration?: number;
      readonly customers?: number;
      readonly seed?: number;
      readonly shiftDay?: number;
      readonly fault?: { readonly kind: FaultKind; readonly day: number; readonly days: number };
    };
