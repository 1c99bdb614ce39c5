/** Which feature of the view each of a foreign model's columns is. */
export interface Mapping {
  /** The model's columns in its order. */
  readonly inputs: readonly string[];
  /** For each of them its place in the view. */
  readonly columns: readonly number[];
}

/** @returns pairs from `a=b,c=d`, in order, or what is wrong with it */
export function parsePairs(texts: readonly string[]): readonly (readonly [string, string])[] | { readonly problem: string } {
  const pairs: [string, string][] = [];
  for (const part of texts.flatMap((text) => text.split(',')).map((text) => text.trim()).filter((text) => text !== '')) {
    const at = part.indexOf('=');
    if (at < 1 || at === part.length - 1) return { problem: `got ${JSON.stringify(part)}, expected MODEL_INPUT=VIEW_FEATURE` };
    pairs.push([part.slice(0, at).trim(), part.slice(at + 1).trim()]);
  }
  return pairs;
}

/**
 * A column that is named like a feature is that feature; another needs a pair.
 * @param inputs the model's columns in its order
 * @returns the mapping, or every problem with it
 */
export function mapInputs(inputs: readonly string[], pairs: readonly (readonly [string, string])[], features: readonly string[]): Mapping | { readonly problems: readonly string[] } {
  const given = new Map(pairs);
  const unknown = [...given.keys()].filter((name) => !inputs.includes(name));
  const foreign = [...new Set([...given.values()].filter((name) => !features.includes(name)))];
  const unmapped = inputs.filter((name) => !given.has(name) && !features.includes(name));
  const twice = inputs.filter((name, i) => inputs.indexOf(name) !== i);
  const problems = [
    ...(inputs.length === 0 ? ['the model’s inputs are not named: give a header in --check, or --inputs'] : []),
    ...(twice.length > 0 ? [`inputs named twice: ${twice.join(', ')}`] : []),
    ...(unknown.length > 0 ? [`mapped, but no input of the model: ${unknown.join(', ')}; its inputs are ${inputs.join(', ')}`] : []),
    ...(foreign.length > 0 ? [`mapped to what is no feature of the view: ${foreign.join(', ')}; its features are ${features.join(', ')}`] : []),
    ...(unmapped.length > 0 ? [`inputs without a feature: ${unmapped.join(', ')}; name one for each with --map ${unmapped[0]}=FEATURE`] : []),
  ];
  return problems.length > 0 ? { problems } : { inputs, columns: inputs.map((name) => features.indexOf(given.get(name) ?? name)) };
}
