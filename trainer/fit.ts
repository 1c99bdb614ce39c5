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
  readonly depth: number;
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
  /** Told every 50 rounds. */
  onProgress?(stage: 'choosing_rounds' | 'training', round: number, rounds: number): void;
}

/** Chooses depth and number of rounds on the inner split, then trains on all rows with them. */
export async function fit(rows: LabelledRows, inner: InnerSplit | undefined, options: FitOptions): Promise<Fitted> {
  const { library, parameters, threads, onProgress } = options;
  const chosen = inner === undefined ? untuned(parameters) : await choose(inner, options);
  const matrix = createMatrix(library, asMatrixRows(rows), threads);
  const booster = boosterFor(options, chosen.depth, [matrix]);
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
    depth: chosen.depth,
    inner_log_loss: chosen.log_loss,
    predict: (others) => withMatrices(library, threads, [others], ([others_matrix]) => booster.predict(others_matrix!)),
    free: () => booster.free(),
  };
}

interface Choice {
  readonly depth: number;
  readonly rounds: number;
  readonly log_loss: number;
}

const untuned = ({ depths, rounds_max }: TrainingParameters): Choice => ({ depth: depths[0]!, rounds: Math.min(ROUNDS_UNTUNED, rounds_max), log_loss: NaN });

/** The depth whose best round has the least log loss on later rows; the smaller one where they are alike. */
async function choose({ train, holdout }: InnerSplit, options: FitOptions): Promise<Choice> {
  return withMatrices(options.library, options.threads, [train, holdout], async ([train_matrix, holdout_matrix]) => {
    let best: Choice | undefined;
    for (const depth of options.parameters.depths) {
      const choice = await stopEarly(depth, train_matrix!, holdout_matrix!, options);
      if (best === undefined || choice.log_loss < best.log_loss) best = choice;
    }
    return best!;
  });
}

/** Early stopping: the round with the least log loss on later rows, once so many rounds were no better. */
async function stopEarly(depth: number, train: Matrix, holdout: Matrix, options: FitOptions): Promise<Choice> {
  const { rounds_max, early_stopping_rounds } = options.parameters;
  const booster = boosterFor(options, depth, [train, holdout]);
  try {
    let best = { depth, rounds: 1, log_loss: Infinity };
    for (let round = 0; round < rounds_max && round + 1 - best.rounds < early_stopping_rounds; round++) {
      await booster.update(round, train);
      const log_loss = (await booster.evaluate(round, { inner: holdout }))['inner-logloss']!;
      if (log_loss < best.log_loss) best = { depth, rounds: round + 1, log_loss };
      if ((round + 1) % 50 === 0) options.onProgress?.('choosing_rounds', round + 1, rounds_max);
    }
    return best;
  } finally {
    booster.free();
  }
}

function boosterFor({ library, parameters, threads }: FitOptions, max_depth: number, matrices: readonly Matrix[]): Booster {
  return createBooster(library, {
    objective: 'binary:logistic', eval_metric: 'logloss', tree_method: 'hist', seed: parameters.seed, nthread: threads, max_depth, ...parameters.booster,
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
