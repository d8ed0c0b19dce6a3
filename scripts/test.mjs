// @ts-check
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { environment } from './environment.mjs'
import { buildPackages, installDependencies, turbo, turboEnvironment } from './prepare.mjs'
import { rootDirectory } from './services/paths.mjs'
import { say } from './services/progress.mjs'
import { withServices } from './services/services.mjs'
import { findSuites } from './test/find-suites.mjs'
import { sumReports } from './test/sum-reports.mjs'

/**
 * Runs all suites; a failing one does not keep the others from running.
 * @param {import('./test/find-suites.mjs').Suite[]} suites
 * @param {import('./services/services.mjs').Services} services
 * @returns {Promise<number>} turbo's exit code
 */
function runSuites(suites, { rabbitmqUrl, managementUrl, databaseUrl }) {
  const flags = ['--concurrency=2', '--continue=always', '--output-logs=new-only']
  const args = ['run', ...suites.map(({ task }) => task), ...flags]
  return new Promise((resolve, reject) => {
    const child = spawn(turbo, args, {
      cwd: rootDirectory,
      env: {
        ...environment,
        ...turboEnvironment,
        RABBITMQ_URL: rabbitmqUrl,
        RABBITMQ_MANAGEMENT_URL: managementUrl,
        DATABASE_URL: databaseUrl,
      },
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
  const code = await withServices((services) => runSuites(suites, services))
  const { passed, failed, skipped } = sumReports(suites)
  for (const name of skipped) process.stdout.write(`skipped  ${name}\n`)
  for (const name of failed) process.stdout.write(`failed   ${name}\n`)
  if (code !== 0 && failed.length === 0)
    process.stdout.write(`turbo ended with code ${code} without a failed test: see above\n`)
  process.exitCode = code !== 0 || failed.length > 0 ? 1 : 0
  process.stdout.write(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped\n`)
}

try {
  await test()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
