import type { Settings } from '../../runtime/settings.js';
import type { Limits } from './core/figures.js';
import type { RolloutPlan } from './core/next-step.js';

export const planOf = (settings: Settings): RolloutPlan => ({
  steps: settings.CANARY_STEPS,
  step_rows_min: settings.ROLLOUT_STEP_ROWS,
  step_ms: settings.ROLLOUT_STEP_S * 1000,
  clock: settings.ROLLOUT_CLOCK,
  probation_ms: settings.PROBATION_S * 1000,
  automatic: settings.ROLLOUT_AUTO,
});

export const limitsOf = (settings: Settings): Limits => ({
  rows_min: settings.ROLLBACK_ROWS_MIN,
  error_share_max: settings.ROLLBACK_ERROR_SHARE_MAX,
  latency_us_max: settings.ROLLBACK_LATENCY_US_MAX,
  psi_max: settings.ROLLBACK_PSI_MAX,
  ks_max: settings.ROLLBACK_KS_MAX,
  loss_increase_max: settings.ROLLBACK_LOSS_INCREASE_MAX,
});
