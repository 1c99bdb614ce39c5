import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ORT_VERSION } from '../onnxruntime.js';
import { PROJECT_ROOT } from '../paths.js';

const RELEASE = (JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { version: string }).version;
const scoringRuntime = (by: string): string => `${by} ${process.platform}-${process.arch} tidemark/${RELEASE}`;

/** What a score's bits depend on beside vector and model; it stands in each prediction. */
export const ORT_RUNTIME = scoringRuntime(`ort/${ORT_VERSION}`);
/** The same of a walk of the model's trees, which this process computes itself. */
export const TREES_RUNTIME = scoringRuntime(`trees/${process.versions.v8}`);
/** A walk's, of whatever release. */
export const WALKED = /^trees\//;
