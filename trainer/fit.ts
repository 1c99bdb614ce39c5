import { ROUNDS_UNTUNED, type TrainingParameters } from './core/parameters.js';
import { asMatrixRows, type LabelledRows } from './rows.js';
import { createBooster, type Booster } from './xgboost/booster.js';
import type { Xgboost } from './xgboost/capi.js';
import { createMatrix, type Matrix } from './xgboost/matrix.js';

/** Training and rows to choose the number of rounds by; they are earlier and later rows of the same training period. */
export interface InnerSplit {
  readonly train: LabelledRows;
  readonly holdout: LabelledRows;
}

export interface Fitted {
  /** XGBoost's JSON. */
  readonly model: string;
  readonly rounds: number;
  /** Log loss on the inner holdout at that number of rounds; NaN where there was none to choose by. */
  readonly inner_log_loss: number;
  /** Probabilities by XGBoost itself. */
  predict(rows: LabelledRows): Promise<Float32Array>;
  free(): void;
}

export interface FitOptions {
  readonly library: Xgboost;
  readonly parameters: TrainingParameters;
  /** Threads of XGBoost; the model's bytes do not depend on them. */
  readonly threads: number;
  /** Told after each tenth of the rounds. */
  onProgress?(stage: 'choosing_rounds' | 'training', round: number, rounds: number): void;
}

/** Chooses the number of rounds on the inner split, then trains on all rows with that number. */
export async function fit(rows: LabelledRows, inner: InnerSplit | undefined, options: FitOptions): Promise<Fitted> {
  const { library, parameters, threads, onProgress } = options;
  const chosen = inner === undefined ? { rounds: Math.min(ROUNDS_UNTUNED, parameters.rounds_max), log_loss: NaN } : await chooseRounds(inner, options);
  const matrix = createMatrix(library, asMatrixRows(rows), threads);
  const booster = boosterFor(options, [matrix]);
  try {
    for (let round = 0; round < chosen.rounds; round++) {
      await booster.update(round, matrix);
      if ((round + 1) % 50 === 0) onProgress?.('training', round + 1, chosen.rounds);
    }
  } catch (error) {
    booster.free();
    throw error;
  } finally {
    matrix.free();
  }
  return {
    model: booster.save('json').toString('utf8'),
    rounds: chosen.rounds,
    inner_log_loss: chosen.log_loss,
    predict: (others) => withMatrices(library, threads, [others], ([others_matrix]) => booster.predict(others_matrix!)),
    free: () => booster.free(),
  };
}

/** Early stopping: the round with the least log loss on later rows, once so many rounds were no better. */
async function chooseRounds({ train, holdout }: InnerSplit, options: FitOptions): Promise<{ rounds: number; log_loss: number }> {
  const { library, parameters, threads, onProgress } = options;
  return withMatrices(library, threads, [train, holdout], async ([train_matrix, holdout_matrix]) => {
    const booster = boosterFor(options, [train_matrix!, holdout_matrix!]);
    try {
      let best = { rounds: 1, log_loss: Infinity };
      for (let round = 0; round < parameters.rounds_max && round + 1 - best.rounds < parameters.early_stopping_rounds; round++) {
        await booster.update(round, train_matrix!);
        const log_loss = (await booster.evaluate(round, { inner: holdout_matrix! }))['inner-logloss']!;
        if (log_loss < best.log_loss) best = { rounds: round + 1, log_loss };
        if ((round + 1) % 50 === 0) onProgress?.('choosing_rounds', round + 1, parameters.rounds_max);
      }
      return best;
    } finally {
      booster.free();
    }
  });
}

function boosterFor({ library, parameters, threads }: FitOptions, matrices: readonly Matrix[]): Booster {
  return createBooster(library, {
    objective: 'binary:logistic', eval_metric: 'logloss', tree_method: 'hist', seed: parameters.seed, nthread: threads, ...parameters.booster,
  }, matrices);
}

async function withMatrices<T>(library: Xgboost, threads: number, rows: readonly LabelledRows[], use: (matrices: readonly Matrix[]) => Promise<T>): Promise<T> {
  const matrices: Matrix[] = [];
  try {
    for (const some of rows) matrices.push(createMatrix(library, asMatrixRows(some), threads));
    return await use(matrices);
  } finally {
    for (const matrix of matrices) matrix.free();
  }
}
