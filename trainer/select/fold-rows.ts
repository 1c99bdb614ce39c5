import { foldsOf, sideOf, type Fold } from '../core/folds.js';
import type { SnapshotPlan } from '../core/plan.js';
import { mix } from '../core/random.js';
import { isEnough, selectRows, type LabelledRows } from '../rows.js';

/** The rows of a fold's two sides. */
export interface FoldRows {
  readonly fold: Fold;
  readonly train: LabelledRows;
  readonly validation: LabelledRows;
}

/** Up to here every window is validated for every group of customers. */
const ROTATED_ROWS_MAX = 30_000;
/** Beyond, whole customers are left out of the search, not of the training. */
const SEARCH_ROWS_MAX = 150_000;
const ENOUGH = { train: 200, validation: 50, of_each_class: 10 };

/** The folds that have enough rows of both classes on both sides; none where the history is too short to choose by. */
export function foldRowsOf(train: LabelledRows, plan: SnapshotPlan): FoldRows[] {
  const share = Math.min(1, SEARCH_ROWS_MAX / train.rows);
  const searched = (row: number): boolean => share === 1 || mix(train.customer[row]!, 0x7e57) < share * 2 ** 32;
  return foldsOf(plan.train, plan.horizon_ms, train.rows <= ROTATED_ROWS_MAX)
    .map((fold): FoldRows => {
      const side = (wanted: 'train' | 'validation'): LabelledRows => selectRows(train, (row) => searched(row) && sideOf(fold, train.at[row]!, train.customer[row]!) === wanted);
      return { fold, train: side('train'), validation: side('validation') };
    })
    .filter((rows) => isEnough(rows.train, ENOUGH.train, ENOUGH.of_each_class) && isEnough(rows.validation, ENOUGH.validation, ENOUGH.of_each_class));
}
