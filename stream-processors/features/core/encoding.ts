import { FORMAT_VERSION, type Lane, type Layout } from './layout.js';
import { cursor, NUMBER_BYTES_MAX, readNumber, readWhole, WHOLE_BYTES_MAX, writeNumber, writeWhole } from './numbers.js';
import { clearRow, columnDefaults, dayBase, dayStride, emptyState, grownIds, hourBase, hourStride, type State } from './state.js';

/** Stored bytes that are no state of this view: another layout, another format or damage. Nothing was changed. */
export class StateFormatError extends Error {
  override readonly name = 'StateFormatError';
  readonly code = 'STATE_VERSION_UNKNOWN';
}

const HEADER_BYTES = 5;
const ID_BYTES = 8;
const COUNTS_BYTES_MAX = 3 * 5;

export interface StateEncoding {
  /** At most this many bytes are written by `encode`. */
  encodedBytesMax(state: State): number;
  /** Writes the state at `at` and returns where it ends. @throws RangeError when the buffer may be too short */
  encode(state: State, buffer: Uint8Array, at: number): number;
  /** @throws StateFormatError */
  decode(buffer: Uint8Array, start: number, end: number): State;
  /** The largest event time of an encoded state, epoch ms, read without decoding it. @throws StateFormatError */
  encodedLatestMs(buffer: Uint8Array, start: number, end: number): number;
}

/**
 * Compiles the stored form of a view's states: format version (1 byte), layout hash (4, little-endian), numbers of ids, hour
 * rows and day rows; scalars, the latest event time first; hour rows and day rows newest first, each as distance from the newer bucket and its columns;
 * ids oldest first. A group of up to eight columns is a byte that tells which differ from their initial value, and those.
 */
export function compileEncoding(layout: Layout): StateEncoding {
  const { hours, days, scalars, lastBase, lifeBase, ids } = layout;
  const hourColumns = compileColumns(hours);
  const dayColumns = compileColumns(days);
  const lifeColumns = compileColumns(layout.life);
  const lastColumns = columnsOf(new Float64Array(lifeBase - lastBase).fill(NaN), 0);
  const scalarBytesMax = lastBase * WHOLE_BYTES_MAX + lastColumns.bytesMax + lifeColumns.bytesMax;

  // Ids go through a scratch array, of which there is a view in bytes for each number of them: one copy instead of many stores.
  const recent = new Float64Array(ids);
  const recentBytes = Array.from({ length: ids + 1 }, (_, count) => new Uint8Array(recent.buffer, 0, count * ID_BYTES));

  const encodedBytesMax = (state: State): number =>
    HEADER_BYTES + COUNTS_BYTES_MAX + scalarBytesMax + state.idCount * ID_BYTES
    + state.hours * (WHOLE_BYTES_MAX + hourColumns.bytesMax) + state.days * (WHOLE_BYTES_MAX + dayColumns.bytesMax);

  const writeRows = (data: Float64Array, base: number, stride: number, rows: number, columns: Columns, bytes: Uint8Array, at: number): number => {
    let newer = rows > 0 ? data[base + (rows - 1) * stride]! : 0;
    if (rows > 0) at = writeWhole(bytes, at, newer);
    for (let row = base + (rows - 1) * stride; row >= base; row -= stride) {
      const distance = newer - data[row]!;
      if (distance < 0x80) bytes[at++] = distance;
      else at = writeWhole(bytes, at, distance);
      newer = data[row]!;
      at = columns.write(data, row + 1, bytes, at);
    }
    return at;
  };
  const readRows = (data: Float64Array, base: number, stride: number, rows: number, lane: Lane, columns: Columns, bytes: Uint8Array): void => {
    let bucket = rows > 0 ? readWhole(bytes) : 0;
    for (let row = base + (rows - 1) * stride; row >= base; row -= stride) {
      bucket -= readWhole(bytes);
      data[row] = bucket;
      if (lane.maxsEnd > lane.additive) clearRow(data, row + 1, lane);
      columns.read(data, row + 1, bytes);
    }
  };

  return {
    encodedBytesMax,
    encodedLatestMs(buffer, start, end) {
      checkHeader(layout, buffer, start, end);
      cursor.at = start + HEADER_BYTES;
      for (let counts = 0; counts < 3; counts++) readWhole(buffer);
      return readWhole(buffer);
    },
    encode(state, buffer, at) {
      if (at + encodedBytesMax(state) > buffer.length)
        throw new RangeError(`state: up to ${encodedBytesMax(state)} bytes to write at ${at} of a buffer of ${buffer.length}; give it encodedBytesMax(state) of room`);
      const data = state.data;
      buffer[at] = FORMAT_VERSION;
      for (let i = 0; i < 4; i++) buffer[at + 1 + i] = layout.hash >>> (8 * i);
      at += HEADER_BYTES;
      at = writeWhole(buffer, at, state.idCount);
      at = writeWhole(buffer, at, state.hours);
      at = writeWhole(buffer, at, state.days);
      // Times go as one more than their distance from the latest, 0 for none: no time of a customer is later than that.
      const latest = data[0]!;
      at = writeWhole(buffer, at, latest);
      for (let i = 1; i < lastBase; i++) at = writeWhole(buffer, at, data[i]! > 0 ? latest - data[i]! + 1 : 0);
      at = lastColumns.write(data, lastBase, buffer, at);
      at = lifeColumns.write(data, lifeBase, buffer, at);
      at = writeRows(data, hourBase(layout, state), hourStride(layout), state.hours, hourColumns, buffer, at);
      at = writeRows(data, dayBase(layout, state), dayStride(layout), state.days, dayColumns, buffer, at);
      let place = state.idCount === ids ? state.idNext : 0;
      for (let i = 0; i < state.idCount; i++) {
        recent[i] = data[scalars + place]!;
        if (++place === ids) place = 0;
      }
      buffer.set(recentBytes[state.idCount]!, at);
      return at + state.idCount * ID_BYTES;
    },
    decode(buffer, start, end) {
      checkHeader(layout, buffer, start, end);
      cursor.at = start + HEADER_BYTES;
      const idCount = readWhole(buffer);
      const hourRows = readWhole(buffer);
      const dayRows = readWhole(buffer);
      if (!(idCount <= ids && hourRows <= hours.span && dayRows <= days.span))
        throw new StateFormatError(`state: ${idCount} ids, ${hourRows} hours and ${dayRows} days, at most ${ids}, ${hours.span} and ${days.span} are possible: the bytes are damaged`);
      let idCapacity = Math.min(4, ids);
      while (idCapacity < ids && idCapacity <= idCount) idCapacity = grownIds(idCapacity, layout);
      // One row to spare: the next event mostly opens a bucket.
      const state = emptyState(layout, idCapacity, Math.min(hourRows + 1, hours.span), Math.min(dayRows + 1, days.span));
      const data = state.data;
      const latest = data[0] = readWhole(buffer);
      for (let i = 1; i < lastBase; i++) {
        const distance = readWhole(buffer);
        data[i] = distance > 0 ? latest - distance + 1 : 0;
      }
      lastColumns.read(data, lastBase, buffer);
      lifeColumns.read(data, lifeBase, buffer);
      readRows(data, hourBase(layout, state), hourStride(layout), hourRows, hours, hourColumns, buffer);
      readRows(data, dayBase(layout, state), dayStride(layout), dayRows, days, dayColumns, buffer);
      const idsAt = cursor.at;
      if (idsAt + idCount * ID_BYTES !== end)
        throw new StateFormatError(`state: ends at byte ${idsAt + idCount * ID_BYTES - start} of ${end - start}: the bytes are damaged`);
      recentBytes[idCount]!.set(buffer.subarray(idsAt, end));
      for (let i = 0; i < idCount; i++) data[scalars + i] = recent[i]!;
      state.idCount = idCount;
      state.idNext = idCount === ids ? 0 : idCount;
      state.hours = hourRows;
      state.days = dayRows;
      return state;
    },
  };
}

