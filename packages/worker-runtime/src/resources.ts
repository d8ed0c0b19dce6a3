export type Release = () => unknown

export interface Resources {
  /** To be called right after acquiring. `name` is used in the error if releasing fails. */
  add(name: string, release: Release): void
  /**
   * Releases everything, last in first out, and goes on past failures. Single-flight: later calls get the same promise.
   * @throws AggregateError with one error per resource that could not be released.
   */
  releaseAll(): Promise<void>
}

/** Whoever acquires something registers its release here; what was acquired before a failed start is released too. */
export function createResources(): Resources {
  const held: { name: string; release: Release }[] = []
  let releasing: Promise<void> | undefined

  async function releaseHeld(): Promise<void> {
    const errors: Error[] = []
    for (let last = held.pop(); last !== undefined; last = held.pop()) {
      try {
        await last.release()
      } catch (cause) {
        errors.push(new Error(`Releasing ${last.name} failed`, { cause }))
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} resource(s) could not be released`)
  }

  return {
    add(name, release) {
      if (releasing !== undefined)
        throw new Error(`${name} was acquired after the release had begun; release it where it was made`)
      held.push({ name, release })
    },
    releaseAll() {
      releasing ??= releaseHeld()
      return releasing
    },
  }
}
