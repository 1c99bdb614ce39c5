/** Scores of rows that were scored before, by their values as float32. Bounded, and without allocation after it is made. */
export interface ScoreCache {
  /** @returns the score that was put for exactly these values; NaN where there is none (any more) */
  find(matrix: Float32Array, at: number): number;
  /** Keeps a score for the row at `at`; the longest kept of its set makes room. */
  put(matrix: Float32Array, at: number, score: number): void;
  clear(): void;
}

/** Places that a row may stand in. */
const WAYS = 4;
/** No row's hash: nothing stands there. */
const EMPTY = 0;
/** A missing value is one value, whatever bits it came with. */
const NAN_BITS = 0x7fc00000;

/**
 * Set-associative: a row's hash names a set of four places. The whole row is kept and compared, so a collision costs
 * a place and never gives another row's score; clients who choose colliding rows spoil one set for themselves.
 * @param rows places, rounded up to a multiple of four: 4 × featureCount + 12 bytes each
 */
export function createScoreCache(rows: number, featureCount: number): ScoreCache {
  const sets = Math.ceil(rows / WAYS);
  const hashes = new Uint32Array(sets * WAYS);
  const keys = new Uint32Array(sets * WAYS * featureCount);
  const scores = new Float64Array(sets * WAYS);
  /** Places taken in a set so far: each in turn. */
  const turns = new Uint8Array(sets);
  const row = new Float32Array(featureCount);
  const bits = new Uint32Array(row.buffer);
  let hash = EMPTY;

  /** Takes a row as the one in hand; its hash mixes as MurmurHash3's finalizer does, a word at a time. */
  function take(matrix: Float32Array, at: number): void {
    let h = 0;
    for (let i = 0; i < featureCount; i++) {
      const value = matrix[at + i] as number;
      row[i] = value;
      if (value !== value) bits[i] = NAN_BITS;
      h = Math.imul(h ^ (bits[i] as number), 0x85ebca6b);
      h ^= h >>> 15;
    }
    h = Math.imul(h, 0xc2b2ae35);
    hash = (h ^ (h >>> 16)) >>> 0 || 1;
  }

  function holds(place: number): boolean {
    if (hashes[place] !== hash) return false;
    for (let i = 0, key = place * featureCount; i < featureCount; i++) if (keys[key + i] !== bits[i]) return false;
    return true;
  }

  /** Where the row in hand stands; -1 where it does not. */
  function locate(first: number): number {
    for (let place = first; place < first + WAYS; place++) if (holds(place)) return place;
    return -1;
  }

  return {
    find(matrix, at) {
      take(matrix, at);
      const place = locate((hash % sets) * WAYS);
      return place < 0 ? Number.NaN : (scores[place] as number);
    },
    put(matrix, at, score) {
      take(matrix, at);
      const set = hash % sets;
      let place = locate(set * WAYS);
      if (place < 0) {
        const turn = turns[set] as number;
        turns[set] = (turn + 1) % WAYS;
        place = set * WAYS + turn;
        hashes[place] = hash;
        keys.set(bits, place * featureCount);
      }
      scores[place] = score;
    },
    clear() { hashes.fill(EMPTY); },
  };
}
