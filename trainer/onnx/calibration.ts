import { ODDS_EPSILON, type Calibration } from '../core/calibration.js';
import { constant, type Node, type Part } from './graph.js';

const node = (operator: string, inputs: readonly string[], output: string): Node => ({ operator, inputs, outputs: [output] });

/** What stands behind a model's probability `[N, 1]`; the same arithmetic as core/calibration.ts. */
export function calibrationPart(calibration: Calibration, input: string, output: string): Part {
  if (calibration.method === 'none') return { nodes: [node('Identity', [input], output)], constants: [] };
  return calibration.method === 'platt' ? plattPart(calibration, input, output) : isotonicPart(calibration, input, output);
}

function plattPart({ slope, shift }: Extract<Calibration, { method: 'platt' }>, input: string, output: string): Part {
  return {
    nodes: [
      node('Clip', [input, 'odds_min', 'odds_max'], 'kept'),
      node('Log', ['kept'], 'log_p'),
      node('Sub', ['certain', 'kept'], 'complement'),
      node('Log', ['complement'], 'log_q'),
      node('Sub', ['log_p', 'log_q'], 'uncalibrated_odds'),
      node('Mul', ['uncalibrated_odds', 'slope'], 'sloped'),
      node('Add', ['sloped', 'shift'], 'calibrated_odds'),
      node('Sigmoid', ['calibrated_odds'], output),
    ],
    constants: [constant('odds_min', [ODDS_EPSILON], []), constant('odds_max', [1 - ODDS_EPSILON], []), constant('certain', [1], []), constant('slope', [slope], []), constant('shift', [shift], [])],
  };
}

/** The first rate, and of every further step the part that the score has gone of it. */
function isotonicPart({ scores, rates }: Extract<Calibration, { method: 'isotonic' }>, input: string, output: string): Part {
  const steps = scores.length - 1;
  return {
    nodes: [
      node('Sub', [input, 'step_from'], 'past'),
      node('Div', ['past', 'step_width'], 'part'),
      node('Clip', ['part', 'nothing', 'whole'], 'gone'),
      node('MatMul', ['gone', 'step_height'], 'risen'),
      node('Add', ['risen', 'first_rate'], output),
    ],
    constants: [
      constant('step_from', scores.slice(0, -1)), constant('step_width', scores.slice(1).map((score, i) => score - scores[i]!)),
      constant('step_height', rates.slice(1).map((rate, i) => rate - rates[i]!), [steps, 1]), constant('first_rate', [rates[0]!]),
      constant('nothing', [0], []), constant('whole', [1], []),
    ],
  };
}
