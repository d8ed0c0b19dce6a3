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
  /** Those that have failed again in the retry that is under way. */
  #failed: T[][] = []

  get isEmpty(): boolean {
    return this.#groups.length === 0
  }

  add(group: readonly T[]): void {
    this.#groups.push(...split(group))
  }

  has(member: T): boolean {
    return [...this.#groups, ...this.#failed].some((group) => group.includes(member))
  }

  delete(member: T): void {
    this.#groups = without(member, this.#groups)
    this.#failed = without(member, this.#failed)
  }

  /** Asks the groups, one after the other; `ask` resolves with whether it succeeded. Those that are added meanwhile wait. */
  async retry(ask: (group: readonly T[]) => Promise<boolean>): Promise<void> {
    let hasSucceeded = false
    for (let turns = this.#groups.length; turns > 0; turns -= 1) {
      const group = this.#groups.shift()
      if (group === undefined) break
      if (await ask(group)) hasSucceeded = true
      else this.#failed.push(group)
      if (!hasSucceeded && this.#failed.length >= 2) break
    }
    this.#groups.push(...(hasSucceeded ? this.#failed.flatMap(split) : this.#failed))
    this.#failed = []
  }
}

function without<T>(member: T, groups: readonly T[][]): T[][] {
  return groups.map((group) => group.filter((other) => other !== member)).filter((group) => group.length > 0)
}

function split<T>(group: readonly T[]): T[][] {
  const size = Math.ceil(group.length / parts)
  return Array.from({ length: Math.ceil(group.length / size) }, (_, index) =>
    group.slice(index * size, (index + 1) * size),
  )
}
