// @ts-check
import { rmSync } from 'node:fs'
import { buildPackages, installDependencies, runShown, turbo, turboEnvironment } from './prepare.mjs'
import { say } from './services/progress.mjs'
import { toVariables, withServices } from './services/services.mjs'
import { ensureOtherClients } from './test/ensure-other-clients.mjs'
import { findUnexplained, forgetSummaries } from './test/failed-tasks.mjs'
import { findSuites } from './test/find-suites.mjs'
import { runShortScenarios } from './test/short-scenarios.mjs'
import { addSums, sumReports } from './test/sum-reports.mjs'

/** More than twice of what the suites take: where one hangs, the log still says which. */
const suitesTimeoutMs = 35 * 60_000

/**
 * Runs suites; a failing one does not keep the others from running.
 * @param {import('./test/find-suites.mjs').Suite[]} suites
 * @param {{ concurrency: number, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} turbo's exit code
 */
async function runSuites(suites, { concurrency, env = {} }) {
  if (suites.length === 0) return 0
  const flags = [`--concurrency=${concurrency}`, '--continue=always', '--output-logs=new-only', '--summarize']
  const tasks = suites.map(({ task }) => task)
  const since = Date.now()
  const code = await runShown(
    turbo,
    ['run', ...tasks, ...flags],
    { ...turboEnvironment, ...env },
    { timeoutMs: suitesTimeoutMs },
  )
  if (Date.now() - since >= suitesTimeoutMs) say(`The suites did not end within ${suitesTimeoutMs / 60_000} minutes`)
  return code
}

async function test() {
  await installDependencies()
  await buildPackages()
  await ensureOtherClients()
  const suites = findSuites()
  for (const { report } of suites) rmSync(report, { force: true })
  forgetSummaries()
  const units = suites.filter(({ needsServices }) => !needsServices)
  const integrations = suites.filter(({ needsServices }) => needsServices)
  const codes = [await runSuites(units, { concurrency: 2 })]
  const scenarios = await withServices(async (services) => {
    codes.push(
      await runSuites(integrations, {
        // One package after the other, of which three files at a time: mostly they wait, but what they test is how
        // things go in time, and one broker and one database server serve them all.
        concurrency: 1,
        env: { ...toVariables(services), VITEST_MAX_WORKERS: '3' },
      }),
    )
    return await runShortScenarios(services)
  })
  const { passed, failed, skipped } = addSums(sumReports(suites), scenarios)
  for (const name of skipped) process.stdout.write(`skipped  ${name}\n`)
  for (const name of failed) process.stdout.write(`failed   ${name}\n`)
  for (const { task, output } of findUnexplained(failed)) {
    failed.push(`${task}: ended with an error though no test of it failed`)
    process.stdout.write(`failed   ${failed.at(-1)}; the end of what it printed:\n${output}\n`)
  }
  const broken = codes.some((code) => code !== 0)
  process.exitCode = broken || failed.length > 0 ? 1 : 0
  process.stdout.write(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped\n`)
}

try {
  await test()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
