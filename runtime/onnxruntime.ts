import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PROJECT_ROOT } from './paths.js';

/**
 * ONNX Runtime, loaded here and nowhere else: since 1.30 its builds report usage to Microsoft and leave files in the
 * temporary folder unless this variable stands before the library is loaded. Nothing leaves this machine unasked.
 */
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';

const require = createRequire(import.meta.url);
export const ort = require('onnxruntime-node') as typeof import('onnxruntime-node');
/** What the package's own `InferenceSession` calls; its form is this version's. */
export const ortBinding: unknown = require('onnxruntime-node/dist/binding.js');
/** The package's version, which is the library's. */
export const ORT_VERSION = (require('onnxruntime-node/package.json') as { version: string }).version;
const RELEASE = (JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { version: string }).version;
/** What a score's bits depend on beside vector and model; it stands in each prediction. */
export const SCORING_RUNTIME = `ort/${ORT_VERSION} ${process.platform}-${process.arch} tidemark/${RELEASE}`;
