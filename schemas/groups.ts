/** Consumer groups by which the stream's services read; by their positions others see how far each of them is. */
export const FEATURES_GROUP = 'tidemark-features';
export const SCORER_GROUP = 'tidemark-scorer';
export const LANDING_GROUP = 'tidemark-landing';
