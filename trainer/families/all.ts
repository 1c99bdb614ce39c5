import type { Family, FamilyName } from './family.js';
import { logisticRegression } from './logistic-regression.js';
import { randomForest } from './random-forest.js';
import { xgboost } from './xgboost.js';

export const familyOf = (name: FamilyName): Family => ({ xgboost, random_forest: randomForest, logistic_regression: logisticRegression })[name];
