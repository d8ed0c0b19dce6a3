import { DeferError, MessageQueueError, type ReceivedMessage } from '@mono/message-queue'
import { describeError } from './describe-error.js'
import { isDataFault, sqlStateOf } from './to-database-error.js'

type Judged = Pick<ReceivedMessage, 'tenantId' | 'messageId'>

export interface FailureJudgeOptions {
  /** Asks the dependencies now. Resolves with why one of them cannot be used, if so. */
  findFault(): Promise<string | undefined>
  /** Several messages have suffered what is the fault of none of them, and does not come from the database. */
  onNobodysFault(reason: string): void
}

/** More than an unlucky coincidence, and few enough to be together before the first is given up. */
const messagesToExcuse = 5
/** How long a failure is kept open for others to confirm or refute it. */
const verdictMs = 1000
/** Messages that are remembered as excused. */
const excusedAtMost = 10_000

/**
 * Says whose fault a failure is that nobody has classified. When five different messages in a row fail in the same way, and
 * nothing is done between, it is the fault of none of them: they are deferred rather than counted against, and so is every
 * further one until something is done. Less is enough if a dependency, asked at once, cannot be used.
 *
 * So that one sender's messages cannot stop everybody else's:
 *
 * - what the code has classified, and data that PostgreSQL refuses, is never judged
 * - a run of one tenant's messages shows nothing while messages of others are known to be done
 * - a message that was excused is not excused again once something has been done, unless new ones suffer it too
 */
export class FailureJudge {
  readonly #options: FailureJudgeOptions
  #kind: string | undefined
  readonly #messages = new Set<string>()
  readonly #tenants = new Set<number>()
  #isNobodysFault = false
  /** Why a dependency cannot be used, if that is what excuses the messages. */
  #fault: string | undefined
  /** Resolves when the dependencies have been asked for this run. */
  #asked: Promise<void> = Promise.resolve()
  #waiting: ((isNobodysFault: boolean) => void)[] = []
  /** How much had been done when a message was excused. */
  readonly #excused = new Map<string, number>()
  #done = 0
  #runs = 0
  /** The last two whose messages were done. */
  #servedTenants: number[] = []

  constructor(options: FailureJudgeOptions) {
    this.#options = options
  }

  /** A message was done. */
  succeed({ tenantId }: Judged): void {
    this.#done += 1
    if (this.#servedTenants.at(-1) !== tenantId) this.#servedTenants = [...this.#servedTenants.slice(-1), tenantId]
    if (this.#kind !== undefined) this.#beginRun(undefined)
  }

  /** @returns what is to be thrown in its place */
  async judge(message: Judged, thrown: unknown): Promise<unknown> {
    const kind = kindOf(thrown)
    if (kind === undefined) return thrown
    const isNew = kind !== this.#kind
    if (isNew) this.#beginRun(kind)
    const key = `${message.tenantId} ${message.messageId}`
    const wasExcused = (this.#excused.get(key) ?? this.#done) < this.#done
    if (!wasExcused) this.#add(key, message.tenantId)
    if (isNew) this.#asked = this.#askDependencies()
    if (!this.#isNobodysFault && (wasExcused || !(await this.#untilVerdict()))) return thrown
    this.#remember(key)
    return this.#toDeferral(thrown)
  }

  #add(key: string, tenantId: number): void {
    this.#messages.add(key)
    this.#tenants.add(tenantId)
    if (this.#messages.size >= messagesToExcuse && this.#isWidespread()) this.#excuseAll()
  }

  #isWidespread(): boolean {
    return this.#tenants.size > 1 || this.#servedTenants.every((tenantId) => this.#tenants.has(tenantId))
  }

  #beginRun(kind: string | undefined): void {
    this.#kind = kind
    this.#messages.clear()
    this.#tenants.clear()
    this.#isNobodysFault = false
    this.#fault = undefined
    this.#runs += 1
    this.#conclude(false)
  }

  #excuseAll(): void {
    this.#isNobodysFault = true
    this.#conclude(true)
  }

  #conclude(isNobodysFault: boolean): void {
    for (const tell of this.#waiting.splice(0)) tell(isNobodysFault)
  }

  async #askDependencies(): Promise<void> {
    const run = this.#runs
    const fault = await this.#options.findFault()
    if (fault === undefined || run !== this.#runs) return
    this.#fault = fault
    this.#excuseAll()
  }

  #untilVerdict(): Promise<boolean> {
    return new Promise((resolve) => {
      const tell = (isNobodysFault: boolean) => {
        clearTimeout(timer)
        resolve(isNobodysFault)
      }
      // A dependency that does not answer is found out later than one that refuses.
      const timer = setTimeout(async () => {
        await this.#asked
        this.#waiting = this.#waiting.filter((each) => each !== tell)
        resolve(false)
      }, verdictMs)
      this.#waiting.push(tell)
    })
  }

  #remember(key: string): void {
    this.#excused.delete(key)
    this.#excused.set(key, this.#done)
    const [oldest] = this.#excused.keys()
    if (this.#excused.size > excusedAtMost && oldest !== undefined) this.#excused.delete(oldest)
  }

  #toDeferral(cause: unknown): DeferError {
    const state = sqlStateOf(cause)
    const words = state === undefined ? describeError(cause) : `${state}: ${describeError(cause)}`
    const why = this.#fault ?? 'different messages fail in the same way, and nothing is done between'
    const reason = `${why} (${words})`
    if (state === undefined && this.#fault === undefined) this.#options.onNobodysFault(reason)
    return new DeferError(`No message's fault: ${reason}`, {
      code: state === undefined ? 'UNCLASSIFIED' : 'DATABASE_UNAVAILABLE',
      cause,
    })
  }
}

/** Equal for failures that are the same; undefined if it is known what the failure means. */
function kindOf(thrown: unknown): string | undefined {
  if (thrown instanceof MessageQueueError || isDataFault(thrown)) return undefined
  if (!(thrown instanceof Error)) return typeof thrown
  const { code } = thrown as { code?: unknown }
  if (typeof code === 'string') return `${thrown.name} ${code}`
  // Without what may be the message's own.
  return `${thrown.name} ${thrown.message.replace(/"[^"]*"|'[^']*'|\S*\d\S*/g, '…')}`
}
