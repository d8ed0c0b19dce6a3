// @ts-check
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { environment } from './environment.mjs'
import { buildPackages, installDependencies, turbo, turboEnvironment } from './prepare.mjs'
import { rootDirectory } from './services/paths.mjs'
import { say } from './services/progress.mjs'
import { withServices } from './services/services.mjs'
import { findUnexplained, forgetSummaries } from './test/failed-tasks.mjs'
import { findSuites } from './test/find-suites.mjs'
import { sumReports } from './test/sum-reports.mjs'

/**
 * Runs suites; a failing one does not keep the others from running.
 * @param {import('./test/find-suites.mjs').Suite[]} suites
 * @param {{ concurrency: number, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} turbo's exit code
 */
function runSuites(suites, { concurrency, env = {} }) {
  if (suites.length === 0) return Promise.resolve(0)
  const flags = [`--concurrency=${concurrency}`, '--continue=always', '--output-logs=new-only', '--summarize']
  return new Promise((resolve, reject) => {
    const child = spawn(turbo, ['run', ...suites.map(({ task }) => task), ...flags], {
      cwd: rootDirectory,
      env: { ...environment, ...turboEnvironment, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

async function test() {
  await installDependencies()
  await buildPackages()
  const suites = findSuites()
  for (const { report } of suites) rmSync(report, { force: true })
  forgetSummaries()
  const units = suites.filter(({ needsServices }) => !needsServices)
  const integrations = suites.filter(({ needsServices }) => needsServices)
  const codes = [
    await runSuites(units, { concurrency: 2 }),
    await withServices(({ rabbitmqUrl, managementUrl, databaseUrl }) =>
      runSuites(integrations, {
        // One package after the other: what they test is how things go in time, and one broker and one database
        // server serve them all.
        concurrency: 1,
        env: { RABBITMQ_URL: rabbitmqUrl, RABBITMQ_MANAGEMENT_URL: managementUrl, DATABASE_URL: databaseUrl },
      }),
    ),
  ]
  const { passed, failed, skipped } = sumReports(suites)
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
