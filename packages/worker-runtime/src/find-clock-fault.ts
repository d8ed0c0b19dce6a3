const toleranceMs = 60_000

export interface ClockReading {
  /** By this process's clock. */
  askedAt: number
  answeredAt: number
  /** The database's clock, some time between the two. */
  databaseTime: number
}

/** Messages expire by this process's clock: one that is wrong would give up messages that are not old. */
export function findClockFault({ askedAt, answeredAt, databaseTime }: ClockReading): string | undefined {
  const differenceMs = Math.max(askedAt - databaseTime, databaseTime - answeredAt)
  if (differenceMs <= toleranceMs) return undefined
  const [own, theirs] = [answeredAt, databaseTime].map((time) => new Date(time).toISOString())
  return `The clocks are more than a minute apart: this process has ${own}, the database ${theirs}`
}
