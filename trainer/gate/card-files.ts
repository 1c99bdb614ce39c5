import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../runtime/errors.js';
import type { Log } from '../../runtime/log.js';
import type { Settings } from '../../runtime/settings.js';
import { calibrationSvg } from '../core/gate/calibration-plot.js';
import { cardMarkdown } from '../core/gate/card-markdown.js';
import type { ModelCard } from '../core/gate/card.js';

const PLOT = 'calibration.svg';

/** Folder of a version's card. */
export const cardFolder = (settings: Pick<Settings, 'DATA_DIR'>, version: string): string => join(settings.DATA_DIR, 'models', version);

/** Writes card.md, card.json and the plot beside them. They are copies of what the manifest holds: a disk that is full stops nothing. */
export function writeCard(settings: Pick<Settings, 'DATA_DIR'>, log: Log, card: ModelCard): void {
  const folder = cardFolder(settings, card.version);
  const { candidate, champion } = card.comparison.calibration_points;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, PLOT), calibrationSvg(candidate, champion));
    writeFileSync(join(folder, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
    writeFileSync(join(folder, 'card.md'), cardMarkdown(card, PLOT));
  } catch (error) {
    log.warn('card_not_written', { folder, message: messageOf(error) });
  }
}
