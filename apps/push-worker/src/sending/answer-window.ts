const windowMs = 60_000

/** Where less is heard in a minute, so many of the last answers count, if they are not older than an hour. */
const leastAnswers = 50
const oldestMs = 60 * 60_000

/** Answers of one second. A device that was called dead counts once. */
interface Second {
  at: number
  answers: number
  dead: string[]
}

/** Counts the answers of the last minute, or the last fifty. */
export class AnswerWindow {
  /** The oldest first. */
  readonly #seconds: Second[] = []
  readonly #dead = new Set<string>()
  #answers = 0

  /** `now`: milliseconds of a clock that never goes back. */
  add(now: number, { deviceId, isDead }: { deviceId: string; isDead: boolean }): void {
    if (this.#dead.has(deviceId)) return
    const at = Math.floor(now / 1000) * 1000
    let last = this.#seconds.at(-1)
    if (last?.at !== at) {
      last = { at, answers: 0, dead: [] }
      this.#seconds.push(last)
    }
    last.answers += 1
    this.#answers += 1
    if (!isDead) return
    last.dead.push(deviceId)
    this.#dead.add(deviceId)
  }

  count(now: number): { answers: number; dead: number } {
    for (let [oldest] = this.#seconds; oldest && this.#isOver(oldest, now); [oldest] = this.#seconds) {
      this.#seconds.shift()
      this.#answers -= oldest.answers
      for (const deviceId of oldest.dead) this.#dead.delete(deviceId)
    }
    return { answers: this.#answers, dead: this.#dead.size }
  }

  #isOver({ at, answers }: Second, now: number): boolean {
    if (at <= now - oldestMs) return true
    return at <= now - windowMs && this.#answers - answers >= leastAnswers
  }
}
