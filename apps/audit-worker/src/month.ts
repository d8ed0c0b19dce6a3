/** A calendar month in UTC, counted from the year 0: 2025-01 is 24300. */
export type Month = number

export function toMonth(date: Date): Month {
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

/** The first instant of the month, as PostgreSQL reads it whatever the session's time zone. */
export function toFirstInstant(month: Month): string {
  return `${toYearAndMonth(month, '-')}-01 00:00:00+00`
}

/** `events_2025_01` */
export function toPartitionName(month: Month): string {
  return `events_${toYearAndMonth(month, '_')}`
}

function toYearAndMonth(month: Month, separator: string): string {
  const year = String(Math.floor(month / 12)).padStart(4, '0')
  const monthOfYear = String((month % 12) + 1).padStart(2, '0')
  return `${year}${separator}${monthOfYear}`
}
