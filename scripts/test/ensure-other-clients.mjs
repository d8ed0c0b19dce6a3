// @ts-check
import { existsSync } from 'node:fs'
import { findInstallObstacle, installPackages } from '../services/install-packages.mjs'
import { findCommand, run } from '../services/processes.mjs'
import { say } from '../services/progress.mjs'

/**
 * AMQP clients of other languages, by which the examples of docs/messages.md are tried, a pooler for PostgreSQL, and a
 * browser. Without them those tests are skipped.
 */
export async function ensureOtherClients() {
  const missing = []
  const hasPika = async (/** @type {string} */ python) => (await run(python, ['-c', 'import pika'])).code === 0
  // Debian's package is for its own Python, which need not be the first on the PATH.
  if (!(await hasPika('python3')) && !(await hasPika('/usr/bin/python3'))) missing.push('python3-pika')
  if (!findCommand('amqp-publish')) missing.push('amqp-tools')
  if (!findCommand('pgbouncer') && !existsSync('/usr/sbin/pgbouncer')) missing.push('pgbouncer')
  if (!existsSync('/usr/bin/chromium')) missing.push('chromium')
  if (missing.length === 0 || findInstallObstacle() !== undefined) return
  try {
    await installPackages(missing)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
  }
}
