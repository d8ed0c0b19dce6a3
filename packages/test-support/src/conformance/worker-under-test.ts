import type { TestFixtures } from '../test.js'

/** What a worker's conformance tests need to know of it. */
export interface WorkerUnderTest {
  /** The app: `audit-worker`. */
  name: string
  queue: string
  exchange: string
  routingKey: string
  /** The table that every effect needs, with its schema. Locked, it holds up all work. */
  table: string
  /** The body of the valid message with this number. Different numbers give different messages. */
  createBody(index: number): object
  /** Opens a client that sends the message with a number: as often as asked, each time with the same message id. */
  openSender(fixtures: Pick<TestFixtures, 'vhost' | 'cleanUp'>): (index: number) => Promise<unknown>
  /** Begins to watch what the worker does. It must have been ready once: its exchanges and tables are there. */
  watchEffects(fixtures: Pick<TestFixtures, 'vhost' | 'database'>): Promise<WatchedEffects>
}

export interface WatchedEffects {
  /** How often the work was done since, repetitions included. */
  countHandled(): Promise<number>
  /** Fails unless the messages 0 to `count` − 1 have had their effect, each once and right, and no others. */
  expectOnce(count: number): Promise<void>
}
