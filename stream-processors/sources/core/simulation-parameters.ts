import type { PlantedFault } from './planted-fault.js';

/** A planted change of behaviour: everything drawn from `at_ms` on follows it; times drawn before stay. */
export interface RegimeShift {
  readonly at_ms: number;
  /** Multiplies how often customers come and, with it, how often they buy. */
  readonly visit_rate_factor: number;
  readonly order_value_factor: number;
  /** Multiplies the hazard of drifting away. */
  readonly drift_hazard_factor: number;
}

/** Everything that a simulated history depends on: the same parameters give the same events on every machine. */
export interface SimulationParameters {
  /** 32-bit. */
  readonly seed: number;
  /** Event time of the beginning, epoch milliseconds. */
  readonly start_ms: number;
  /** Customers of the shop's first weeks; all arrive within `arrival_days`. */
  readonly customers: number;
  readonly arrival_days: number;
  /** Afterwards. */
  readonly new_customers_per_day: number;
  /** Purchases while active: a Poisson process a customer whose rate is gamma distributed between customers. */
  readonly purchase_gap_mean_days: number;
  readonly purchase_rate_shape: number;
  /** Share of visits that end in a purchase, while active. */
  readonly conversion: number;
  /** Order values: lognormal a customer; sigmas of the logarithm between customers and between one customer's orders. */
  readonly order_value_median: number;
  readonly order_value_sigma_between: number;
  readonly order_value_sigma_within: number;
  readonly active_days_mean: number;
  readonly drifting_days_mean: number;
  /** Probability that a drifting customer becomes active again instead of churning. */
  readonly recovery_probability: number;
  /** Time until a churned customer comes back. */
  readonly churned_days_mean: number;
  readonly ticket_gap_mean_days: number;
  readonly refund_probability: number;
  /** Probability that a ticket or a refund starts the drifting away, within a week on average. */
  readonly annoyance_probability: number;
  /** Share of events that arrive late, and how late. */
  readonly late_probability: number;
  readonly late_mean_s: number;
  /** Share of events that arrive twice. */
  readonly duplicate_probability: number;
  readonly regime?: RegimeShift;
  readonly fault?: PlantedFault;
}

/** A change of behaviour that a model trained before it does not know: visits halve, orders double, customers drift away three times as soon. */
export const PLANTED_SHIFT: Omit<RegimeShift, 'at_ms'> = { visit_rate_factor: 0.5, order_value_factor: 2, drift_hazard_factor: 3 };

export const DEFAULT_SIMULATION: Omit<SimulationParameters, 'start_ms'> = {
  seed: 1,
  customers: 2000,
  arrival_days: 60,
  new_customers_per_day: 8,
  purchase_gap_mean_days: 14,
  purchase_rate_shape: 1.5,
  conversion: 0.3,
  order_value_median: 40,
  order_value_sigma_between: 0.5,
  order_value_sigma_within: 0.4,
  active_days_mean: 150,
  drifting_days_mean: 20,
  recovery_probability: 0.3,
  churned_days_mean: 250,
  ticket_gap_mean_days: 90,
  refund_probability: 0.05,
  annoyance_probability: 0.3,
  late_probability: 0.005,
  late_mean_s: 90,
  duplicate_probability: 0.001,
};
