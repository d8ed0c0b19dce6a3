import { toReason } from '@mono/worker-runtime'

export interface Failure {
  code: string
  reason?: string | undefined
}

/** `40 SMTP_550, 2 SUPPRESSED. The first: …`, the most frequent first, and one reason for people. */
export function describeFailures(failures: readonly Failure[]): string {
  const counts = new Map<string, number>()
  for (const { code } of failures) counts.set(code, (counts.get(code) ?? 0) + 1)
  const listed = [...counts].sort(([, a], [, b]) => b - a).map(([code, count]) => `${count} ${code}`)
  const reason = failures.find((failure) => failure.reason !== undefined)?.reason
  return reason === undefined ? listed.join(', ') : `${listed.join(', ')}. The first: ${toReason(reason)}`
}
