import { sharesOf, type Importance } from '../core/importance.js';
import type { Hyper } from '../core/search.js';
import type { Family } from '../families/family.js';
import type { Part } from '../onnx/graph.js';
import type { LabelledRows } from '../rows.js';
import { boost, matrixOf, probabilities, type FitContext } from './boost.js';

/** A trained model of a family, before calibration; to be freed. */
export interface Fitted {
  readonly family: Family;
  readonly hyper: Hyper;
  readonly rounds: number;
  /** Probabilities by the library itself. */
  predict(rows: LabelledRows): Promise<Float32Array>;
  /** The graph from features to a tensor of that name. */
  part(output: string): Part;
  readonly importances: readonly Importance[];
  free(): void;
}

export async function fitFamily(family: Family, rows: LabelledRows, { hyper, rounds }: { hyper: Hyper; rounds: number }, context: FitContext): Promise<Fitted> {
  const preparation = family.prepare(rows);
  const train = matrixOf(preparation, rows, context);
  try {
    const { booster } = await boost(family, hyper, { train, most: rounds }, context);
    const json = booster.save('json').toString('utf8');
    return {
      family, hyper, rounds,
      async predict(others) {
        const matrix = matrixOf(preparation, others, context);
        try {
          return await probabilities(booster, matrix);
        } finally {
          matrix.free();
        }
      },
      part: (output) => preparation.part(json, output),
      importances: sharesOf(rows.feature_names, preparation.weights(json)),
      free: () => booster.free(),
    };
  } finally {
    train.free();
  }
}
