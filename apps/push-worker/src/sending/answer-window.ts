const windowSeconds = 60

/** Counts the answers of the last minute, second by second. */
export class AnswerWindow {
  /** The oldest first. */
  readonly #seconds: { second: number; answers: number; dead: number }[] = []
  #answers = 0
  #dead = 0

  add(second: number, { isDead }: { isDead: boolean }): void {
    let last = this.#seconds.at(-1)
    if (last?.second !== second) {
      last = { second, answers: 0, dead: 0 }
      this.#seconds.push(last)
    }
    last.answers += 1
    this.#answers += 1
    if (!isDead) return
    last.dead += 1
    this.#dead += 1
  }

  /** Up to this second. */
  count(second: number): { answers: number; dead: number } {
    for (let [oldest] = this.#seconds; oldest && oldest.second <= second - windowSeconds; [oldest] = this.#seconds) {
      this.#seconds.shift()
      this.#answers -= oldest.answers
      this.#dead -= oldest.dead
    }
    return { answers: this.#answers, dead: this.#dead }
  }
}
