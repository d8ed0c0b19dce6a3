import type { TestFixtures } from '../test.js'
import type { WorkerDescription } from '../worker-description.js'

/** Where effects go that are neither in the database nor on the broker. */
export interface FarEnd {
  /** What the worker has to be told to find it. */
  env: Record<string, string>
}

/** What a worker's conformance tests need to know of it. */
export interface WorkerUnderTest<End extends FarEnd = FarEnd>
  extends Pick<WorkerDescription<never>, 'name' | 'queue' | 'exchange' | 'routingKey'> {
  /** The table that every effect needs, with its schema. Locked, it holds up all work. */
  table: string
  /** The SQL condition by which a row of the table says that its message is done. Default: that it is there. */
  done?: string
  /** A message that comes again when it is done is not done again: `countHandled` counts it once. Default false. */
  skipsDone?: boolean
  /** Its queue keeps its order: one replica is active, and what waits for the database stays in hand. Default false. */
  keepsOrder?: boolean
  /** The variables that it cannot do without, beside the addresses of the services. */
  requires?: readonly string[]
  /** Opens the far end of a test, before the database is migrated. Default: there is none. */
  openFarEnd?(fixtures: Pick<TestFixtures, 'cleanUp'>): Promise<End>
  /** Puts into the migrated database what the messages need. It may be called again, and then changes nothing. */
  seed?(fixtures: Pick<TestFixtures, 'database'> & { farEnd: End }): Promise<void>
  /** The body of the valid message with this number. Different numbers give different messages. */
  createBody(index: number): object
  /** What publishers in other languages send, and what becomes of it. */
  foreign: ForeignMessages<End>
  /** Opens a client that sends the message with a number: as often as asked, each time with the same message id. */
  openSender(fixtures: Pick<TestFixtures, 'vhost' | 'cleanUp'>): (index: number) => Promise<unknown>
  /** Begins to watch what the worker does. It must have been ready once: its exchanges and tables are there. */
  watchEffects(fixtures: Pick<TestFixtures, 'vhost' | 'database'> & { farEnd: End }): Promise<WatchedEffects>
}

export interface ForeignMessages<End extends FarEnd> {
  messages: readonly ForeignMessage[]
  /** What all messages have done, in any order; each as the `effect` of one. */
  readEffects(fixtures: Pick<TestFixtures, 'database'> & { farEnd: End }): Promise<readonly unknown[]>
}

export interface ForeignMessage {
  /** Default: the worker's. */
  routingKey?: string
  /** With dates, null and empty lists as the serializer of another language writes them. */
  body: object
  effect: unknown
}

export interface ExpectOnceOptions {
  /**
   * Processes were killed. What had reached the far end and was not recorded yet may be there twice, and only that: at a
   * far end that takes no part in a transaction nothing better can be had.
   */
  killed?: boolean
}

export interface WatchedEffects {
  /** How often the work was done since, repetitions included. */
  countHandled(): Promise<number>
  /** Fails unless the messages 0 to `count` − 1 have had their effect, each once and right, and no others. */
  expectOnce(count: number, options?: ExpectOnceOptions): Promise<void>
}
