import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { messageOf, TidemarkError } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import { decide } from '../../runtime/models/decide.js';
import type { Settings } from '../../runtime/settings.js';
import { customerActivity as view } from '../../schemas/features/customer-activity.js';
import { featureNames } from '../../schemas/features/derive.js';
import { ledgerEntry } from '../../schemas/ledger/entry.js';
import { parseCheckRows, type CheckRows } from '../../trainer/import/core/check-rows.js';
import { mapInputs, parsePairs } from '../../trainer/import/core/mapping.js';
import { prepareForeign, type Prepared } from '../../trainer/import/prepare.js';
import { currentUser } from '../current-user.js';
import { serviceEntry, type Service } from './change.js';
import { openModels } from './open.js';

export interface ImportOptions {
  readonly file: string;
  /** CSV with the model's columns and a column of expected scores; undefined: unchecked. */
  readonly check: string | undefined;
  readonly expected: string;
  readonly tolerance: number;
  /** The model's columns in its order; undefined: the header's, or the pairs'. */
  readonly inputs: readonly string[] | undefined;
  readonly map: readonly string[];
  /** Undefined: registered as a candidate. */
  readonly service: Service | undefined;
  readonly why: string;
}

/** @throws TidemarkError INPUT_INVALID, MODEL_INVALID, MODEL_CHECK_FAILED */
export function readForeign(options: ImportOptions, about: { readonly model: string; readonly created_at: number }): Prepared {
  const invalid = (problem: string): TidemarkError => new TidemarkError('INPUT_INVALID', problem);
  const pairs = parsePairs(options.map);
  if ('problem' in pairs) throw invalid(`--map: ${pairs.problem}`);
  let check: CheckRows | undefined;
  if (options.check !== undefined) {
    const parsed = parseCheckRows(readText(options.check).toString('utf8'), options.expected, options.inputs);
    if ('problem' in parsed) throw invalid(`${options.check}: ${parsed.problem}`);
    check = parsed;
  }
  const mapping = mapInputs(check?.inputs ?? options.inputs ?? pairs.map(([input]) => input), pairs, featureNames(view));
  if ('problems' in mapping) throw invalid(mapping.problems.join('; '));
  return prepareForeign({ onnx: readText(options.file), file: basename(options.file), mapping, check, tolerance: options.tolerance }, { ...about, view });
}

/** Publishes the version with its entries in one transaction. */
export async function importModel(settings: Settings, log: Log, options: ImportOptions, write: (text: string) => void): Promise<void> {
  const created_at = Date.now();
  const { manifest, onnx, difference_max, zipmap_removed } = readForeign(options, { model: settings.MODEL_NAME, created_at });
  const { decider, model } = await openModels(settings, log);
  const { version } = manifest;
  const by = currentUser();
  const entries = [
    ledgerEntry({ model, version, action: 'registered', at: created_at, by, reason: `imported from ${manifest.parameters['source_file']}` }, version),
    ...(options.service === undefined ? [] : [serviceEntry(model, version, options.service, { at: created_at, by, reason: options.why })]),
  ];
  await decide(decider, model, () => ({ version: { manifest, onnx }, entries }));
  write(`version ${version}\n`);
  write(difference_max === undefined ? 'not checked: its scores were compared with nobody’s\n' : `checked on ${manifest.metrics['check_rows']} rows: largest difference ${difference_max.toExponential(2)}\n`);
  if (zipmap_removed) write('its ZipMap node was taken out\n');
  write(`inputs: ${manifest.parameters['mapping']!.replaceAll(',', ', ')}\n`);
  write(options.service === undefined ? `registered; tidemark models promote ${version} puts it into service\n` : `${entries[1]!.action}\n`);
}

function readText(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new TidemarkError('INPUT_INVALID', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
