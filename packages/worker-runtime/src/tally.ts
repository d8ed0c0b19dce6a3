import type { Sample } from './metrics.js'

/** Counts by the values of some labels. */
export interface Tally<Name extends string> {
  readonly labelNames: readonly Name[]
  add(labels: Readonly<Record<Name, string>>, by?: number): void
  read(): Sample[]
}

export function createTally<Name extends string>(labelNames: readonly Name[]): Tally<Name> {
  const samples = new Map<string, Sample>()
  return {
    labelNames,
    add(labels, by = 1) {
      const key = JSON.stringify(labelNames.map((name) => labels[name]))
      samples.set(key, { labels, value: (samples.get(key)?.value ?? 0) + by })
    },
    read: () => [...samples.values()],
  }
}
