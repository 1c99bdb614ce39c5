/** One record as read from a partition. Offsets and times are plain numbers: both stay far below 2^53. */
export interface KafkaRecord {
  readonly offset: number;
  /** Broker or producer time of the record, epoch milliseconds. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** Where a partition task writes what belongs to the running transaction; every output goes to the input's own partition number. */
export interface TransactionOutput {
  /** Adds a record to an output topic. The buffers are copied before this returns. */
  append(topic: string, key: Buffer | null, value: Buffer | null, headers?: Readonly<Record<string, Buffer | string>>): void;
  /** The same for hot paths: the key as text, the value as a piece of a buffer, no headers. */
  appendText(topic: string, key: string, bytes: Buffer, from: number, to: number): void;
  /** The same for another partition than the input's own (records that arrived on the wrong one). */
  appendTo(topic: string, partition: number, key: Buffer | null, value: Buffer | null, headers?: Readonly<Record<string, Buffer | string>>): void;
}

/** The work on one assigned partition. All calls come one at a time. */
export interface PartitionTask {
  /**
   * Restores what the work needs; called once the former owner is fenced and before any record.
   * @param revoked aborted when the partition moves on or the process stops: a long restore ends by throwing
   */
  open(revoked?: AbortSignal): Promise<void>;
  /**
   * Takes records in offset order and appends outputs. It may return a promise. Whatever it changes must be undone by
   * `rollback` or made durable by `committed`.
   */
  process(records: readonly KafkaRecord[], output: TransactionOutput): void | Promise<void>;
  /** Called once before a transaction ends, for outputs that are written once a transaction and not once a record. */
  beforeCommit?(output: TransactionOutput): void | Promise<void>;
  /**
   * The transaction with these outputs and this input position is committed.
   * @param written offset after the last record that this transaction wrote to the output topic on the input's own partition;
   *   undefined where it wrote none
   */
  committed(nextOffset: number, written: (topic: string) => number | undefined): void | Promise<void>;
  /** Work with no input record (a sweep): called between batches at most every `idle_ms`; true when it appended something. */
  idle?(output: TransactionOutput): boolean | Promise<boolean>;
  /** The transaction was aborted or its end is unknown: forget all that was not committed. `open` is called again afterwards. */
  rollback(): void | Promise<void>;
  close(): Promise<void>;
}
