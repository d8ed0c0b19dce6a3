/** Into how many a group is split whose question failed, in order to find whoever spoils it. */
const parts = 4

/**
 * Those whose question failed, in the groups in which they are asked for again.
 *
 * One conversation may spoil the question for all that are in it, so a group that fails beside one that succeeds is split.
 * As long as all fail, it is the server that is away: then two are tried at a time, and nothing is split.
 */
export class RetryGroups<T> {
  #groups: T[][] = []

  get isEmpty(): boolean {
    return this.#groups.length === 0
  }

  add(group: readonly T[]): void {
    this.#groups.push(...split(group))
  }

  has(member: T): boolean {
    return this.#groups.some((group) => group.includes(member))
  }

  delete(member: T): void {
    this.#groups = this.#groups
      .map((group) => group.filter((other) => other !== member))
      .filter((group) => group.length > 0)
  }

  /** Asks the groups, one after the other; `ask` resolves with whether it succeeded. @returns the same of any of them */
  async retry(ask: (group: readonly T[]) => Promise<boolean>): Promise<boolean> {
    const groups = this.#groups
    const failed: T[][] = []
    this.#groups = []
    let hasSucceeded = false
    while (groups.length > 0 && (hasSucceeded || failed.length < 2)) {
      const group = groups.shift() ?? []
      if (await ask(group)) hasSucceeded = true
      else failed.push(group)
    }
    this.#groups.push(...groups, ...(hasSucceeded ? failed.flatMap(split) : failed))
    return hasSucceeded
  }
}

function split<T>(group: readonly T[]): T[][] {
  const size = Math.ceil(group.length / parts)
  return Array.from({ length: Math.ceil(group.length / size) }, (_, index) =>
    group.slice(index * size, (index + 1) * size),
  )
}
