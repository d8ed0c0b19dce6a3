interface Waiting {
  resolve(): void
  reject(reason: Error): void
}

/** After a refusal, before one more connection is tried. */
const growAfterMs = 1000

/**
 * How many connections may be in use at a time. Whoever gets none waits for one that is given back, first come, first
 * served: a wait for our own connections is no failure, however long it takes.
 *
 * When the server refuses one while others are in use, so many are the limit; later it grows again, one by one.
 */
export class ConnectionSlots {
  readonly #max: number
  #limit: number
  #used = 0
  #growAt = 0
  #away: Error | undefined
  #waiting: Waiting[] = []

  constructor(max: number) {
    this.#max = max
    this.#limit = max
  }

  /** True if one was free: it is taken then. */
  takeFree(): boolean {
    this.#grow()
    if (this.#used >= this.#limit || this.#waiting.length > 0) return false
    this.#used += 1
    return true
  }

  /** Waits for one. `isFirst`: before all others that wait. @throws the reason given to `holdOff` */
  async take({ isFirst = false } = {}): Promise<void> {
    if (this.takeFree()) return
    if (this.#away !== undefined) throw this.#away
    await new Promise<void>((resolve, reject) => {
      if (isFirst) this.#waiting.unshift({ resolve, reject })
      else this.#waiting.push({ resolve, reject })
    })
  }

  /** One is in use, and no other. */
  get isAlone(): boolean {
    return this.#used === 1
  }

  giveBack(): void {
    this.#used -= 1
    this.#grow()
    this.#serve()
  }

  /**
   * Gives back one for which the server has no connection.
   * @param wasAlone no other was in use when the server was asked: of several that ask at once it may refuse all, since each
   *   counts while it is refused
   * @returns false if none is to be had: then there is nothing to wait for
   */
  giveBackRefused({ wasAlone }: { wasAlone: boolean }): boolean {
    this.#used -= 1
    this.#limit = Math.max(1, this.#used)
    this.#growAt = performance.now() + growAfterMs
    const mayBeHad = this.#used > 0 || !wasAlone
    this.#serve()
    return mayBeHad
  }

  /** The database cannot be used: nobody waits, from now on until `goOn`. */
  holdOff(reason: Error): void {
    this.#away = reason
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
  }

  goOn(): void {
    this.#away = undefined
  }

  #serve(): void {
    while (this.#used < this.#limit) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#used += 1
      next.resolve()
    }
  }

  #grow(): void {
    if (this.#limit >= this.#max || performance.now() < this.#growAt) return
    this.#limit += 1
    this.#growAt = performance.now() + growAfterMs
    // Whoever waits may be waiting for a connection that is not given back for long.
    this.#serve()
  }
}
