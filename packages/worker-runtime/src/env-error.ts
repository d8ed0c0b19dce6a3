/** One variable that cannot be used. Neither text ever contains the value of a secret. */
export interface EnvFault {
  name: string
  expected: string
  found: string
}

/** The environment cannot be used; nothing was started. `message` is a readable list of every fault. */
export class EnvError extends Error {
  override readonly name = 'EnvError'
  readonly code = 'INVALID_ENVIRONMENT'
  readonly faults: readonly EnvFault[]

  constructor(faults: readonly EnvFault[]) {
    const lines = faults.map(({ name, expected, found }) => `  ${name}: expected ${expected}; found ${found}`)
    super([`The environment has ${faults.length} fault${faults.length === 1 ? '' : 's'}:`, ...lines].join('\n'))
    this.faults = faults
  }
}
