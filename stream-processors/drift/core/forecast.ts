/** One past look at one test. */
export interface HistoryPoint {
  /** End of its window, epoch milliseconds. */
  readonly at: number;
  /** The statistic on the scale that it is judged on. */
  readonly y: number;
  /** 1/n + 1/n_reference: sampling alone makes a variance proportional to it. */
  readonly sampling: number;
}

/** What a quiet look would give, with the spread of such a forecast. */
export interface Forecast {
  readonly expected: number;
  /** Of a single look around the line. */
  readonly variance: number;
  readonly dof: number;
  /** The forecast error's variance is variance * (1 + leverage). */
  readonly leverage: number;
  /** Mean of `sampling` over the history. */
  readonly sampling: number;
}

/**
 * Fits a line through the quiet looks and carries it on to `at`. Looks that share rows count as what they are worth: a look a
 * step apart is step/window of a disjoint one. Prediction interval of a regression (Draper and Smith, Applied Regression
 * Analysis, 3rd ed., section 3.1), on residuals, as for control charts of processes that wander (Alwan and Roberts 1988).
 * @param worth disjoint windows that one look is worth, 0 to 1
 * @returns undefined where there are fewer than `windowsMin` disjoint windows
 */
export function forecast(points: readonly HistoryPoint[], at: number, worth: number, windowsMin: number): Forecast | undefined {
  const n = points.length;
  const windows = n * worth;
  if (windows < windowsMin || windows <= 2 || n < 3) return undefined;
  let [meanAt, meanY, sampling] = [0, 0, 0];
  for (const point of points) {
    meanAt += point.at / n;
    meanY += point.y / n;
    sampling += point.sampling / n;
  }
  let [sxx, sxy] = [0, 0];
  for (const point of points) {
    sxx += (point.at - meanAt) ** 2;
    sxy += (point.at - meanAt) * (point.y - meanY);
  }
  if (sxx === 0) return undefined;
  const slope = sxy / sxx;
  let residual = 0;
  for (const point of points) residual += (point.y - meanY - slope * (point.at - meanAt)) ** 2;
  const dof = windows - 2;
  return {
    expected: meanY + slope * (at - meanAt),
    variance: ((residual / n) * windows) / dof,
    dof,
    leverage: 1 / windows + (at - meanAt) ** 2 / (sxx * worth),
    sampling,
  };
}
