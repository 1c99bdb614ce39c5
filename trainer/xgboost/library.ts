import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TidemarkError } from '../../runtime/errors.js';
import { fetchJars, jarsFolder, partVersion, type Progress } from '../../runtime/embedded/maven.js';
import type { Settings } from '../../runtime/settings.js';
import { openXgboost, type Xgboost } from './capi.js';

/** Folder and name of the shared library in ml.dmlc:xgboost4j, by Node's platform and architecture. */
const FILES: Readonly<Record<string, string>> = {
  'linux-x64': 'lib/linux/x86_64/libxgboost4j.so',
  'linux-arm64': 'lib/linux/aarch64/libxgboost4j.so',
  'darwin-x64': 'lib/macos/x86_64/libxgboost4j.dylib',
  'darwin-arm64': 'lib/macos/aarch64/libxgboost4j.dylib',
  'win32-x64': 'lib/windows/x86_64/xgboost4j.dll',
};

/**
 * XGBoost's own library: the file that XGBOOST_LIBRARY names, else the published one, fetched and unpacked once.
 * @throws TidemarkError REQUIREMENT_MISSING, DOWNLOAD_FAILED
 */
export async function loadXgboost(settings: Settings, progress?: Progress): Promise<Xgboost> {
  if (settings.XGBOOST_LIBRARY !== undefined) {
    if (!existsSync(settings.XGBOOST_LIBRARY)) throw new TidemarkError('REQUIREMENT_MISSING', `XGBOOST_LIBRARY: there is no file ${settings.XGBOOST_LIBRARY}; name a libxgboost of version 2 or 3, or leave it unset`);
    return openXgboost(settings.XGBOOST_LIBRARY);
  }
  const platform = `${process.platform}-${process.arch}`;
  const file = FILES[platform];
  if (file === undefined)
    throw new TidemarkError('REQUIREMENT_MISSING', `XGBoost: no library is published for ${platform} (there is one for ${Object.keys(FILES).join(', ')}): build libxgboost and name it in XGBOOST_LIBRARY`);
  const path = join(await fetchJars('xgboost', jarsFolder(settings), progress), file);
  if (!existsSync(path)) throw new TidemarkError('DOWNLOAD_FAILED', `XGBoost: ${partVersion('xgboost')} has no ${file}: delete its folder so that it is fetched again`);
  return openXgboost(path);
}
