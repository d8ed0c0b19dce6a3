import { toDate } from '@mono/contracts'

const lastSecond = 8.64e12

/** The time in a header of ours: text, or AMQP's own type, which Python and Java send for a date. */
export function toHeaderTime(value: unknown): Date | undefined {
  if (typeof value === 'string') return toDate(value)
  if (typeof value !== 'object' || value === null || !('!' in value) || !('value' in value)) return undefined
  return value['!'] === 'timestamp' ? toTime(value.value) : undefined
}

/** AMQP's timestamp is whole seconds since 1970. */
export function toTime(seconds: unknown): Date | undefined {
  const isTime = typeof seconds === 'number' && seconds >= 0 && seconds <= lastSecond
  return isTime ? new Date(seconds * 1_000) : undefined
}
