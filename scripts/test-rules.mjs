// @ts-check
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { environment } from './environment.mjs'
import { findInstallObstacle, installPackages } from './services/install-packages.mjs'
import { rootDirectory } from './services/paths.mjs'
import { findCommand, run } from './services/processes.mjs'
import { say } from './services/progress.mjs'

// Checks and tests the rules of Prometheus with promtool: of the machine, else of Prometheus's image, else of Debian's
// package. Each alert must fire in a test and have its runbook.

const directory = join(rootDirectory, 'docker/prometheus')
const ruleFiles = (await readdir(join(directory, 'rules'))).map((file) => `rules/${file}`)
const image = environment.PROMETHEUS_IMAGE ?? 'prom/prometheus:latest'

/** The command line before promtool's arguments. @returns {Promise<[string, ...string[]]>} */
async function findPromtool() {
  if (findCommand('promtool')) return ['promtool']
  const { code } = await run('docker', ['image', 'inspect', image]).catch(() => ({ code: 1 }))
  if (code === 0) {
    const mount = ['--volume', `${directory}:/rules:ro`, '--workdir', '/rules']
    return ['docker', 'run', '--rm', ...mount, '--entrypoint', 'promtool', image]
  }
  const obstacle = findInstallObstacle()
  if (obstacle !== undefined) {
    throw new Error(`Expected promtool, or Docker with the image ${image}, found neither; and ${obstacle}.`)
  }
  await installPackages(['prometheus'])
  return ['promtool']
}

/** @param {string} file @param {RegExp} pattern */
const find = async (file, pattern) =>
  new Set([...(await readFile(join(rootDirectory, file), 'utf8')).matchAll(pattern)].map((match) => match[1] ?? ''))

const [command, ...before] = await findPromtool()
const faults = []
for (const args of [
  ['check', 'rules', ...ruleFiles],
  ['test', 'rules', 'rules.test.yml'],
]) {
  const { code, stdout, stderr } = await run(command, [...before, ...args], { cwd: directory })
  if (code !== 0) faults.push(`promtool ${args.join(' ')} ended with code ${code}:\n${stdout}${stderr}`)
}
const alerts = await find('docker/prometheus/rules/mono.yml', /- alert: (\w+)/g)
const fired = await find('docker/prometheus/rules.test.yml', /- alertname: (\w+)\n.+\n\s+exp_alerts:\n/g)
const runbooks = await find('docs/troubleshooting.md', /^### (\w+)$/gm)
for (const alert of alerts) {
  if (!fired.has(alert)) faults.push(`${alert}: expected to fire in a test of rules.test.yml, found none`)
  if (!runbooks.has(alert)) faults.push(`${alert}: expected a runbook in docs/troubleshooting.md, found none`)
}
for (const fault of faults) say(fault)
if (faults.length === 0) say(`${alerts.size} alerts, each fires in its test: ${[...alerts].join(', ')}`)
process.exitCode = faults.length === 0 ? 0 : 1
