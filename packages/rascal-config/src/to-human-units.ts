const units = [
  { name: 'day', ms: 86_400_000 },
  { name: 'hour', ms: 3_600_000 },
  { name: 'minute', ms: 60_000 },
  { name: 'second', ms: 1_000 },
] as const

/** A duration in the largest unit that gives a whole number: 604800000 → `7 days`, 90000 → `90 seconds`. */
export function toHumanDuration(ms: number): string {
  const unit = units.find((candidate) => ms >= candidate.ms && ms % candidate.ms === 0)
  if (unit === undefined) return `${toHumanNumber(ms)} ms`
  const count = ms / unit.ms
  return `${toHumanNumber(count)} ${unit.name}${count === 1 ? '' : 's'}`
}

/** A whole number with its thousands parted by commas, whatever the locale of the machine. */
export function toHumanNumber(value: number): string {
  return value.toLocaleString('en-US')
}
