import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { Item } from './items.js';
import { readLines } from './ndjson.js';
import { inOrder } from './scan.js';

export interface SortBounds {
  /** Items that are held in memory at once. */
  readonly run_items: number;
  /** Files that are read at once. */
  readonly fan_in: number;
}
const BOUNDS: SortBounds = { run_items: 200_000, fan_in: 64 };
const BLOCK_ITEMS = 1000;

/**
 * The items in event-time order, whatever their number: sorted in memory up to a bound, beyond it in sorted runs on disk
 * that are merged. The temporary folder is removed when the generator ends.
 * @param folder where temporary files may stand
 */
export async function* sortItems(source: AsyncIterable<Item[]>, folder: string, bounds: SortBounds = BOUNDS): AsyncGenerator<Item[]> {
  let buffer: Item[] = [];
  let temporary: string | undefined;
  let runs: string[] = [];
  let made = 0;
  const newRun = async (items: AsyncIterable<Item[]> | Iterable<Item[]>): Promise<string> => {
    if (temporary === undefined) {
      await mkdir(folder, { recursive: true });
      temporary = await mkdtemp(join(folder, 'sort-'));
    }
    const path = join(temporary, `run-${made++}`);
    await pipeline(Readable.from(encodeBlocks(items)), createWriteStream(path));
    return path;
  };
  try {
    for await (const items of source) {
      for (const item of items) buffer.push(item);
      if (buffer.length < bounds.run_items) continue;
      runs.push(await newRun([buffer.sort(inOrder)]));
      buffer = [];
    }
    buffer.sort(inOrder);
    if (runs.length === 0) {
      yield* blocksOf(buffer);
      return;
    }
    runs.push(await newRun([buffer]));
    buffer = [];
    while (runs.length > bounds.fan_in) {
      const some = runs.slice(0, bounds.fan_in);
      runs = [...runs.slice(bounds.fan_in), await newRun(merge(some))];
      await Promise.all(some.map((path) => rm(path)));
    }
    yield* merge(runs);
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

function* blocksOf(items: readonly Item[]): Generator<Item[]> {
  for (let at = 0; at < items.length; at += BLOCK_ITEMS) yield items.slice(at, at + BLOCK_ITEMS);
}

/** A run is one JSON array a line. */
async function* encodeBlocks(blocks: AsyncIterable<Item[]> | Iterable<Item[]>): AsyncGenerator<Buffer> {
  for await (const block of blocks)
    for (const items of blocksOf(block)) yield Buffer.from(items.map(encodeItem).join(''));
}

const encodeItem = (item: Item): string =>
  `${JSON.stringify(item.event !== undefined ? [item.time_ms, item.line, item.event] : [item.time_ms, item.line, null, item.customer_id, item.raw.toString('base64'), item.problem])}\n`;

type Encoded = [number, number, NonNullable<Item['event']>] | [number, number, null, string | null, string, string];

function decodeItem(line: Buffer): Item {
  const [time_ms, number, event, customer_id, raw, problem] = JSON.parse(line.toString('utf8')) as Encoded;
  if (event !== null) return { time_ms, line: number, event };
  return { time_ms, line: number, event: undefined, customer_id: customer_id!, raw: Buffer.from(raw!, 'base64'), problem: problem! };
}

async function* merge(paths: readonly string[]): AsyncGenerator<Item[]> {
  const readers = paths.map((path) => readLines(createReadStream(path, { highWaterMark: 64 * 1024 })));
  try {
    const heads: { blocks: AsyncGenerator<Buffer[]>; lines: Buffer[]; at: number; item: Item }[] = [];
    for (const blocks of readers) {
      const first = await blocks.next();
      if (first.done !== true) heads.push({ blocks, lines: first.value, at: 0, item: decodeItem(first.value[0]!) });
    }
    let block: Item[] = [];
    while (heads.length > 0) {
      let least = 0;
      for (let i = 1; i < heads.length; i++) if (inOrder(heads[i]!.item, heads[least]!.item) < 0) least = i;
      const head = heads[least]!;
      block.push(head.item);
      if (block.length === BLOCK_ITEMS) {
        yield block;
        block = [];
      }
      if (++head.at === head.lines.length) {
        const next = await head.blocks.next();
        if (next.done === true) { heads.splice(least, 1); continue; }
        head.lines = next.value;
        head.at = 0;
      }
      head.item = decodeItem(head.lines[head.at]!);
    }
    if (block.length > 0) yield block;
  } finally {
    for (const reader of readers) await reader.return(undefined);
  }
}
