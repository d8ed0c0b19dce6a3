// @ts-check
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootDirectory } from '../scripts/services/paths.mjs'

/** @param {{ short: boolean, rabbitmqImage?: string | undefined }} run */
function directoryOf({ short, rabbitmqImage }) {
  const name = ['chaos', short && 'short', rabbitmqImage?.replaceAll(/[^\w.-]+/g, '-')].filter(Boolean).join('-')
  return join(rootDirectory, 'test-results', name)
}
const page = join(rootDirectory, 'docs/chaos.md')
const tableMark = '<!-- the last results, written by `npm run chaos -- --record` -->'

/**
 * @typedef {import('./run-scenario.mjs').Result & { name: string, at: string }} Recorded
 *
 * @typedef {import('./judge.mjs').Row} Row
 */

/** @type {[string, (row: Row) => string | number | undefined][]} */
const columns = [
  ['queue', (row) => row.queue],
  ['sent', (row) => row.sent],
  ['confirmed', (row) => row.confirmed],
  ['refused', (row) => row.refused],
  ['unknown', (row) => row.unknown],
  ['done', (row) => row.done],
  ['dead-lettered', (row) => row.dead],
  ['still queued', (row) => row.queued],
  ['**lost**', (row) => row.lost],
  ['**twice**', (row) => row.twice],
  ['**out of sequence**', (row) => row.outOfSequence],
  ['went on after s', (row) => row.goesOn?.toFixed(1)],
  ['all done after s', (row) => row.allDone?.toFixed(0)],
]

/** @param {Recorded[]} results */
export function renderTable(results) {
  const header = ['scenario', ...columns.map(([title]) => title)]
  const lines = results.flatMap(({ name, rows }) =>
    rows.map((row, index) => [index === 0 ? name : '', ...columns.map(([, read]) => String(read(row) ?? '–'))]),
  )
  const toLine = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`
  return [toLine(header), toLine(header.map((_, index) => (index < 2 ? '---' : '--:'))), ...lines.map(toLine)].join(
    '\n',
  )
}

/** @param {import('./run-scenario.mjs').Result} result */
export const listFaults = ({ rows, faults }) => [
  ...faults,
  ...rows.flatMap((row) => row.faults.map((fault) => `${row.queue}: ${fault}`)),
]

/** @param {import('./run-scenario.mjs').Result} result */
export const listNotes = ({ rows, notes }) => [
  ...notes,
  ...rows.flatMap(({ queue, twice, twiceBecause }) =>
    twiceBecause ? [`${queue}: ${twice} twice: ${twiceBecause}`] : [],
  ),
  ...rows.flatMap(({ queue, orderJudged }) =>
    orderJudged
      ? [`${queue}: the order of ${orderJudged.stored} messages as stored and ${orderJudged.heard} as heard was judged`]
      : [],
  ),
  ...rows.flatMap(({ queue, mutated }) =>
    mutated ? [`${queue}: ${mutated.deadLettered} mutated messages dead-lettered, ${mutated.done} done`] : [],
  ),
]

/**
 * @param {Recorded} result
 * @param {Parameters<typeof directoryOf>[0]} run
 */
export function keepResult(result, run) {
  const directory = directoryOf(run)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`)
}

/**
 * Writes the newest result of each scenario into docs/chaos.md.
 * @param {string[]} names of the scenarios, in order
 */
export function recordResults(names) {
  const results = names.flatMap((name) => readResult(name) ?? [])
  const missing = names.filter((name) => !results.some((result) => result.name === name))
  const lines = results.flatMap((result) => [
    ...listFaults(result).map((fault) => `- ${result.name}: **${fault}**`),
    ...listNotes(result).map((note) => `- ${result.name}: ${note}`),
  ])
  if (missing.length > 0) lines.push(`- not run: ${missing.join(', ')}`)
  const days = [...new Set(results.map(({ at }) => at.slice(0, 10)))].sort().join(', ')
  const [head] = readFileSync(page, 'utf8').split(tableMark)
  writeFileSync(page, `${head}${tableMark}\n\n${[days, renderTable(results), lines.join('\n')].join('\n\n')}\n`)
}

/**
 * @param {string} name
 * @returns {Recorded | undefined} undefined: it has not been run here
 */
function readResult(name) {
  const file = join(directoryOf({ short: false }), `${name}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}
