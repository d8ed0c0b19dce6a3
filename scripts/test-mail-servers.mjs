// @ts-check
import process from 'node:process'
import { parseArgs } from 'node:util'
import { buildPackages, installDependencies, runShown } from './prepare.mjs'
import { say } from './services/progress.mjs'
import { toVariables, withServices } from './services/services.mjs'

const usage = `usage: npm run test:mail-servers [-- --if-possible]

Sends mails to Debian's Postfix and Exim, and shows them to its Chromium and SpamAssassin: in containers where a Docker
engine answers, else to private instances of what is installed already. Broker and database come as for npm test. The exit code is 1 if anything is not as it must be.
  --if-possible where a server cannot be run, says so and ends with 0`

/** @type {import('@mono/test-support/mail-servers').MailServerName[]} */
const servers = ['postfix', 'exim']

async function testMailServers() {
  const { values } = parseArgs({ options: { 'if-possible': { type: 'boolean', default: false } } })
  await installDependencies()
  await buildPackages()
  // Only here, since it needs the build.
  const { findMailServerHost } = await import('@mono/test-support/mail-servers')
  const obstacles = []
  for (const server of servers) {
    const found = await findMailServerHost(server)
    if ('obstacle' in found) obstacles.push(`${server} cannot be run here: ${found.obstacle}`)
  }
  if (obstacles.length > 0 && !values['if-possible']) throw new Error(obstacles.join('; '))
  for (const obstacle of obstacles) process.stdout.write(`skipped: ${obstacle}\n`)
  if (obstacles.length === servers.length) return
  process.exitCode = await withServices((services) =>
    runShown('npm', ['run', '--silent', '--workspace', 'apps/email-worker', 'test:mail-servers'], {
      ...toVariables(services),
      // Both at a time: mostly they wait.
      VITEST_MAX_WORKERS: '2',
    }),
  )
}

try {
  await testMailServers()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  say(usage)
  process.exitCode = 1
}