function checkHeader(layout: Layout, buffer: Uint8Array, start: number, end: number): void {
  if (end - start < HEADER_BYTES || end > buffer.length) throw new StateFormatError(`state: ${end - start} bytes are too few for a header`);
  const version = buffer[start]!;
  if (version !== FORMAT_VERSION) throw new StateFormatError(`state: format version ${version}, this program reads ${FORMAT_VERSION}`);
  const hash = (buffer[start + 1]! | (buffer[start + 2]! << 8) | (buffer[start + 3]! << 16) | (buffer[start + 4]! << 24)) >>> 0;
  if (hash !== layout.hash)
    throw new StateFormatError(`state: layout ${hash.toString(16)}, this view's is ${layout.hash.toString(16)}: it was written for another feature list; compute the state anew from the events`);
}

interface Columns {
  readonly bytesMax: number;
  write(data: Float64Array, base: number, bytes: Uint8Array, at: number): number;
  read(data: Float64Array, base: number, bytes: Uint8Array): void;
}

/** Writes and reads the columns of a row, eight to a mask byte. */
function compileColumns(lane: Lane): Columns {
  return columnsOf(columnDefaults(lane), lane.counts);
}

/** The first `counts` columns hold whole numbers; `defaults` (0 or NaN) are the values that need no bytes. */
function columnsOf(defaults: Float64Array, counts: number): Columns {
  const width = defaults.length;
  const initial = Array.from(defaults);
  return {
    bytesMax: Math.ceil(width / 8) + width * NUMBER_BYTES_MAX,
    write(data, base, bytes, at) {
      for (let group = 0; group < width; group += 8) {
        const maskAt = at++;
        const end = group + 8 < width ? group + 8 : width;
        let mask = 0;
        for (let c = group; c < end; c++) {
          const value = data[base + c]!;
          if (value === 0 ? initial[c] === 0 : value !== value) continue;
          mask |= 1 << (c - group);
          if (c >= counts) at = writeNumber(bytes, at, value);
          else if (value < 0x80) bytes[at++] = value;
          else at = writeWhole(bytes, at, value);
        }
        bytes[maskAt] = mask;
      }
      return at;
    },
    read(data, base, bytes) {
      let at = cursor.at;
      for (let group = 0; group < width; group += 8) {
        // The row is new: what the mask leaves out has its initial value already.
        for (let c = group, mask = bytes[at++]!; mask !== 0; mask >>>= 1, c++) {
          if ((mask & 1) === 0) continue;
          const byte = bytes[at]!;
          if (c < counts && byte < 0x80) {
            data[base + c] = byte;
            at++;
          } else {
            cursor.at = at;
            data[base + c] = c < counts ? readWhole(bytes) : readNumber(bytes);
            at = cursor.at;
          }
        }
      }
      cursor.at = at;
    },
  };
}
