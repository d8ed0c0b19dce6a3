// @ts-check

/** @typedef {import('./run-scenario.mjs').Result} Result */

/**
 * One line for one of many runs: when each worker and the client went on, and what went wrong.
 * @param {string} title
 * @param {Result} result
 */
export function renderRun(title, result) {
  const times = listTimes(result).map(({ who, seconds }) => `${who} ${toText(seconds)}`)
  return `${title}: went on after s: ${times.join(', ')}; ${renderLosses([result])}`
}

/**
 * @param {string} name of the scenario
 * @param {Result[]} results
 */
export function renderRuns(name, results) {
  const times = results.flatMap(listTimes).map(({ seconds }) => seconds)
  const gone = times.filter((seconds) => seconds !== undefined)
  const slowest = gone.length > 0 ? Math.max(...gone) : undefined
  return `${name}: in ${results.length} runs ${gone.length} of ${times.length} went on, the slowest after ${toText(slowest)} s; ${renderLosses(results)}`
}

/**
 * The workers by their queues, and the client.
 * @param {Result} result
 */
function listTimes({ rows }) {
  const sends = rows.map(({ sendsAgain }) => sendsAgain ?? Number.POSITIVE_INFINITY)
  const client = Math.max(...sends)
  return [
    ...rows.map(({ queue, goesOn }) => ({ who: queue, seconds: goesOn })),
    { who: 'client', seconds: Number.isFinite(client) ? client : undefined },
  ]
}

/** @param {Result[]} results */
function renderLosses(results) {
  const rows = results.flatMap((result) => result.rows)
  const sum = (/** @type {number[]} */ numbers) => numbers.reduce((total, each) => total + each, 0)
  return [
    `${sum(results.map(({ ended }) => ended))} processes ended by themselves`,
    `${sum(rows.map(({ lost }) => lost))} lost`,
    `${sum(rows.map(({ dead }) => dead))} dead-lettered`,
    `${sum(rows.map(({ outOfSequence = 0 }) => outOfSequence))} out of sequence`,
  ].join(', ')
}

/** @param {number | undefined} seconds */
const toText = (seconds) => seconds?.toFixed(1) ?? 'never'
