// @ts-check

/**
 * Columns as wide as their longest entry.
 * @param {string[]} header
 * @param {string[][]} rows
 */
function renderTable(header, rows) {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (/** @type {string[]} */ cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(header), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n')
}

/** @param {import('./run-examples.mjs').Outcome[]} outcomes */
export function renderOutcomes(outcomes) {
  return renderTable(
    ['worker', 'sent', 'where', 'what was done', 'seconds'],
    outcomes.map(({ worker, sent, where, done, seconds }, index) => {
      const before = outcomes[index - 1]
      return [
        before?.worker === worker ? '' : worker,
        before?.sent === sent ? '' : sent,
        where,
        done ?? 'NOTHING within a minute',
        seconds.toFixed(2),
      ]
    }),
  )
}
