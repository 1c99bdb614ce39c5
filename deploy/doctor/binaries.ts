import { messageOf } from '../../runtime/errors.js';
import { type Check, fail, ok } from './check.js';

const always = (): boolean => true;
const REINSTALL = 'run npm ci again on this machine (binaries of another system or Node.js version do not load here)';

/** A package with a binary of its own: it loads or it does not. */
function binary(name: string, what: string, load: () => Promise<unknown>, options: { quick: boolean; fix?: string }): Check {
  return {
    name, quick: options.quick, applies: always,
    async run() {
      try {
        await load();
        return ok(`${what} loads`);
      } catch (error) {
        return fail(`${what} does not load: ${messageOf(error).split('\n')[0]}`, options.fix ?? REINSTALL);
      }
    },
  };
}

export const nodeVersion: Check = {
  name: 'Node.js', quick: true, applies: always,
  async run() {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const inRange = (major > 20 || (major === 20 && minor >= 15)) && major < 25;
    return inRange ? ok(`${process.versions.node}, ${process.platform} ${process.arch}`) : fail(process.versions.node, 'install Node.js 20.15 or newer, below 25 (22 is a good choice)');
  },
};

export const binaries: readonly Check[] = [
  binary('uWebSockets.js', 'HTTP and WebSocket server', () => import('uWebSockets.js'), {
    quick: true,
    fix: 'on Linux it needs glibc 2.27 with Node.js 20 and glibc 2.38 with 22 or newer (see ldd --version): use Node.js 20 on an older system, and not Alpine',
  }),
  binary('onnxruntime-node', 'ONNX Runtime', () => import('../../runtime/models/ort-api.js'), { quick: true }),
  binary('lmdb', 'state store', () => import('lmdb'), { quick: true }),
  binary('koffi', 'foreign function interface', () => import('koffi'), { quick: true }),
  binary('chdb', 'embedded ClickHouse engine', () => import('chdb'), { quick: false }),
];

export const openMp: Check = {
  name: 'OpenMP', quick: true,
  applies: (settings) => process.platform === 'linux' && settings.XGBOOST_LIBRARY === undefined,
  async run() {
    try {
      const { default: koffi } = await import('koffi');
      koffi.load('libgomp.so.1').unload();
      return ok('libgomp.so.1 loads (training needs it)');
    } catch {
      return fail('libgomp.so.1 is missing: training needs it', 'install it (Debian and Ubuntu: apt-get install libgomp1; Fedora: dnf install libgomp)');
    }
  },
};
