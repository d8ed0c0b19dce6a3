import type { Held } from '../handling/intake.js'

/** A message in its lane. */
export interface Entry {
  /** With the number of the next attempt. */
  held: Held
  readonly lane: Lane
  /** The handler has it, or it is being settled. */
  isAtWork: boolean
}

/** The messages of one conversation that are in hand, which are handled in the order of delivery. */
export interface Lane {
  readonly key: string
  /** In the order of delivery. */
  readonly entries: Set<Entry>
  /** How many of them are at work. */
  atWork: number
  /** Its first message waits for its next try. */
  wait: { isDeferral: boolean } | undefined
  /** Its first message has failed by itself, and is tried by itself, so that it does not fail others again. */
  isSuspect: boolean
  /** A message of it was given up; until one succeeds, those that follow have one try each. */
  hasGivenUp: boolean
}

/** All messages that are in hand and read, by lane and in the order of delivery. A lane without a message is forgotten. */
export class Lanes {
  readonly #byKey = new Map<string, Lane>()
  /** In the order of delivery. */
  readonly #entries = new Set<Entry>()

  add(key: string, held: Held): Entry {
    const lane = this.#byKey.get(key) ?? this.#open(key)
    const entry = { held, lane, isAtWork: false }
    lane.entries.add(entry)
    this.#entries.add(entry)
    return entry
  }

  /** The first `size` messages whose lanes may go on; of a lane, as many as there are. They are at work from now on. */
  takeBatch(size: number): Entry[] {
    const batch: Entry[] = []
    for (const entry of this.#entries) {
      if (batch.length === size) break
      if (isFree(entry.lane) && !entry.lane.isSuspect) batch.push(entry)
    }
    for (const entry of batch) begin(entry)
    return batch
  }

  /** The first message of a suspect lane that may go on. It is at work from now on. */
  takeSuspect(): Entry | undefined {
    for (const entry of this.#entries) {
      if (entry.lane.isSuspect && isFree(entry.lane)) return this.take(entry)
    }
    return undefined
  }

  /** The message is at work from now on. @returns undefined if its lane is at work or waits, or others come before it */
  take(entry: Entry): Entry | undefined {
    const [first] = entry.lane.entries
    if (first !== entry || !isFree(entry.lane)) return undefined
    begin(entry)
    return entry
  }

  /** It is at work no more: it is kept, or the handler was not able to try it. */
  putBack(entry: Entry): void {
    end(entry)
  }

  /** It is settled. */
  remove(entry: Entry): void {
    const { lane } = entry
    end(entry)
    this.#entries.delete(entry)
    lane.entries.delete(entry)
    if (lane.entries.size === 0) this.#byKey.delete(lane.key)
  }

  /** Ends the wait of all that were deferred. */
  endDeferrals(): void {
    for (const lane of this.#byKey.values()) if (lane.wait?.isDeferral) lane.wait = undefined
  }

  /** Removes those that are lost and not at work. */
  discardLost(): Held[] {
    const idle = [...this.#entries].filter(({ held, isAtWork }) => !isAtWork && held.delivery.lost.aborted)
    for (const entry of idle) this.remove(entry)
    return idle.map(({ held }) => held)
  }

  #open(key: string): Lane {
    const lane: Lane = {
      key,
      entries: new Set(),
      atWork: 0,
      wait: undefined,
      isSuspect: false,
      hasGivenUp: false,
    }
    this.#byKey.set(key, lane)
    return lane
  }
}

function isFree({ atWork, wait }: Lane): boolean {
  return atWork === 0 && wait === undefined
}

function begin(entry: Entry): void {
  entry.isAtWork = true
  entry.lane.atWork += 1
}

function end(entry: Entry): void {
  if (!entry.isAtWork) return
  entry.isAtWork = false
  entry.lane.atWork -= 1
}
