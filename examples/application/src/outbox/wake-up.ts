/** A bell: whoever waits goes on when it is rung, and a ring while nobody waits is kept for the next. */
export interface WakeUp {
  ring(): void
  /** Resolves with the ring, or after so many milliseconds. */
  wait(timeoutMs: number): Promise<void>
}

export function createWakeUp(): WakeUp {
  let isRung = false
  let goOn: (() => void) | undefined
  return {
    ring() {
      isRung = true
      goOn?.()
    },
    async wait(timeoutMs) {
      if (!isRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs)
          goOn = () => {
            clearTimeout(timer)
            resolve()
          }
        })
        goOn = undefined
      }
      isRung = false
    },
  }
}
