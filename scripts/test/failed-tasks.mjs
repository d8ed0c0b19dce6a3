// @ts-check
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { rootDirectory } from '../services/paths.mjs'

const summaries = join(rootDirectory, '.turbo/runs')

/**
 * The part of a turbo run's summary that is read here.
 * @typedef {{ tasks: { taskId: string, directory: string, logFile: string, execution?: { exitCode: number } }[] }} Summary
 */

/** Takes away what earlier runs left, so that every summary there is belongs to this one. */
export function forgetSummaries() {
  rmSync(summaries, { recursive: true, force: true })
}

/**
 * The suites that ended with an error though no test in them failed, each with the end of what it printed: vitest's
 * reports do not tell of a rejection that nothing handled.
 * @param {string[]} failed the failed tests, each beginning with the path of its file
 * @returns {{ task: string, output: string }[]}
 */
export function findUnexplained(failed) {
  // Without a summary turbo has started nothing and said why.
  if (!existsSync(summaries)) return []
  return readdirSync(summaries)
    .map((name) => /** @type {Summary} */ (JSON.parse(readFileSync(join(summaries, name), 'utf8'))))
    .flatMap(({ tasks }) => tasks)
    .filter(({ execution }) => execution !== undefined && execution.exitCode !== 0)
    .filter(
      ({ directory, taskId }) => !failed.some((name) => name.startsWith(`${directory}/`) || name.startsWith(taskId)),
    )
    .map(({ taskId, logFile }) => ({
      task: taskId,
      output: readFileSync(join(rootDirectory, logFile), 'utf8').trimEnd().split('\n').slice(-60).join('\n'),
    }))
}
