export interface LedgerCounts {
  /** Messages without an id that were taken for an equal one. */
  merged(): number
  /** Rows deleted because of their age. */
  deleted(): number
}

/** A worker with a ledger shows these beside the metrics that all workers have. */
export function createLedgerMetrics({ merged, deleted }: LedgerCounts) {
  return [
    {
      kind: 'counter',
      name: 'mono_derived_id_merges_total',
      help: 'Messages without an id that were taken for an equal one',
      read: merged,
    },
    {
      kind: 'counter',
      name: 'mono_ledger_deleted_total',
      help: 'Rows of the ledger that this process deleted because of their age',
      read: deleted,
    },
  ] as const
}
