export interface CoalescerOptions<Request, Answer> {
  /** Answers requests together, in their order. */
  run(requests: readonly Request[]): Promise<readonly Answer[]>
  /** How much a request adds to those that go together. */
  sizeOf(request: Request): number
  /** At most so much goes together; a larger request goes alone. */
  maxSize: number
  /** Whether an error may be about one request only: then each is run by itself, side by side. */
  isFaultOfOne(error: unknown): boolean
}

interface Waiting<Request, Answer> {
  request: Request
  resolve(answer: Answer): void
  reject(reason: unknown): void
}

/**
 * Lets what is asked in the same turn of the event loop, or while an earlier run is under way, go to the database in one
 * statement: a round trip and a commit for many messages instead of one for each. Nothing waits for company.
 */
export function createCoalescer<Request, Answer>(
  options: CoalescerOptions<Request, Answer>,
): (request: Request) => Promise<Answer> {
  const { run, sizeOf, maxSize, isFaultOfOne } = options
  const waiting: Waiting<Request, Answer>[] = []
  let running = false

  function takeTogether(): Waiting<Request, Answer>[] {
    let size = 0
    const fits = waiting.findIndex(({ request }) => {
      size += sizeOf(request)
      return size > maxSize
    })
    return waiting.splice(0, fits === -1 ? waiting.length : Math.max(fits, 1))
  }

  async function answer(together: readonly Waiting<Request, Answer>[]): Promise<void> {
    try {
      const answers = await run(together.map(({ request }) => request))
      for (const [index, { resolve }] of together.entries()) resolve(answers[index] as Answer)
    } catch (error) {
      if (together.length > 1 && isFaultOfOne(error)) {
        await Promise.all(together.map((one) => answer([one])))
      } else {
        for (const { reject } of together) reject(error)
      }
    }
  }

  async function answerAll(): Promise<void> {
    while (waiting.length > 0) await answer(takeTogether())
    running = false
  }

  return (request) =>
    new Promise((resolve, reject) => {
      waiting.push({ request, resolve, reject })
      if (running) return
      running = true
      setImmediate(() => void answerAll())
    })
}
