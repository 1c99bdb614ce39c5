import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * ONNX Runtime, loaded here and nowhere else: since 1.30 its builds report usage to Microsoft and leave files in the
 * temporary folder unless this variable stands before the library is loaded. Nothing leaves this machine unasked.
 */
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';

const require = createRequire(import.meta.url);
export const ort = require('onnxruntime-node') as typeof import('onnxruntime-node');
const LIBRARIES: Partial<Record<NodeJS.Platform, string>> = { darwin: 'libonnxruntime.1.dylib', win32: 'onnxruntime.dll' };
/** The package's own build of the library, for its C interface. */
export const ORT_LIBRARY = join(dirname(require.resolve('onnxruntime-node/package.json')), 'bin', 'napi-v6', process.platform, process.arch, LIBRARIES[process.platform] ?? 'libonnxruntime.so.1');
/** The package's version, which is the library's. */
export const ORT_VERSION = (require('onnxruntime-node/package.json') as { version: string }).version;
