export interface LedgerCounts {
  /** Messages without an id that were taken for an equal one. */
  merged(): number
  /** Rows deleted because of their age. */
  deleted(): number
}

/** A worker with a ledger shows these beside the metrics that all workers have. Both only grow. */
export function createLedgerGauges({ merged, deleted }: LedgerCounts) {
  return [
    {
      name: 'mono_derived_id_merges_total',
      help: 'Messages without an id that were taken for an equal one',
      read: merged,
    },
    {
      name: 'mono_ledger_deleted_total',
      help: 'Rows of the ledger that this process deleted because of their age',
      read: deleted,
    },
  ]
}
